"""The REST source against a web server on this machine."""

from __future__ import annotations

import json
import unittest
from typing import Any
from urllib.parse import parse_qs, urlsplit

import server as servers
from lockgate import ConfigError, Fatal, testing
from lockgate_feed.pages import larger, links, moment
from lockgate_feed.rest import RestSource, with_query

ALL = [{"id": n, "at": f"2026-01-01T00:00:0{n}Z", "name": f"żółw {n}"} for n in range(1, 6)]


def query(request: Any, name: str, default: str) -> str:
    return parse_qs(urlsplit(request.path).query).get(name, [default])[0]


class Rest(servers.Case):
    def settings(self, url: str, **more: str) -> dict[str, str]:
        usual = {"rest.urls": url, "topic": "items", "poll.interval.ms": "60000", "rest.id": "id", "rest.items": "items"}
        return usual | {f"rest.{name.replace('_', '.')}": value for name, value in more.items()}

    def keys(self, source: testing.SourceTask) -> list[bytes | None]:
        return [record.key for record in servers.drained(source)]

    def test_items_are_records_with_key_time_and_value(self) -> None:
        server = self.serve(lambda _: (200, {}, json.dumps({"items": ALL[:2]})))
        first, second = servers.drained(testing.source(RestSource, self.settings(server.base, timestamp="at")))
        self.assertEqual((first.key, first.timestamp), (b"1", 1_767_225_601_000))
        self.assertEqual(json.loads(second.value or b""), ALL[1])

    def test_pages_by_number_end_with_an_empty_one(self) -> None:
        def judge(request: Any) -> servers.Answer:
            page = int(query(request, "page", "1"))
            return 200, {}, json.dumps({"items": ALL[page * 2 - 2 : page * 2]})

        server = self.serve(judge)
        self.assertEqual(self.keys(testing.source(RestSource, self.settings(server.base + "/?a=b", pagination="page"))), [b"1", b"2", b"3", b"4", b"5"])
        self.assertEqual(server.paths(), [f"/?a=b&page={n}" for n in (1, 2, 3, 4)])

    def test_pages_by_the_header_link(self) -> None:
        def judge(request: Any) -> servers.Answer:
            at = int(query(request, "from", "0"))
            header = {"Link": f'</other>; rel="prev", <?from={at + 2}>; rel="next last"'} if at + 2 < 5 else {}
            return 200, header, json.dumps({"items": ALL[at : at + 2]})

        server = self.serve(judge)
        self.assertEqual(self.keys(testing.source(RestSource, self.settings(server.base, pagination="link"))), [b"1", b"2", b"3", b"4", b"5"])

    def test_a_next_page_on_another_host_is_not_followed(self) -> None:
        server = self.serve(lambda _: (200, {"Link": '<http://example.com/2?token=x>; rel="next"'}, '{"items": []}'))
        with self.assertRaisesRegex(Fatal, r"rest\.link: .* on another host: http://example\.com/2$"):
            testing.source(RestSource, self.settings(server.base, pagination="link")).poll()

    def cursors(self, items: list[Any]) -> servers.Server:
        """Two a page; the cursor is the number of the next item, none behind the last."""

        def judge(request: Any) -> servers.Answer:
            at = int(query(request, "c", "0"))
            more = {"next": str(at + 2)} if at + 2 <= len(items) else {}
            return 200, {}, json.dumps({"items": items[at : at + 2], "meta": more})

        return self.serve(judge)

    def test_a_cursor_is_kept_and_asked_on_from(self) -> None:
        items = ALL[:3]
        server = self.cursors(items)
        settings = self.settings(server.base, pagination="cursor", cursor="meta.next", cursor_param="c")
        source = testing.source(RestSource, settings)
        partition, offset = servers.last_position(source)
        self.assertEqual((json.loads(offset)["at"], json.loads(offset)["done"]), ("2", 1))
        items += ALL[3:]
        again = testing.source(RestSource, settings, [(partition, offset)])
        self.assertEqual(self.keys(again), [b"4", b"5"])
        self.assertNotIn("/", server.paths()[-2:], "the first page was not asked again")

    def test_a_position_in_the_middle_of_a_page_goes_on_behind_it(self) -> None:
        server = self.cursors(ALL)
        settings = self.settings(server.base, pagination="cursor", cursor="meta.next", cursor_param="c", id="''")
        settings.pop("rest.id")
        source = testing.source(RestSource, settings)
        source.poll()
        part = source.poll(records_max=1)
        partition, offset, _ = part.positions[-1]
        self.assertEqual((json.loads(offset)["at"], json.loads(offset)["done"]), ("2", 1))
        rest = servers.drained(testing.source(RestSource, settings, [(partition, offset)]))
        self.assertEqual([json.loads(record.value or b"")["id"] for record in rest], [4, 5])

    def test_the_largest_value_is_the_bound_of_the_next_run(self) -> None:
        server = self.serve(lambda request: (200, {}, json.dumps({"items": [i for i in reversed(ALL) if i["at"] > query(request, "since", "")]})))
        settings = self.settings(server.base, since="at", since_start="2026-01-01T00:00:02Z")
        source = testing.source(RestSource, settings)
        partition, offset = servers.last_position(source)
        self.assertEqual(json.loads(offset)["since"], "2026-01-01T00:00:05Z")
        self.assertEqual(self.keys(testing.source(RestSource, settings, [(partition, offset)])), [])
        self.assertEqual([query(request, "since", "") for request in server.asked], ["2026-01-01T00:00:02Z", "2026-01-01T00:00:05Z"])

    def test_what_the_paths_do_not_find_is_named(self) -> None:
        server = self.serve(lambda request: (200, {}, "<html>" if request.path == "/html" else '{"items": 7}'))
        with self.assertRaisesRegex(Fatal, r"rest\.items: rest\.items = items finds int .* not a list"):
            testing.source(RestSource, self.settings(server.base)).poll()
        with self.assertRaisesRegex(Fatal, r"rest\.json: .* does not answer JSON.*begins '<html>'"):
            testing.source(RestSource, self.settings(server.base + "/html")).poll()

    def test_wrong_expressions_are_named_before_anything_runs(self) -> None:
        with self.assertRaises(ConfigError) as raised:
            testing.source(RestSource, self.settings("http://x/", id="a[", pagination="pages"))
        self.assertEqual([name for name, _ in raised.exception.problems], ["rest.id", "rest.pagination"])
        self.assertEqual([advice.key for advice in RestSource.validate({"rest.pagination": "cursor"})], ["rest.cursor"])


class Small(unittest.TestCase):
    def test_links_are_read_by_their_relation(self) -> None:
        header = '<https://x/a,b?c;d>; rel="next"; title="a, b", <https://x/2>; rel=last, <https://x/3>; title="n"'
        self.assertEqual(links([header, "nonsense"]), {"next": "https://x/a,b?c;d", "last": "https://x/2"})

    def test_times_are_texts_seconds_or_milliseconds(self) -> None:
        self.assertEqual([moment(value) for value in (1, 1.5, 1_700_000_000_000, "1970-01-01T00:00:01Z", "1970-01-01T00:00:01")], [1000, 1500, 1_700_000_000_000, 1000, 1000])
        self.assertEqual([moment(value) for value in (None, True, "soon", [])], [None] * 4)

    def test_bounds_compare_as_numbers_or_as_texts(self) -> None:
        self.assertEqual([larger(9, 10), larger("a", "b"), larger(None, 1), larger("2", None)], [10, "b", 1, "2"])

    def test_parameters_replace_those_of_the_same_name(self) -> None:
        self.assertEqual(with_query("http://x/p?page=7&q=%C5%BC", {"page": "1"}), "http://x/p?q=%C5%BC&page=1")


if __name__ == "__main__":
    unittest.main()
