"""Kafka -> Kafka, in between: transforms, predicates, and a record on its way through them.

Enters: rows of the input. Leaves: rows of the outcome. Invariant: a field that no step touches keeps its span in the input's data and
costs no copy; new bytes go behind it, and spans count on as if they stood there.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final, Generator, Generic, TypeVar

from . import _wit as _wit
from ._wire import HEADER, NULL, ROW
from .config import Config
from .plugin import Kind, Plugin
from .records import Header
from .schemas import Schemas
from .source import Payload
from wit_world.imports import batches

C = TypeVar("C", bound=Config)
HeaderRow = tuple[int, int, int, int, int]


class _Drop:
    def __repr__(self) -> str:
        return "DROP"


DROP: Final = _Drop()
"""Returned by `apply`: the record is dropped on purpose."""
Flow = _Drop | None | Generator[None, None, None]


class Outcome:
    """The outcome of a batch in the making."""

    __slots__ = ("appended", "data", "header_rows", "headers", "rows", "schemas", "size", "topics")

    def __init__(self, raw: batches.Batch, schemas: Schemas) -> None:
        schemas.learn(raw.schemas)
        self.data = memoryview(raw.data)
        self.size = len(raw.data)
        self.header_rows: list[HeaderRow] = list(HEADER.iter_unpack(raw.headers))
        self.topics = list(raw.topics)
        self.schemas = schemas
        self.rows = bytearray()
        self.headers = bytearray()
        self.appended = bytearray()

    def span(self, at: int, length: int) -> memoryview | None:
        """The bytes of a span, wherever they lie."""
        if length == NULL:
            return None
        if at < self.size or length == 0:
            return self.data[at : at + length]
        # A copy: a view would keep `appended` from growing.
        return memoryview(bytes(self.appended[at - self.size : at - self.size + length]))

    def append(self, payload: Payload) -> tuple[int, int]:
        """The span of new bytes."""
        if payload is None:
            return 0, NULL
        payload = payload.encode() if isinstance(payload, str) else payload
        at = self.size + len(self.appended)
        self.appended += payload
        return at, len(payload)

    def emit(self, record: TransformRecord) -> None:
        """Writes a record as it is now."""
        row, headers = record._row, record._header_rows
        row[8], row[9] = len(self.headers) // HEADER.size, len(headers)
        for header in headers:
            self.headers += HEADER.pack(*header)
        self.rows += ROW.pack(*row)


class TransformRecord:
    """A record that a transform may read and change. Fields that are not set keep their bytes, without a copy."""

    __slots__ = ("_header_rows", "_out", "_row")

    def __init__(self, out: Outcome, row: list[int], header_rows: list[HeaderRow]) -> None:
        self._out = out
        self._row = row
        self._header_rows = header_rows

    def copy(self) -> TransformRecord:
        """The record as it is now, on its own."""
        return TransformRecord(self._out, list(self._row), self._header_rows)

    @property
    def topic(self) -> str:
        """Topic. Set it to move the record."""
        return self._out.topics[self._row[3]]

    @topic.setter
    def topic(self, name: str) -> None:
        topics = self._out.topics
        if name not in topics:
            topics.append(name)
        self._row[3] = topics.index(name)

    @property
    def partition(self) -> int | None:
        """Partition; none: the host chooses."""
        at = self._row[2]
        return None if at == NULL else at

    @partition.setter
    def partition(self, partition: int | None) -> None:
        self._row[2] = NULL if partition is None else partition

    @property
    def offset(self) -> int | None:
        """Offset in the partition; none for records of a source."""
        at = self._row[0]
        return at if at >= 0 else None

    @property
    def timestamp(self) -> int | None:
        """Milliseconds since the epoch."""
        at = self._row[1]
        return at if at >= 0 else None

    @timestamp.setter
    def timestamp(self, timestamp: int | None) -> None:
        self._row[1] = -1 if timestamp is None else timestamp
        self._row[11] &= ~1

    @property
    def key(self) -> memoryview | None:
        """Key as a view; none is null. Set it to bytes, text or None; its schema stays."""
        return self._out.span(self._row[4], self._row[5])

    @key.setter
    def key(self, key: Payload) -> None:
        self._row[4:6] = self._out.append(key)

    @property
    def value(self) -> memoryview | None:
        """Value as a view; none is a tombstone. Set it to bytes, text or None; its schema stays."""
        return self._out.span(self._row[6], self._row[7])

    @value.setter
    def value(self, value: Payload) -> None:
        self._row[6:8] = self._out.append(value)

    def value_json(self) -> Any:
        """Value parsed as JSON (encoding `json`). Raises `ValueError` where it is none; a tombstone is None."""
        value = self.value
        return None if value is None else json.loads(bytes(value))

    @property
    def value_text(self) -> str | None:
        """Value as UTF-8 text; what is not UTF-8 becomes U+FFFD."""
        value = self.value
        return None if value is None else str(value, "utf-8", "replace")

    def value_from(self, other: TransformRecord, start: int, stop: int) -> None:
        """Makes the value a part of the value of `other` (a `copy` of this record, or itself), without a copy of its bytes.
        Nothing happens where that is a tombstone."""
        at, length = other._row[6], other._row[7]
        if length != NULL:
            start, stop, _ = slice(start, stop).indices(length)
            self._row[6:8] = at + start, max(stop - start, 0)

    def value_to_key(self) -> None:
        """Makes the key the value's bytes, without a copy."""
        self._row[4:6] = self._row[6:8]

    def key_to_value(self) -> None:
        """Makes the value the key's bytes, without a copy."""
        self._row[6:8] = self._row[4:6]

    @property
    def key_schema(self) -> str | None:
        """Definition of the key's schema. Set it to a definition or None."""
        return self._out.schemas.definition(self._row[12])

    @key_schema.setter
    def key_schema(self, definition: str | None) -> None:
        self._row[12] = 0 if definition is None else self._out.schemas.announce(definition)

    @property
    def value_schema(self) -> str | None:
        """Definition of the value's schema. Set it to a definition or None."""
        return self._out.schemas.definition(self._row[13])

    @value_schema.setter
    def value_schema(self, definition: str | None) -> None:
        self._row[13] = 0 if definition is None else self._out.schemas.announce(definition)

    @property
    def headers(self) -> list[Header]:
        """Headers in order; names may repeat. Made anew at each access: change them with `add_header`, `remove_header`."""
        span, definition = self._out.span, self._out.schemas.definition
        return [
            Header(str(span(name, size) or b"", "utf-8"), span(at, length), definition(schema))
            for name, size, schema, at, length in self._header_rows
        ]

    def header(self, name: str) -> Header | None:
        """The last header of this name."""
        return next((header for header in reversed(self.headers) if header.name == name), None)

    def add_header(self, name: str, value: Payload, schema: str | None = None) -> None:
        """Adds a header behind those there are."""
        out = self._out
        at, size = out.append(name)
        if size > 0xFFFF:
            raise ValueError("a header's name has at most 65,535 bytes")
        schema_id = 0 if schema is None else out.schemas.announce(schema)
        self._header_rows = [*self._header_rows, (at, size, schema_id, *out.append(value))]

    def remove_header(self, name: str) -> None:
        """Removes all headers of this name."""
        span, wanted = self._out.span, name.encode()
        self._header_rows = [row for row in self._header_rows if bytes(span(row[0], row[1]) or b"") != wanted]


class Transform(Plugin[C], Generic[C]):
    """A transform. One object is one step of a chain."""

    kind: ClassVar[Kind] = "transform"

    def open(self) -> None:
        """Prepares the step; `self.config` holds its settings."""

    def apply(self, record: TransformRecord) -> Flow:
        """Takes one record, changes it in place.

        Returns nothing to keep it, `DROP` to drop it. Written as a generator, each `yield` sends on the record as it is then,
        so that one becomes several, or none. Raise `BadRecord(code, message)` for one that cannot be handled.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `apply`")


class Predicate(Plugin[C], Generic[C]):
    """A predicate: decides whether a step runs for a record."""

    kind: ClassVar[Kind] = "predicate"

    def open(self) -> None:
        """Prepares the predicate; `self.config` holds its settings."""

    def test(self, record: TransformRecord) -> bool:
        """True where it holds for the record as earlier steps left it."""
        raise NotImplementedError(f"{type(self).__name__} has no `test`")
