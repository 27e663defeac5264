"""Several URLs in one task, each in its own time.

Enters: readers. Leaves: their messages, and when to poll again. Invariant: a poll asks one URL once, so it is short; a URL that fails for now
waits for its own time and holds no other up, and the task says so once all of them fail.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from typing import Protocol

from lockgate import NOW, After, Message, Next, Poll, Position, Retriable, metrics

from .settings import Polling
from .web import NotFound

log = logging.getLogger(__name__)
FAILURES = metrics.counter("feed_failures")
SKIPPED = metrics.counter("feed_skipped")
BACK_OFF_SECONDS = 1.0
BACK_OFF_SECONDS_MAX = 60.0
Reading = Generator[Message | Position, None, bool]


class Reader(Protocol):
    """What reads one URL."""

    url: str

    def read(self) -> Reading:
        """Asks once and yields what is new; true if there is more at once."""


class Turns:
    """The readers of a task, in turn."""

    def __init__(self, readers: list[Reader], config: Polling) -> None:
        self._config = config
        self._due = {reader.url: 0.0 for reader in readers}
        self._readers = readers
        self._failing: dict[str, int] = {}

    def poll(self) -> Poll:
        """The URL that has waited longest, if any is due."""
        reader = min(self._readers, key=lambda one: self._due[one.url])
        if (wait := self._wait()) > 0:
            return After(wait)
        interval = self._config.poll_interval.total_seconds()
        try:
            more = yield from reader.read()
        except NotFound as fault:
            if self._config.not_found == "fail":
                raise
            SKIPPED.add()
            log.warning("%s", fault)
            more = False
        except Retriable as fault:
            self._put_off(reader, fault)
            return self._next()
        self._failing.pop(reader.url, None)
        self._due[reader.url] = time.monotonic() + (0.0 if more else interval)
        return self._next()

    def _put_off(self, reader: Reader, fault: Retriable) -> None:
        FAILURES.add()
        times = self._failing[reader.url] = self._failing.get(reader.url, 0) + 1
        wait = fault.after or min(BACK_OFF_SECONDS * 2 ** min(times - 1, 10), BACK_OFF_SECONDS_MAX)
        self._due[reader.url] = time.monotonic() + wait
        if len(self._failing) == len(self._readers):
            raise Retriable(fault.code, fault.message, after=max(self._wait(), 0.001), detail=fault.detail) from fault
        log.warning("%s; the other URLs go on, this one is asked again in %.0f s", fault, wait)

    def _wait(self) -> float:
        return min(self._due.values()) - time.monotonic()

    def _next(self) -> Next:
        wait = self._wait()
        return After(wait) if wait > 0 else NOW
