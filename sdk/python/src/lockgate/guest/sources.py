"""The export `source`: a generator read into flat batches.

Enters: bounds of a poll, what `poll` of the plugin yields. Leaves: a batch with its positions. Invariant: what was yielded leaves
exactly once and in order; a fault waits until what was yielded before it has left.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from .. import _wit as _wit
from .. import logs
from .._wire import HEADER, NULL, ROW
from ..faults import Fatal, Fault
from ..plugin import Connector
from ..schemas import Schemas
from ..source import DONE, FLUSH, NOW, After, Message, Next, Payload, Position, Positions, Source, as_json
from .edge import Descriptions, answering, pairs, task_of
from wit_world.exports import source as wit
from wit_world.imports import batches
from wit_world.imports import tasks as wit_tasks

WAIT_MS_MAX: Final = 60_000
IDLE: Final = After(1.0)
POLL_SECONDS_MAX: Final = 1.0


class Filling:
    """The batch of one poll in the making."""

    def __init__(self, schemas: Schemas, limits: wit.Limits) -> None:
        self._schemas = schemas
        self._records_max = limits.records_max
        self._bytes_max = limits.bytes_max
        self._topics: dict[str, int] = {}
        self._headers = bytearray()
        self._rows = bytearray()
        self._data = bytearray()
        self.count = 0
        self.positions: list[wit.Position] = []

    def full(self) -> bool:
        """True once a bound is reached."""
        return self.count >= self._records_max or len(self._data) >= self._bytes_max

    def add(self, message: Message) -> bool:
        """Writes a message; false, and nothing is written, if it does not fit any more."""
        data = self._data
        before, headers_before = len(data), len(self._headers) // HEADER.size
        key_at, key_size = self._append(message.key)
        value_at, value_size = self._append(message.value)
        headers = message.headers
        if headers:
            for name, value in headers.items() if hasattr(headers, "items") else headers:
                name_at, name_size = self._append(name)
                if name_size > 0xFFFF:
                    raise ValueError("a header's name has at most 65,535 bytes")
                self._headers += HEADER.pack(name_at, name_size, 0, *self._append(value))
        if self.count and len(data) > self._bytes_max:
            del data[before:], self._headers[headers_before * HEADER.size :]
            return False
        announce = self._schemas.announce
        self._rows += ROW.pack(
            -1,
            -1 if message.timestamp is None else message.timestamp,
            NULL if message.partition is None else message.partition,
            self._topics.setdefault(message.topic, len(self._topics)),
            key_at,
            key_size,
            value_at,
            value_size,
            headers_before,
            len(self._headers) // HEADER.size - headers_before,
            self.count,
            0,
            announce(message.key_schema) if message.key_schema else 0,
            announce(message.value_schema) if message.value_schema else 0,
        )
        self.count += 1
        if message.position is not None:
            self.position(message.position)
        return True

    def position(self, position: Position) -> None:
        """A position that holds after what was written so far. Of neighbours of one partition the last stands for all."""
        after = self.count - 1 if self.count else NULL
        made = wit.Position(as_json(position.partition), as_json(position.offset), after)
        if self.positions and self.positions[-1].partition == made.partition:
            self.positions.pop()
        self.positions.append(made)

    def _append(self, payload: Payload) -> tuple[int, int]:
        if payload is None:
            return 0, NULL
        payload = payload.encode() if isinstance(payload, str) else payload
        at = len(self._data)
        self._data += payload
        return at, len(self._data) - at

    def done(self, following: Next) -> wit.Polled:
        """The answer."""
        new = self._schemas.take_new()
        batch = batches.Batch(list(self._topics), new, bytes(self._rows), bytes(self._headers), bytes(self._data))
        return wit.Polled(batch, self.positions, _next(following, self.count))


def _next(following: Next, count: int) -> Any:
    if following is None:
        following = NOW if count else IDLE
    if isinstance(following, After):
        return wit.Next_After(min(max(round(following.seconds * 1000), 0), WAIT_MS_MAX))
    return wit.Next_Done() if following is DONE else wit.Next_Now()


class SourceExports:
    """The source of this instance."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions
        self._source: Source[Any] | None = None
        self._schemas = Schemas()
        self._reading: Iterator[Any] | None = None
        self._held: Message | None = None
        self._fault: Fault | None = None

    def _opened(self) -> Source[Any]:
        if self._source is None:
            raise Fatal("guest.closed", "the source is not open")
        return self._source

    @answering
    def tasks(self, connector: wit_tasks.ConnectorContext, max: int) -> list[list[tuple[str, str]]]:
        """The settings of each task."""
        cls = cast("type[Source[Any]]", self._descriptions.find("source", connector.class_))
        return [pairs(task) for task in cls.tasks(Connector(connector.connector, dict(connector.config)), max)]

    @answering
    def open(self, task: wit_tasks.TaskContext, positions: list[wit.Position]) -> None:
        """Makes the source."""
        logs.follow_host()
        source = cast("Source[Any]", task_of(self._descriptions.find("source", task.class_), task))
        source.open(Positions((position.partition, position.offset) for position in positions))
        self._source = source
        self._reading = self._held = self._fault = None

    @answering
    def poll(self, limits: wit.Limits) -> wit.Polled:
        """Reads on until the batch is full."""
        source = self._opened()
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        out = Filling(self._schemas, limits)
        try:
            return out.done(self._fill(source, out))
        except Fault as fault:
            self._reading = None
            if not out.count and not out.positions:
                raise
            self._fault = fault
            return out.done(NOW)

    def _fill(self, source: Source[Any], out: Filling) -> Next:
        if self._held is not None:
            out.add(self._held)
            self._held = None
        resumed = self._reading is not None
        if self._reading is None:
            begun = source.poll()
            if not isinstance(begun, Iterable):
                return begun
            self._reading = iter(begun)
        reading, deadline = self._reading, 0.0
        while not out.full():
            try:
                item = next(reading)
            except StopIteration as end:
                self._reading = None
                if resumed and not out.count and (end.value is None or end.value is NOW):
                    return self._fill(source, out)  # All it had left with the batch before.
                return cast(Next, end.value)
            if isinstance(item, Message):
                if not out.add(item):
                    self._held = item
                    return NOW
            elif isinstance(item, Position):
                out.position(item)
            elif item is FLUSH:
                return NOW if out.count else IDLE
            else:
                raise TypeError(f"poll yielded {type(item).__name__}: it yields Message, Position or FLUSH")
            # The clock is a call to the host: not for every message.
            if out.count & 15 == 1:
                now = time.monotonic()
                deadline = deadline or now + POLL_SECONDS_MAX
                if now > deadline:
                    return NOW
        return NOW

    @answering
    def committed(self, positions: list[wit.Position]) -> None:
        """Tells the source."""
        self._opened().committed(Positions((position.partition, position.offset) for position in positions))

    @answering
    def close(self) -> None:
        """Ends the source."""
        source, self._source, self._reading = self._source, None, None
        if source is not None:
            source.close()
