"""A small HTTP client: one request, one answer, one deadline. The host does TLS and decides whether the target is allowed.

Enters: method, URL, headers, body. Leaves: the answer, or an error that says whether to try again. Invariant: every wait ends at the
deadline, and no more of an answer is kept than was asked for.

The plugin must ask for its targets: `asks=[Http("{url}")]`. Outside a component (in unit tests) `urllib` does the work.

    answer = http.get("https://example.com/items", timeout=10)
    answer.raise_for_status()
    for item in answer.json():
        ...

`lockgate.http_urllib` and `lockgate.http_requests` put `urllib.request` and the package `requests` on top of this.
"""

from __future__ import annotations

import json as _json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from . import _wit
from .faults import Fatal, Retriable

ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes of an answer's body that are taken, unless `max_bytes` says otherwise."""
TIMEOUT_SECONDS: Final = 30.0
"""Deadline of a request, unless `timeout` says otherwise."""
_SHOWN_MAX: Final = 2000


class HttpError(Retriable):
    """No answer: no name, no connection, broken off, too late. May go well later, so uncaught it is a `Retriable`."""

    def __init__(self, message: str, code: str = "http.transport") -> None:
        super().__init__(code, message)


class HttpTimeout(HttpError):
    """No answer within the deadline."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "http.timeout")


class HttpDenied(Fatal):
    """The worker does not let this task go there: a grant is missing, or the plugin does not ask for it."""

    def __init__(self, message: str) -> None:
        super().__init__("http.denied", message)


class HttpRefused(Fatal):
    """The server refuses the request, and would again: status 4xx but 408, 425 and 429."""


class HttpBusy(Retriable):
    """The server refuses the request for now: 5xx, 408, 425, 429."""


class Headers(Mapping[str, str]):
    """Headers; names in any case. Of several values of one name the last counts; `all` gives each."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = [(name.lower(), value) for name, value in pairs]
        self._last = dict(self._pairs)

    def all(self, name: str) -> list[str]:
        """Every value of a name."""
        return [value for other, value in self._pairs if other == name.lower()]

    def pairs(self) -> list[tuple[str, str]]:
        """Everything, in order."""
        return list(self._pairs)

    def __getitem__(self, name: str) -> str:
        return self._last[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)


class Response:
    """An answer."""

    def __init__(self, url: str, status: int, headers: Headers, body: bytes) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises `ValueError` where it is none."""
        return _json.loads(self.body)

    def raise_for_status(self) -> Response:
        """Raises `HttpBusy` or `HttpRefused` unless the status is 2xx; heeds `Retry-After` in seconds."""
        if self.ok:
            return self
        message = f"{self.url} answered {self.status}"
        shown = self.text[:_SHOWN_MAX]
        if self.status >= 500 or self.status in (408, 425, 429):
            wait = self.headers.get("retry-after", "")
            raise HttpBusy("http.status", message, after=float(wait) if wait.isdigit() else 0.0, detail=shown)
        raise HttpRefused("http.status", message, detail=shown)


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = b"",
    json: Any = None,
    timeout: float = TIMEOUT_SECONDS,
    max_bytes: int = ANSWER_BYTES_MAX,
) -> Response:
    """Sends a request and waits for the answer. All of it together takes at most `timeout` seconds; a body beyond `max_bytes` is an
    `HttpError`. `json` is sent in place of `body`. Redirects are not followed."""
    pairs = [(name.lower(), value) for name, value in (headers or {}).items()]
    payload = body.encode() if isinstance(body, str) else bytes(body)
    if json is not None:
        payload = _json.dumps(json, separators=(",", ":"), ensure_ascii=False).encode()
        if not any(name == "content-type" for name, _ in pairs):
            pairs.append(("content-type", "application/json"))
    deadline = time.monotonic() + timeout
    status, answer_headers, content = _send(method.upper(), url, pairs, payload, deadline, max_bytes)
    return Response(url, status, Headers(answer_headers), content)


def get(url: str, **options: Any) -> Response:
    """`request("GET", ...)`."""
    return request("GET", url, **options)


def post(url: str, **options: Any) -> Response:
    """`request("POST", ...)`."""
    return request("POST", url, **options)


def put(url: str, **options: Any) -> Response:
    """`request("PUT", ...)`."""
    return request("PUT", url, **options)


def delete(url: str, **options: Any) -> Response:
    """`request("DELETE", ...)`."""
    return request("DELETE", url, **options)


Pairs = list[tuple[str, str]]
_Send = Callable[[str, str, Pairs, bytes, float, int], tuple[int, Pairs, bytes]]


def _without(method: str, url: str, headers: Pairs, body: bytes, deadline: float, max_bytes: int) -> tuple[int, Pairs, bytes]:
    raise HttpDenied(f"this package does not ask for HTTP: add asks=[Http(...)] to the plugin that goes to {url}")


def _sender() -> _Send:
    if not _wit.IN_COMPONENT:
        from ._http_native import send
    else:
        try:
            from ._http_wasi import send
        except ImportError:
            return _without
    return send


_send = _sender()
