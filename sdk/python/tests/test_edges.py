"""Errors, logs, metrics, state, HTTP, and what is built."""

import http.server
import io
import json
import logging
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import lockgate
from lockgate import Batch, Config, ConfigError, Fatal, Http, Package, Retriable, Sink, Transform, build, context, http_urllib
from lockgate import http as lockgate_http
from lockgate import logs, metrics, state, testing

ROOT = Path(__file__).resolve().parents[3]
SDK = Path(lockgate.__file__).parent


def breaks_here() -> None:
    raise RuntimeError("broken")


class Wrapping(Sink[Config], name="test.Wrapping", asks=[Http("example.com")]):
    """Fails with a cause."""

    def put(self, batch: Batch) -> None:
        try:
            breaks_here()
        except RuntimeError as error:
            raise Retriable("test.wrapped", "wrapped", after=2) from error


class Errors(unittest.TestCase):
    def test_a_trace_names_function_file_and_line_and_leaves_the_sdk_out(self) -> None:
        out = io.StringIO()
        try:
            breaks_here()
        except RuntimeError as error:
            logs.last_words(error, out)
        lines = out.getvalue().splitlines()
        self.assertEqual(lines[0], "RuntimeError: broken")
        self.assertRegex(lines[1], r"^    at breaks_here \(test_edges.py:\d+\)$")

    def test_the_cause_of_a_fault_is_its_detail(self) -> None:
        with testing.Host(), self.assertRaises(Retriable) as raised:
            testing.sink(Wrapping).put([testing.record()])
        self.assertEqual(raised.exception.after, 2.0)
        self.assertRegex(raised.exception.detail, r"RuntimeError: broken\n    at breaks_here \(test_edges.py:\d+\)")
        self.assertNotIn("edge.py", raised.exception.detail)

    def test_problems_of_settings_are_shown_with_their_keys(self) -> None:
        self.assertEqual(str(ConfigError({"a": "wrong"})), "config.invalid: the configuration is not valid: a; a: wrong")


class HostSide(unittest.TestCase):
    def test_logging_goes_to_the_host_with_its_level_and_trace(self) -> None:
        with testing.Host() as host:
            logs.follow_host()
            logging.getLogger("a.b").warning("hot: %d", 5)
            try:
                breaks_here()
            except RuntimeError:
                logging.exception("oh")
        self.assertEqual(host.lines[0], ("warn", "hot: 5"))
        self.assertEqual(host.texts()[1:3], ["oh", "RuntimeError: broken"])

    def test_metrics_and_state_are_the_hosts(self) -> None:
        with testing.Host() as host:
            metrics.counter("seen").add(2)
            metrics.counter("seen").add()
            metrics.gauge("level").set(7)
            state.set_json("k", {"a": 1})
            self.assertEqual((host.metrics, state.get("k")), ({"seen": 3.0, "level": 7.0}, b'{"a":1}'))
            self.assertEqual((state.get_json("k"), state.get_json("none", 3)), ({"a": 1}, 3))
            state.remove("k")
            self.assertEqual(host.state, {})
        with self.assertRaises(ValueError):
            metrics.counter("Not.Good")

    def test_context_reads_stored_offsets_as_objects(self) -> None:
        with testing.Host() as host:
            host.positions['{"a":1}'] = '{"n":2}'
            self.assertEqual(context.offsets([{"a": 1}, {"a": 2}]), [{"n": 2}, None])
            self.assertFalse(context.cancelled())


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/busy" else 404 if self.path == "/none" else 200)
        body = json.dumps({"path": self.path, "agent": self.headers.get("x-agent")}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class HttpClient(unittest.TestCase):
    def setUp(self) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def test_requests_and_answers_are_whole(self) -> None:
        answer = lockgate_http.get(f"{self.url}/a?b=c", headers={"X-Agent": "me"}).raise_for_status()
        self.assertEqual((answer.status, answer.json(), answer.headers["RETRY-after"]), (200, {"path": "/a?b=c", "agent": "me"}, "7"))
        self.assertEqual(lockgate_http.post(self.url, json={"ż": 1}).text, '{"ż":1}')

    def test_a_status_says_whether_to_try_again(self) -> None:
        with self.assertRaises(Retriable) as busy:
            lockgate_http.get(f"{self.url}/busy").raise_for_status()
        self.assertEqual(busy.exception.after, 7.0)
        with self.assertRaises(Fatal):
            lockgate_http.get(f"{self.url}/none").raise_for_status()

    def test_no_answer_and_too_much_of_one_may_go_well_later(self) -> None:
        with self.assertRaises(lockgate_http.HttpError):
            lockgate_http.get("http://127.0.0.1:1/")
        with self.assertRaisesRegex(Retriable, "larger than 3 bytes"):
            lockgate_http.get(self.url, max_bytes=3)

    def test_urllib_goes_the_same_way(self) -> None:
        opener = http_urllib.opener()
        with opener.open(f"{self.url}/x") as answer:
            self.assertEqual((answer.status, json.load(answer)["path"]), (200, "/x"))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            opener.open(f"{self.url}/none")
        self.assertEqual(refused.exception.code, 404)


class Building(unittest.TestCase):
    def test_the_wit_is_the_contracts_and_so_is_the_version(self) -> None:
        contract = sorted((ROOT / "wit/v0.1").glob("*.wit"))
        self.assertEqual([p.name for p in contract], sorted(p.name for p in (SDK / "wit").glob("*.wit")))
        for path in contract:
            self.assertEqual((SDK / "wit" / path.name).read_text("utf-8"), path.read_text("utf-8"), path.name)
        self.assertTrue(lockgate.__version__.startswith("0.1."))

    def test_the_world_is_the_smallest_that_the_package_needs(self) -> None:
        class Step(Transform[Config], name="test.Step"):
            pass

        self.assertIn("include transform-package;\n}", build.world(Package("p", "1.0.0", Step)))
        wide = build.world(Package("p", "1.0.0", Step, Wrapping))
        self.assertIn("include mixed-package;", wide)
        self.assertIn("import wasi:http/outgoing-handler", wide)

    def test_the_checked_in_bindings_are_those_of_the_wit(self) -> None:
        try:
            build.componentize_py()
        except build.BuildError:
            self.skipTest("componentize-py is not installed")
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "bindings"
            build.bindings(made)
            for path in made.rglob("*.py"):
                ours = SDK / "_bindings" / path.relative_to(made)
                self.assertEqual(ours.read_text("utf-8"), path.read_text("utf-8"), f"renew: python -m lockgate bindings {ours.parent}")

    def test_a_module_without_a_package_is_explained(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "nothing_here.py").write_text("x = 1\n")
            with self.assertRaisesRegex(build.BuildError, "must make one Package"):
                build.find_package("nothing_here", [Path(folder)])
            with self.assertRaisesRegex(build.BuildError, "cannot import `no_such_module`"):
                build.find_package("no_such_module", [Path(folder)])


if __name__ == "__main__":
    unittest.main()
