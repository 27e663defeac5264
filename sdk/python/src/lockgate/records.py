"""Batches as the host sends them, read in place.

Enters: the flat lists of `wit/batches.wit`. Leaves: records as views that read a field when asked. Invariant: nothing is copied
or parsed but what the plugin touches; the host has checked every span.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import _wit as _wit
from ._wire import HEADER, KEYS, NULL, PLACE, ROW, VALUES
from .schemas import Schemas
from wit_world.imports import batches


class Place(NamedTuple):
    """A place in Kafka: the next offset of a topic partition."""

    topic: str
    partition: int
    offset: int
    """-1: none."""


class Header(NamedTuple):
    """One header."""

    name: str
    value: memoryview | None
    """None is null."""
    schema: str | None = None
    """Definition of the value's schema."""


class Record:
    """One record of a batch: a view. It holds the whole batch; to keep a value, keep `bytes(record.value)`."""

    __slots__ = ("_batch", "_row", "index")

    def __init__(self, batch: Batch, index: int, row: tuple[int, ...]) -> None:
        self._batch = batch
        self._row = row
        self.index = index
        """Index in the batch."""

    @property
    def topic(self) -> str:
        """Topic."""
        return self._batch.topics[self._row[3]]

    @property
    def partition(self) -> int:
        """Partition."""
        return self._row[2]

    @property
    def offset(self) -> int:
        """Offset in the partition, exact over all 64 bits."""
        return self._row[0]

    @property
    def timestamp(self) -> int | None:
        """Milliseconds since the epoch; none where there is none."""
        at = self._row[1]
        return at if at >= 0 else None

    @property
    def key(self) -> memoryview | None:
        """Key as a view; none is null."""
        row = self._row
        length = row[5]
        if length == NULL:
            return None
        at = row[4]
        return self._batch._data[at : at + length]

    @property
    def value(self) -> memoryview | None:
        """Value as a view; none is a tombstone."""
        row = self._row
        length = row[7]
        if length == NULL:
            return None
        at = row[6]
        return self._batch._data[at : at + length]

    @property
    def key_text(self) -> str | None:
        """Key as UTF-8 text; what is not UTF-8 becomes U+FFFD."""
        key = self.key
        return None if key is None else str(key, "utf-8", "replace")

    @property
    def value_text(self) -> str | None:
        """Value as UTF-8 text; what is not UTF-8 becomes U+FFFD."""
        value = self.value
        return None if value is None else str(value, "utf-8", "replace")

    def value_json(self) -> Any:
        """Value parsed as JSON (encoding `json`). Raises `ValueError` where it is none; a tombstone is None."""
        value = self.value
        return None if value is None else json.loads(bytes(value))

    @property
    def key_schema(self) -> str | None:
        """Definition of the key's schema."""
        return self._batch._schemas.definition(self._row[12])

    @property
    def value_schema(self) -> str | None:
        """Definition of the value's schema."""
        return self._batch._schemas.definition(self._row[13])

    @property
    def headers(self) -> list[Header]:
        """Headers in order; names may repeat. Made anew at each access."""
        first, count = self._row[8], self._row[9]
        return self._batch._headers_at(first, count) if count else []

    def header(self, name: str) -> Header | None:
        """The last header of this name."""
        return next((header for header in reversed(self.headers) if header.name == name), None)

    def __repr__(self) -> str:
        return f"<record {self.topic}-{self.partition}@{self.offset}>"


class Batch:
    """Records from the host, in order; within one partition that is the order of their offsets."""

    __slots__ = ("_data", "_headers", "_rows", "_schemas", "topics")

    def __init__(self, raw: batches.Batch, schemas: Schemas) -> None:
        schemas.learn(raw.schemas)
        self._rows = raw.rows
        self._headers = raw.headers
        self._data = memoryview(raw.data)
        self._schemas = schemas
        self.topics: list[str] = raw.topics
        """Topic names that occur."""

    def __len__(self) -> int:
        return len(self._rows) // ROW.size

    def __iter__(self) -> Iterator[Record]:
        record = Record
        index = 0
        for row in ROW.iter_unpack(self._rows):
            yield record(self, index, row)
            index += 1

    def __getitem__(self, index: int) -> Record:
        count = len(self)
        at = index + count if index < 0 else index
        if not 0 <= at < count:
            raise IndexError(f"record {index} of {count}")
        return Record(self, at, ROW.unpack_from(self._rows, at * ROW.size))

    @property
    def data_size(self) -> int:
        """Bytes of all keys, values and headers together."""
        return len(self._data)

    def values(self) -> Iterator[memoryview | None]:
        """Only the values, in order: the quickest way where nothing else is needed."""
        data = self._data
        for at, length in VALUES.iter_unpack(self._rows):
            yield None if length == NULL else data[at : at + length]

    def keys(self) -> Iterator[memoryview | None]:
        """Only the keys, in order."""
        data = self._data
        for at, length in KEYS.iter_unpack(self._rows):
            yield None if length == NULL else data[at : at + length]

    def _headers_at(self, first: int, count: int) -> list[Header]:
        data, definition = self._data, self._schemas.definition
        rows = memoryview(self._headers)[first * HEADER.size : (first + count) * HEADER.size]
        return [
            Header(str(data[name : name + size], "utf-8"), None if length == NULL else data[at : at + length], definition(schema))
            for name, size, schema, at, length in HEADER.iter_unpack(rows)
        ]


def places(raw: batches.PartitionOffsets) -> list[Place]:
    """The places in the flat form."""
    return [Place(raw.topics[topic], partition, offset) for topic, partition, offset in PLACE.iter_unpack(raw.rows)]


def partition_offsets(all_places: list[Place]) -> batches.PartitionOffsets:
    """The flat form of places."""
    topics: dict[str, int] = {}
    rows = bytearray()
    for place in all_places:
        rows += PLACE.pack(topics.setdefault(place.topic, len(topics)), place.partition, place.offset)
    return batches.PartitionOffsets(list(topics), bytes(rows))
