"""The feed source against a web server on this machine."""

from __future__ import annotations

import json
import unittest
from typing import Any

import server as servers
from lockgate import ConfigError, Connector, Fatal, Retriable, testing
from lockgate_feed.feed import FeedSource
from lockgate_feed.seen import Seen
from lockgate_feed.web import retry_after

RSS = """<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>News</title><link>http://x/</link>{items}</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Atoms</title><id>urn:f</id><updated>2026-01-02T03:04:05Z</updated>
<entry><title>One</title><id>urn:1</id><updated>2026-01-02T03:04:05Z</updated><author><name>Ann</name></author><link href="/one"/>
<content type="html">&lt;b&gt;hi&lt;/b&gt;&lt;script&gt;x()&lt;/script&gt;</content><category term="a"/></entry></feed>"""


def rss(*numbers: int, encoding: str = "utf-8") -> bytes:
    """A feed of these entries, the newest first as feeds are."""
    item = '<item><guid isPermaLink="false">g{0}</guid><title>żółw {0}</title><pubDate>Thu, 01 Jan 2026 00:00:{0:02d} GMT</pubDate></item>'
    return RSS.format(encoding=encoding, items="".join(item.format(n) for n in reversed(numbers))).encode(encoding)


class Feeds(servers.Case):
    def settings(self, *urls: str, **more: str) -> dict[str, str]:
        return {"feed.urls": ",".join(urls), "topic": "news", "poll.interval.ms": "60000", **{k.replace("_", "."): v for k, v in more.items()}}

    def test_entries_leave_once_and_the_oldest_first(self) -> None:
        numbers = [1, 2]
        server = self.serve(lambda _: (200, {}, rss(*numbers)))
        source = testing.source(FeedSource, self.settings(server.base, poll_interval_ms="10"), encoding="json")
        first = servers.drained(source)[:2]
        self.assertEqual([record.key for record in first], [b'"g1"', b'"g2"'])
        value = json.loads(first[0].value or b"")
        self.assertEqual((value["title"], value["feed"]["title"], value["feed"]["url"]), ("żółw 1", "News", server.base))
        self.assertEqual(first[0].timestamp, 1_767_225_601_000)
        numbers.append(3)
        self.wait_for(source, lambda polled: [r.key for r in polled.records] == [b'"g3"'])

    def wait_for(self, source: testing.SourceTask, reached: Any) -> testing.PollResult:
        """Polls until it is so: the interval is 10 ms."""
        for _ in range(100_000):
            polled = source.poll()
            if reached(polled):
                return polled
        raise AssertionError("it never came")

    def test_atom_is_read_as_rss_is_and_html_comes_clean(self) -> None:
        server = self.serve(lambda _: (200, {"Content-Type": "application/atom+xml"}, ATOM))
        value = json.loads(servers.drained(testing.source(FeedSource, self.settings(server.base)))[0].value or b"")
        self.assertEqual((value["id"], value["author"], value["tags"], value["link"]), ("urn:1", "Ann", ["a"], server.base + "/one"))
        self.assertEqual(value["content"], "<b>hi</b>")

    def test_a_feed_that_did_not_change_is_not_read_again(self) -> None:
        def judge(request: Any) -> servers.Answer:
            same = request.headers["if-none-match"] == '"v1"' and request.headers["if-modified-since"] == "then"
            return (304, {}, b"") if same else (200, {"ETag": '"v1"', "Last-Modified": "then"}, rss(1))

        server = self.serve(judge)
        source = testing.source(FeedSource, self.settings(server.base))
        partition, offset = servers.last_position(source)
        self.assertEqual(json.loads(partition), {"url": server.base})
        again = testing.source(FeedSource, self.settings(server.base), [(partition, offset)])
        self.assertEqual(servers.drained(again), [])
        self.assertEqual(server.asked[-1].headers["if-none-match"], '"v1"')
        self.assertEqual(self.host.metrics["feed_unchanged"], 1)

    def test_a_position_in_the_middle_asks_again_and_goes_on_behind_it(self) -> None:
        server = self.serve(lambda _: (200, {"ETag": '"v1"'}, rss(1, 2, 3)))
        part = testing.source(FeedSource, self.settings(server.base)).poll(records_max=2)
        self.assertEqual([record.key for record in part.records], [b'"g1"', b'"g2"'])
        partition, offset, _ = part.positions[-1]
        self.assertIsNone(json.loads(offset)["etag"], "the feed is not read to its end")
        again = testing.source(FeedSource, self.settings(server.base), [(partition, offset)])
        self.assertEqual([record.key for record in servers.drained(again)], [b'"g3"'])
        self.assertIsNone(server.asked[-1].headers["if-none-match"])

    def test_other_character_sets_are_read(self) -> None:
        server = self.serve(lambda _: (200, {"Content-Type": "application/rss+xml"}, rss(1, encoding="iso-8859-2")))
        value = json.loads(servers.drained(testing.source(FeedSource, self.settings(server.base)))[0].value or b"")
        self.assertEqual(value["title"], "żółw 1")

    def test_broken_xml_is_named_with_its_place(self) -> None:
        server = self.serve(lambda _: (200, {}, rss(1)[:-20]))
        with self.assertRaisesRegex(Fatal, r"feed\.xml: http://127.* is not well-formed XML, line 1, column \d+"):
            testing.source(FeedSource, self.settings(server.base)).poll()
        lenient = testing.source(FeedSource, self.settings(server.base, feed_malformed="lenient"))
        self.assertEqual([record.key for record in servers.drained(lenient)], [b'"g1"'])
        skipping = testing.source(FeedSource, self.settings(server.base, feed_malformed="skip"))
        self.assertEqual(servers.drained(skipping), [])
        self.assertTrue(any("skipped until" in text for text in self.host.texts()))

    def test_what_is_no_feed_is_named_with_its_beginning(self) -> None:
        server = self.serve(lambda _: (200, {"Content-Type": "text/html"}, "<html><body>Sign in</body></html>"))
        with self.assertRaisesRegex(Fatal, r"feed\.(type|xml): .*"):
            testing.source(FeedSource, self.settings(server.base)).poll()

    def test_a_busy_server_is_asked_again_when_it_says(self) -> None:
        answers: list[servers.Answer] = [(429, {"Retry-After": "7"}, "slow"), (503, {}, ""), (200, {}, rss(1))]
        server = self.serve(lambda _: answers.pop(0))
        source = testing.source(FeedSource, self.settings(server.base))
        with self.assertRaises(Retriable) as raised:
            source.poll()
        self.assertEqual((raised.exception.code, round(raised.exception.after), raised.exception.detail), ("http.busy", 7, "slow"))
        capped = testing.source(FeedSource, self.settings(server.base) | {"http.retry.after.max.ms": "50"})
        with self.assertRaises(Retriable):
            capped.poll()

    def test_a_feed_that_is_gone_fails_or_is_skipped(self) -> None:
        server = self.serve(lambda request: (404, {}, "") if request.path == "/gone" else (200, {}, rss(1)))
        gone = server.base + "/gone"
        with self.assertRaisesRegex(Fatal, "http.not.found"):
            testing.source(FeedSource, self.settings(gone)).poll()
        settings = self.settings(gone, server.base) | {"http.not.found": "skip"}
        self.assertEqual(len(servers.drained(testing.source(FeedSource, settings))), 1)
        self.assertEqual(self.host.metrics["feed_skipped"], 1)

    def test_a_feed_that_fails_holds_no_other_up(self) -> None:
        server = self.serve(lambda request: (503, {}, "") if request.path == "/bad" else (200, {}, rss(1)))
        source = testing.source(FeedSource, self.settings(server.base + "/bad", server.base + "/good"))
        self.assertEqual([record.key for record in servers.drained(source)], [b'"g1"'])
        self.assertTrue(any("the other URLs go on" in text for text in self.host.texts()))

    def test_redirects_are_followed_and_the_token_stays_at_home(self) -> None:
        other = self.serve(lambda _: (200, {}, rss(1)))
        server = self.serve(lambda request: (301, {"Location": "/b"}, "") if request.path == "/a" else (302, {"Location": other.base}, ""))
        settings = self.settings(server.base + "/a") | {"http.auth.token": "hidden", "http.headers": "X-Key: k"}
        self.assertEqual(len(servers.drained(testing.source(FeedSource, settings))), 1)
        self.assertEqual([one.headers["authorization"] for one in server.asked], ["Bearer hidden"] * 2)
        self.assertEqual((other.asked[0].headers["authorization"], other.asked[0].headers["x-key"]), (None, None))

    def test_urls_are_dealt_out_to_tasks(self) -> None:
        connector = Connector("c", {"feed.urls": "http://a/, http://b/,http://c/", "topic": "t"})
        dealt = [task["feed.urls"] for task in FeedSource.tasks(connector, 2)]
        self.assertEqual(dealt, ["http://a/,http://c/", "http://b/"])
        self.assertEqual(len(list(FeedSource.tasks(connector, 8))), 3)

    def test_every_wrong_setting_is_named(self) -> None:
        wrong = {"feed.urls": "ftp://x", "topic": "", "http.headers": "nothing", "feed.malformed": "maybe"}
        with self.assertRaises(ConfigError) as raised:
            testing.source(FeedSource, wrong)
        self.assertEqual([name for name, _ in raised.exception.problems], ["topic", "http.headers", "feed.urls", "feed.malformed"])


class Small(unittest.TestCase):
    def test_ids_are_remembered_and_the_oldest_forgotten(self) -> None:
        seen = Seen("", 2)
        self.assertEqual([seen.is_new(name) for name in "abab"], [True, True, False, False])
        self.assertTrue(seen.is_new("c"))
        again = Seen(seen.text(), 2)
        self.assertEqual([again.is_new(name) for name in "cba"], [False, False, True])

    def test_retry_after_is_a_number_or_a_date(self) -> None:
        self.assertEqual([retry_after(text) for text in ("12", " 3 ", "", "soon", "-1")], [12.0, 3.0, 0.0, 0.0, 0.0])
        self.assertEqual(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), 0.0)
        self.assertGreater(retry_after("Fri, 31 Dec 2999 23:59:59 GMT"), 1e9)


if __name__ == "__main__":
    unittest.main()
