"""A web server on this machine that answers as told."""

from __future__ import annotations

import http.server
import threading
import unittest
from collections.abc import Callable
from typing import Any

from lockgate import testing

Answer = tuple[int, dict[str, str], bytes | str]


class Server:
    """Keeps what was asked; answers by `judge`."""

    def __init__(self, judge: Callable[[Any], Answer]) -> None:
        self.asked: list[Any] = []
        self.judge = judge
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self)
                status, headers, body = outer.judge(self)
                body = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        """What was asked, in order."""
        return [one.path for one in self.asked]


class Case(unittest.TestCase):
    """With a host that stands in and servers that end with the test."""

    def setUp(self) -> None:
        self.host = self.enterContext(testing.Host())

    def serve(self, judge: Callable[[Any], Answer]) -> Server:
        server = Server(judge)
        self.addCleanup(server.close)
        return server


def drained(source: testing.SourceTask, polls: int = 20) -> list[testing.TestRecord]:
    """Everything until there is nothing for now."""
    records = []
    for _ in range(polls):
        polled = source.poll()
        records += polled.records
        if polled.next != "now":
            break
    return records


def last_position(source: testing.SourceTask, polls: int = 20) -> tuple[str, str]:
    """Likewise: the last position."""
    found: tuple[str, str] | None = None
    for _ in range(polls):
        polled = source.poll()
        if polled.positions:
            found = polled.positions[-1][:2]
        if polled.next != "now":
            break
    assert found is not None, "no position"
    return found
