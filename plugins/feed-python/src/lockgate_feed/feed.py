"""RSS and Atom feeds, through `feedparser`.

Enters: feeds. Leaves: one JSON record for each entry that is new, the oldest first. Invariant: an entry leaves once: its id is remembered in
the position; the feed's own validators (ETag, Last-Modified) are kept only once its last entry is delivered.
"""

from __future__ import annotations

import calendar
import io
import json
import logging
import xml.sax
import xml.sax.expatreader  # found by name, at run time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import feedparser

from lockgate import Connector, Fatal, Http, Message, Poll, Position, Positions, Source, key, metrics

from . import codecs
from .reading import Reading, Turns
from .seen import Seen
from .settings import Polling, bad_url, split
from .web import get, shown

log = logging.getLogger(__name__)
ENTRIES = metrics.counter("feed_entries")
UNCHANGED = metrics.counter("feed_unchanged")
codecs.load()
assert xml.sax.expatreader


class Settings(Polling):
    """Keys of the feed source."""

    urls: list[str] = key(name="feed.urls", check=bad_url, doc="The feeds, separated by commas; with several tasks they are dealt out.")
    malformed: Literal["fail", "skip", "lenient"] = key(
        "fail",
        name="feed.malformed",
        doc="A feed that is not well-formed XML: fail the task, skip it until the next interval with a warning, or take what can be read.",
    )


@dataclass(frozen=True)
class Feed:
    """The source partition."""

    url: str


@dataclass(frozen=True)
class Read:
    """The source offset."""

    seen: str = ""
    """Ids that were delivered."""
    etag: str | None = None
    modified: str | None = None
    """Validators of the feed as it was last read to its end."""


class FeedSource(
    Source[Settings], name="lockgate.FeedSource", aliases=["FeedSource", "feed"], encodings=["json"], asks=[Http("{feed.urls}")]
):
    """Polls RSS and Atom feeds; each new entry is a record."""

    @classmethod
    def tasks(cls, connector: Connector, most: int) -> Iterable[Mapping[str, str]]:
        return split(connector, "feed.urls", most)

    def open(self, positions: Positions) -> None:
        stored = {url: positions.get(Feed(url), Read) or Read() for url in self.config.urls}
        self._turns = Turns([FeedReader(url, self.config, read) for url, read in stored.items()], self.config)
        log.info("polling %d feeds, %d of them known", len(stored), sum(read != Read() for read in stored.values()))

    def poll(self) -> Poll:
        return self._turns.poll()


class FeedReader:
    """One feed."""

    def __init__(self, url: str, config: Settings, read: Read) -> None:
        self.url = url
        self._config = config
        self._read = read

    def read(self) -> Reading:
        """Asks for the feed; yields its new entries, the oldest first."""
        conditions = {"if-none-match": self._read.etag, "if-modified-since": self._read.modified}
        accept = "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/xml;q=0.8, */*;q=0.1"
        headers = {name: value for name, value in conditions.items() if value} | {"accept": accept}
        answer = get(self.url, self._config, headers)
        if answer.status == 304:
            UNCHANGED.add()
            return False
        parsed = self._parsed(answer.body, {**answer.headers, "content-location": self.url})
        if parsed is None:
            return False
        # Never less than the feed has: what is forgotten would be new again.
        seen = Seen(self._read.seen, self._config.window and max(self._config.window, len(parsed.entries)))
        about = parsed.feed
        for entry in reversed(parsed.entries):
            name = identity(entry)
            if not seen.is_new(name):
                continue
            ENTRIES.add()
            self._read = replace(self._read, seen=seen.text())
            yield Message(
                self._config.topic,
                json.dumps(record(self.url, about, entry, name), ensure_ascii=False, separators=(",", ":")),
                key=json.dumps(name, ensure_ascii=False),
                timestamp=milliseconds(entry),
                position=Position(Feed(self.url), self._read),
            )
        whole = Read(seen.text(), answer.headers.get("etag"), answer.headers.get("last-modified"))
        if whole != self._read:
            self._read = whole
            yield Position(Feed(self.url), whole)
        return False

    def _parsed(self, body: bytes, headers: dict[str, str]) -> Any:
        """The feed, or none if it is to be skipped."""
        parsed = feedparser.parse(io.BytesIO(body), response_headers=headers)
        broken = parsed.get("bozo_exception")
        if isinstance(broken, xml.sax.SAXException):
            where = ""
            if isinstance(broken, xml.sax.SAXParseException):
                place = breach(body, broken)
                where = f", line {place.getLineNumber()}, column {place.getColumnNumber()}"
            fault = Fatal("feed.xml", f"{shown(self.url)} is not well-formed XML{where}: {broken.getMessage()}")
        elif not parsed.version:
            fault = Fatal("feed.type", f"{shown(self.url)} is neither RSS nor Atom: {excerpt(body)}")
        else:
            return parsed
        if self._config.malformed == "lenient" and parsed.version:
            log.warning("%s; %d entries could be read", fault, len(parsed.entries))
            return parsed
        if self._config.malformed == "fail":
            raise fault
        log.warning("%s; skipped until the next interval", fault)
        return None


def excerpt(body: bytes) -> str:
    """How a body begins, for people."""
    return repr(body[:60].decode("utf-8", "replace")) if body else "the answer is empty"


def breach(body: bytes, found: xml.sax.SAXParseException) -> xml.sax.SAXParseException:
    """Where the document itself breaks: the parser of feeds looks at one with a declaration of its own before it."""
    try:
        xml.sax.parseString(body, xml.sax.handler.ContentHandler())
    except xml.sax.SAXParseException as own:
        if own.getMessage() == found.getMessage():
            return own
    except (xml.sax.SAXException, ValueError, LookupError):
        pass
    return found


def identity(entry: Any) -> str:
    """What makes an entry the same: its id, else its link, else what it says."""
    own = entry.get("id") or entry.get("link")
    return str(own) if own else f"{entry.get('title', '')}\n{entry.get('published', '')}\n{entry.get('summary', '')}"


def own(entry: Any, name: str) -> Any:
    """What the entry itself says: `get` answers with the time of publication where there is none of an update."""
    return dict.get(entry, name)


def milliseconds(entry: Any) -> int | None:
    """When it was published, else updated."""
    moment = entry.get("published_parsed") or own(entry, "updated_parsed")
    return None if moment is None else calendar.timegm(moment) * 1000


def record(url: str, about: Any, entry: Any, name: str) -> dict[str, Any]:
    """What leaves: the same keys for every kind of feed, null where the feed says nothing."""
    content = entry.get("content") or [{}]
    return {
        "id": name,
        "title": entry.get("title"),
        "link": entry.get("link"),
        "published": entry.get("published"),
        "updated": own(entry, "updated"),
        "author": entry.get("author"),
        "summary": entry.get("summary"),
        "content": content[0].get("value"),
        "tags": [tag.get("term") for tag in entry.get("tags", ())],
        "enclosures": [{"href": e.get("href"), "type": e.get("type")} for e in entry.get("enclosures", ())],
        "feed": {"url": url, "title": about.get("title"), "link": about.get("link")},
    }
