"""A source that asks a web API for items after the last one it has, and writes each as a record: change it into yours."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta

from lockgate import After, Config, Http, Message, Package, Poll, Position, Positions, Source, http, key, metrics

log = logging.getLogger(__name__)
ITEMS = metrics.counter("my_items")


class Settings(Config):
    """What users write in the connector's configuration."""

    url: str = key(doc="Where the items are; `?after=<id>` is added, the answer is a JSON array of objects with an `id`.")
    topic: str = key(doc="The topic to write to.", non_empty=True)
    poll_interval: timedelta = key(timedelta(seconds=5), name="poll.interval.ms", doc="Milliseconds between two requests.")


@dataclass(frozen=True)
class Api:
    """The source partition: one API is one."""

    url: str


@dataclass(frozen=True)
class Cursor:
    """The source offset: the last item that was read."""

    id: int


class MySource(Source[Settings], name="com.example.MySource", encodings=["json"], asks=[Http("{url}")]):
    """Reads the items of a web API."""

    def open(self, positions: Positions) -> None:
        stored = positions.get(Api(self.config.url), Cursor)
        self.last = stored.id if stored else 0
        log.info("reading %s after item %d", self.config.url, self.last)

    def poll(self) -> Poll:
        answer = http.get(f"{self.config.url}?after={self.last}", timeout=10).raise_for_status()
        items = answer.json()
        for item in items:
            self.last = item["id"]
            value = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
            position = Position(Api(self.config.url), Cursor(self.last))
            yield Message(self.config.topic, value, key=str(self.last), position=position)
        ITEMS.add(len(items))
        return None if items else After(self.config.poll_interval.total_seconds())


package = Package("my-source", "0.1.0", MySource)
