"""The source against a web server on this machine."""

import http.server
import json
import threading
import unittest

from lockgate import Retriable, testing
from my_source import MySource


class Api(http.server.BaseHTTPRequestHandler):
    """Three items, two a page."""

    def do_GET(self) -> None:
        after = int(self.path.rpartition("=")[2])
        body = json.dumps([{"id": n} for n in range(after + 1, 4)][:2]).encode()
        self.send_response(503 if self.server.busy else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class MySourceTest(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(testing.Host())
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.server.busy = False
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        url = f"http://127.0.0.1:{self.server.server_port}/items"
        self.settings = {"url": url, "topic": "items", "poll.interval.ms": "100"}
        self.partition = json.dumps({"url": url}, separators=(",", ":"))

    def test_each_item_is_a_record_and_each_page_a_position(self) -> None:
        source = testing.source(MySource, self.settings)
        first, second, third = source.poll(), source.poll(), source.poll()
        self.assertEqual([record.value for record in first.records], [b'{"id":1}', b'{"id":2}'])
        self.assertEqual(first.positions, [(self.partition, '{"id":2}', 1)])
        self.assertEqual([record.key for record in second.records], [b"3"])
        self.assertEqual((third.records, third.next), ([], "after 100"))

    def test_reading_goes_on_after_the_stored_position(self) -> None:
        source = testing.source(MySource, self.settings, [(self.partition, '{"id":2}')])
        self.assertEqual([record.key for record in source.poll().records], [b"3"])

    def test_a_server_that_is_busy_is_asked_again(self) -> None:
        source = testing.source(MySource, self.settings)
        self.server.busy = True
        with self.assertRaises(Retriable):
            source.poll()
        self.server.busy = False
        self.assertEqual(len(source.poll().records), 2)


if __name__ == "__main__":
    unittest.main()
