"""REST APIs that answer JSON: where the items are, what a page is, and what says that there is more, by JMESPath.

Enters: answers. Leaves: one JSON record for each item. Invariant: the position after an item leads back to its page and behind it; the
bound for the next run (`rest.since`) moves only once a run has come to its end.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import jmespath
import jmespath.exceptions

from lockgate import Advice, Config, Connector, Fatal, Http, Message, Poll, Position, Positions, Source, key, metrics
from lockgate.http import Response

from .pages import Bound, Place, Run, larger, links, moment
from .reading import Reading, Turns
from .seen import Seen
from .settings import Polling, bad_url, split
from .web import get, same_origin, shown

log = logging.getLogger(__name__)
ITEMS = metrics.counter("feed_items")


def bad_path(text: str | None) -> str | None:
    """What is wrong with a JMESPath expression."""
    try:
        if text:
            jmespath.compile(text)
    except jmespath.exceptions.JMESPathError as error:
        return f"it is not JMESPath: {' '.join(str(error).split())}"
    return None


def path(default: str | None, name: str, doc: str) -> Any:
    """A key that holds a JMESPath expression."""
    return key(default, name=name, doc=f"{doc} (JMESPath).", check=bad_path)


class Settings(Polling):
    """Keys of the REST source."""

    urls: list[str] = key(name="rest.urls", check=bad_url, doc="What is asked, separated by commas; several tasks share them.")
    items: str = path("@", "rest.items", "Where the items are in an answer; one object counts as one item")
    id: str | None = path(None, "rest.id", "What makes an item the same: it becomes the key, and an id that was met is not written again")
    timestamp: str | None = path(None, "rest.timestamp", "The record's timestamp in an item: ISO 8601, or a number of seconds or milliseconds")
    pagination: Literal["none", "link", "cursor", "page"] = key(
        "none",
        name="rest.pagination",
        doc="How the next page is found: `link`: the header Link with rel=next; `cursor`: a text of the answer; `page`: numbers.",
    )
    cursor: str | None = path(None, "rest.cursor", "The next cursor in an answer; null or empty: there is none")
    cursor_param: str = key("cursor", name="rest.cursor.param", doc="The parameter that takes the cursor.")
    cursor_keep: bool = key(
        True,
        name="rest.cursor.keep",
        doc="Where there is no next cursor: go on with the last one at the next run (an API of events), or begin anew (a list).",
    )
    page_param: str = key("page", name="rest.page.param", doc="The parameter that takes the number of the page.")
    page_first: int = key(1, name="rest.page.first", doc="The first page's number.", between=(0, 1_000_000))
    since: str | None = path(None, "rest.since", "A value of each item that grows; the largest is the bound of the next run")
    since_param: str = key("since", name="rest.since.param", doc="The parameter that takes the bound.")
    since_start: str | None = key(None, name="rest.since.start", doc="The bound of the very first run; without: none is sent.")


@dataclass(frozen=True)
class Api:
    """The source partition."""

    url: str


class RestSource(
    Source[Settings], name="lockgate.RestSource", aliases=["RestSource", "rest"], encodings=["json"], asks=[Http("{rest.urls}")]
):
    """Polls REST APIs that answer JSON; each new item is a record."""

    @classmethod
    def tasks(cls, connector: Connector, most: int) -> Iterable[Mapping[str, str]]:
        return split(connector, "rest.urls", most)

    @classmethod
    def validate(cls, settings: Mapping[str, str]) -> Iterable[Advice]:
        if settings.get("rest.pagination") == "cursor" and not settings.get("rest.cursor"):
            return [Advice("rest.cursor", ["rest.pagination=cursor needs it: where the next cursor is in an answer"])]
        return []

    def open(self, positions: Positions) -> None:
        stored = {url: positions.get(Api(url), Run) or Run() for url in self.config.urls}
        self._turns = Turns([ApiReader(url, self.config, run) for url, run in stored.items()], self.config)
        log.info("polling %d APIs, %d of them known", len(stored), sum(run != Run() for run in stored.values()))

    def poll(self) -> Poll:
        return self._turns.poll()


class ApiReader:
    """One URL."""

    def __init__(self, url: str, config: Settings, run: Run) -> None:
        self.url = url
        self._config = config
        self._run = run
        self._paths = {name: jmespath.compile(text) for name in ("items", "id", "timestamp", "cursor", "since") if (text := getattr(config, name))}

    def read(self) -> Reading:
        """Asks for a page; yields its new items."""
        run, config = self._run, self._config
        conditions = {"accept": "application/json"}
        if config.pagination == "none" and run.etag:
            conditions["if-none-match"] = run.etag
        answer = get(self._request(run), config, conditions)
        if answer.status == 304:
            return False
        whole = self._json(answer)
        items = self._items(whole)
        seen = Seen(run.seen, config.window and max(config.window, len(items)))
        for number, item in enumerate(items):
            if number < run.done:
                continue
            name = self._of("id", item)
            run = replace(run, done=number + 1, bound=larger(run.bound, self._bound(item)))
            if name is not None and not seen.is_new(str(name)):
                continue
            ITEMS.add()
            run = replace(run, seen=seen.text() if name is not None else run.seen)
            self._run = run
            yield self._message(item, name, run)
        following = self._following(answer, whole, bool(items), run)
        run = replace(run, seen=seen.text()) if "id" in self._paths else run
        run = run.ended(answer.headers.get("etag"), self._resting(run)) if following is None else replace(run, at=following, done=0)
        if run != self._run:
            self._run = run
            yield Position(Api(self.url), run)
        return following is not None

    def _request(self, run: Run) -> str:
        """The URL of the page where the run is."""
        config, at = self._config, run.at
        if config.pagination == "link" and at is not None:
            return str(at)
        more: dict[str, str] = {}
        since = run.since if run.since is not None else config.since_start
        if "since" in self._paths and since is not None:
            more[config.since_param] = str(since)
        if config.pagination == "cursor" and at is not None:
            more[config.cursor_param] = str(at)
        if config.pagination == "page":
            more[config.page_param] = str(config.page_first if at is None else at)
        return with_query(self.url, more) if more else self.url

    def _following(self, answer: Response, whole: Any, some: bool, run: Run) -> Place:
        """Where the next page is, if there is one."""
        if self._config.pagination == "link":
            found = links(answer.headers.all("link")).get("next")
            target = None if found is None else urljoin(self._request(run), found)
            if target is not None and not same_origin(target, self.url):
                raise Fatal("rest.link", f"{shown(self.url)} leads to a next page on another host: {shown(target)}")
            return target
        if self._config.pagination == "cursor":
            cursor = self._of("cursor", whole)
            return None if cursor in (None, "", False) or cursor == run.at else text_or_number(cursor, "rest.cursor")
        if self._config.pagination == "page" and some:
            return int(self._config.page_first if run.at is None else run.at) + 1
        return None

    def _resting(self, run: Run) -> Place:
        """Where the next run begins."""
        return run.at if self._config.pagination == "cursor" and self._config.cursor_keep else None

    def _json(self, answer: Response) -> Any:
        try:
            return answer.json()
        except ValueError as error:
            begins = repr(answer.text[:60])
            raise Fatal("rest.json", f"{shown(self.url)} does not answer JSON: {error}; it begins {begins}") from None

    def _items(self, whole: Any) -> list[Any]:
        found = self._of("items", whole)
        if isinstance(found, dict):
            return [found]
        if isinstance(found, list):
            return found
        what = "nothing" if found is None else type(found).__name__
        raise Fatal("rest.items", f"rest.items = {self._config.items} finds {what} in what {shown(self.url)} answers, not a list")

    def _of(self, name: str, item: Any) -> Any:
        expression = self._paths.get(name)
        if expression is None:
            return None
        try:
            return expression.search(item)
        except jmespath.exceptions.JMESPathError as error:
            raise Fatal(f"rest.{name}", f"rest.{name} cannot be applied: {' '.join(str(error).split())}") from None

    def _bound(self, item: Any) -> Bound:
        value = self._of("since", item)
        return None if value is None else text_or_number(value, "rest.since")

    def _message(self, item: Any, name: Any, run: Run) -> Message:
        return Message(
            self._config.topic,
            compact(item),
            key=None if name is None else compact(name),
            headers={"url": json.dumps(shown(self.url))},
            timestamp=moment(self._of("timestamp", item)),
            position=Position(Api(self.url), run),
        )


def compact(value: Any) -> str:
    """JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_or_number(value: Any, name: str) -> str | int | float:
    """What a position can hold."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return value
    raise Fatal(name, f"{name} finds {compact(value)[:80]}: a text or a number is needed")


def with_query(url: str, more: Mapping[str, str]) -> str:
    """A URL with these parameters, in place of its own of the same names."""
    parts = urlsplit(url)
    own = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in more]
    return urlunsplit(parts._replace(query=urlencode([*own, *more.items()])))
