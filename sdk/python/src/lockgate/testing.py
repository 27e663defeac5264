"""Plugins under test on your own machine, through the same bytes as in the sandbox.

Enters: plugin classes, settings, records. Leaves: what the host would see. Invariant: batches are written and read as the WIT says; only
the sandbox itself (grants, limits) is missing.

    def test_tombstones_are_bad():
        with testing.Host() as host:
            sink = testing.sink(MySink, {"file": str(tmp_path / "out")})
            bad = sink.put([testing.record("orders", value=None)])
            assert [b.code for b in bad] == ["my.tombstone"]
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import _wit as _wit
from . import logs
from ._wire import HEADER, NULL, ROW
from .faults import BadRecord, BadRecords, ConfigError, Fatal, Fault, Retriable
from .guest.edge import Descriptions
from .guest.sinks import SinkExports
from .guest.sources import SourceExports
from .guest.transforms import TransformExports
from .plugin import Encoding, Package, Plugin
from .records import Place, partition_offsets, places
from .source import Payload
from componentize_py_types import Err
from wit_world.exports import source as wit_source
from wit_world.exports import transform as wit_transform
from wit_world.imports import batches, context, log, metrics, state, tasks
from wit_world.imports import faults as wit_faults


@dataclass
class TestRecord:
    """A record, whole: to put into a sink, or as it came out of a source or a chain."""

    __test__ = False
    topic: str
    value: bytes | None = None
    key: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)
    partition: int | None = 0
    offset: int = -1
    timestamp: int | None = None
    key_schema: str | None = None
    value_schema: str | None = None
    source_row: int = 0
    """Chains: index of the input record that it comes from."""


def record(
    topic: str = "topic",
    value: Payload = None,
    key: Payload = None,
    headers: Mapping[str, Payload] | None = None,
    **rest: Any,
) -> TestRecord:
    """A record; texts become UTF-8."""
    pairs = [(name, _bytes(payload)) for name, payload in (headers or {}).items()]
    return TestRecord(topic, _bytes(value), _bytes(key), pairs, **rest)


def _bytes(payload: Payload) -> bytes | None:
    if payload is None:
        return None
    return payload.encode() if isinstance(payload, str) else bytes(payload)


class Host:
    """Stands in for the host: log lines, metrics, state, context. A context manager."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        """Level and text of each log line."""
        self.metrics: dict[str, float] = {}
        """Sums of counters, last values of gauges and histograms."""
        self.state: dict[str, bytes] = {}
        self.positions: dict[str, str] = {}
        """Stored offsets by partition, both as JSON text."""
        self.cancelled = False
        self.reconfigurations = 0
        self._before: list[tuple[Any, str, Any]] = []
        self._logging: tuple[list[logging.Handler], int] = ([], 0)

    def __enter__(self) -> Host:
        for module, name, stand_in in (
            (log, "write", lambda level, text: self.lines.append((level.name.lower(), text))),
            (log, "lowest", lambda: log.Level.TRACE),
            (metrics, "add", self._add),
            (metrics, "set", self.metrics.__setitem__),
            (metrics, "observe", self.metrics.__setitem__),
            (state, "get", self.state.get),
            (state, "set", self.state.__setitem__),
            (state, "remove", lambda key: self.state.pop(key, None)),
            (context, "cancelled", lambda: self.cancelled),
            (context, "request_reconfiguration", self._reconfigure),
            (context, "positions", lambda all_: [self.positions.get(one) for one in all_]),
        ):
            self._before.append((module, name, getattr(module, name)))
            setattr(module, name, stand_in)
        root = logging.getLogger()
        self._logging = (root.handlers[:], root.level)
        root.addHandler(logs.HostHandler())
        return self

    def __exit__(self, *_: object) -> None:
        for module, name, before in reversed(self._before):
            setattr(module, name, before)
        root = logging.getLogger()
        root.handlers[:] = self._logging[0]
        root.setLevel(self._logging[1])

    def _add(self, name: str, value: float) -> None:
        self.metrics[name] = self.metrics.get(name, 0.0) + value

    def _reconfigure(self) -> None:
        self.reconfigurations += 1

    def texts(self) -> list[str]:
        """The texts of all log lines."""
        return [text for _, text in self.lines]


def raw_batch(records: Iterable[TestRecord], announced: dict[str, int]) -> batches.Batch:
    """The flat form of records, as the host would send it; `announced` holds the host's schema ids."""
    topics: dict[str, int] = {}
    rows, headers, data = bytearray(), bytearray(), bytearray()
    new: list[batches.Schema] = []

    def span(payload: bytes | None) -> tuple[int, int]:
        if payload is None:
            return 0, NULL
        at = len(data)
        data.extend(payload)
        return at, len(payload)

    def schema(definition: str | None) -> int:
        if definition is None:
            return 0
        if definition not in announced:
            announced[definition] = len(announced) + 1
            new.append(batches.Schema(announced[definition], definition))
        return announced[definition]

    for index, one in enumerate(records):
        key, value, first = span(one.key), span(one.value), len(headers) // HEADER.size
        for name, payload in one.headers:
            at, size = span(name.encode())
            headers += HEADER.pack(at, size, 0, *span(payload))
        time = -1 if one.timestamp is None else one.timestamp
        partition = NULL if one.partition is None else one.partition
        topic = topics.setdefault(one.topic, len(topics))
        rows += ROW.pack(
            one.offset, time, partition, topic, *key, *value, first, len(one.headers), index, 0, schema(one.key_schema),
            schema(one.value_schema),
        )  # fmt: skip
    return batches.Batch(list(topics), new, bytes(rows), bytes(headers), bytes(data))


def read_rows(
    topics: Sequence[str], rows: bytes, headers: bytes, data: bytes, definitions: Mapping[int, str]
) -> list[TestRecord]:
    """The records of a flat batch."""

    def text(at: int, size: int) -> bytes | None:
        if size == NULL:
            return None
        assert at + size <= len(data), "a span leaves the data"
        return data[at : at + size]

    all_headers = [
        (str(text(at, size) or b"", "utf-8"), text(value_at, value_size))
        for at, size, _, value_at, value_size in HEADER.iter_unpack(headers)
    ]
    return [
        TestRecord(
            topics[topic], text(v_at, v_size), text(k_at, k_size), all_headers[first : first + count],
            None if partition == NULL else partition, offset, None if time < 0 else time, definitions.get(ks),
            definitions.get(vs), source_row,
        )
        for offset, time, partition, topic, k_at, k_size, v_at, v_size, first, count, source_row, _, ks, vs in ROW.iter_unpack(rows)
    ]  # fmt: skip


def _fault(raw: wit_faults.Fault) -> Fault:
    kind = raw.kind
    if isinstance(kind, wit_faults.FaultKind_Retriable):
        return Retriable(raw.code, raw.message, after=kind.value / 1000, detail=raw.detail)
    if isinstance(kind, wit_faults.FaultKind_Config):
        return ConfigError([(problem.key, problem.problem) for problem in kind.value], detail=raw.detail)
    if isinstance(kind, wit_faults.FaultKind_Rows):
        return BadRecords([_bad(row) for row in kind.value], detail=raw.detail)
    return Fatal(raw.code, raw.message, detail=raw.detail)


def _bad(row: wit_faults.RowFault) -> BadRecord:
    return BadRecord(row.code, row.message, row.row, retriable=row.retriable)


def _call(call: Any, *args: Any) -> Any:
    """A call as the host makes it; a fault is raised as the plugin raised it."""
    try:
        return call(*args)
    except Err as error:
        raise _fault(error.value) from error


def _task(cls: type[Plugin[Any]], settings: Mapping[str, str], encoding: Encoding) -> tasks.TaskContext:
    chosen = batches.Encoding[encoding.upper()]
    return tasks.TaskContext(cls.name, "connector", 0, list(settings.items()), batches.Formats(chosen, chosen, chosen))


class SinkTask:
    """An open sink."""

    def __init__(self, cls: type[Plugin[Any]], settings: Mapping[str, str], encoding: Encoding) -> None:
        self._exports = SinkExports(Descriptions(Package("tested", "0.0.0", cls)))
        self._schemas: dict[str, int] = {}
        _call(self._exports.open, _task(cls, settings, encoding))

    def put(self, records: Iterable[TestRecord]) -> list[BadRecord]:
        """Puts a batch; the bad records. Offsets count from 0 where none is given."""
        numbered = [TestRecord(**{**vars(r), "offset": r.offset if r.offset >= 0 else n}) for n, r in enumerate(records)]
        return [_bad(row) for row in _call(self._exports.put, raw_batch(numbered, self._schemas)).bad]

    def assigned(self, partitions: Iterable[Place]) -> list[Place]:
        """Assigns partitions; where the sink wants to begin elsewhere."""
        return places(_call(self._exports.assigned, partition_offsets(list(partitions))))

    def prepare_commit(self, offsets: Iterable[Place]) -> list[Place]:
        """What the sink agrees to."""
        return places(_call(self._exports.prepare_commit, partition_offsets(list(offsets))))

    def close(self) -> None:
        """Ends the sink."""
        _call(self._exports.close)


@dataclass
class PollResult:
    """What one poll gave."""

    records: list[TestRecord]
    positions: list[tuple[str, str, int | None]]
    """Partition and offset as JSON text, and the record after which the position holds; none = before all."""
    next: str
    """`now`, `after <milliseconds>` or `done`."""


class SourceTask:
    """An open source."""

    def __init__(
        self, cls: type[Plugin[Any]], settings: Mapping[str, str], positions: Iterable[tuple[str, str]], encoding: Encoding
    ) -> None:
        self._exports = SourceExports(Descriptions(Package("tested", "0.0.0", cls)))
        self._definitions: dict[int, str] = {}
        stored = [wit_source.Position(partition, offset, NULL) for partition, offset in positions]
        _call(self._exports.open, _task(cls, settings, encoding), stored)

    def poll(self, records_max: int = 500, bytes_max: int = 262_144) -> PollResult:
        """Polls once."""
        polled = _call(self._exports.poll, wit_source.Limits(records_max, bytes_max))
        batch = polled.records
        self._definitions.update((schema.id, schema.definition) for schema in batch.schemas)
        records = read_rows(batch.topics, batch.rows, batch.headers, batch.data, self._definitions)
        positions = [(p.partition, p.offset, None if p.after_row == NULL else p.after_row) for p in polled.positions]
        following = polled.next
        if isinstance(following, wit_source.Next_After):
            return PollResult(records, positions, f"after {following.value}")
        return PollResult(records, positions, "done" if isinstance(following, wit_source.Next_Done) else "now")

    def committed(self, positions: Iterable[tuple[str, str]]) -> None:
        """Tells the source of durable positions."""
        _call(self._exports.committed, [wit_source.Position(partition, offset, NULL) for partition, offset in positions])

    def close(self) -> None:
        """Ends the source."""
        _call(self._exports.close)


def sink(cls: type[Plugin[Any]], settings: Mapping[str, str] | None = None, encoding: Encoding = "bytes") -> SinkTask:
    """Opens a sink. A fault of `open` is raised."""
    return SinkTask(cls, settings or {}, encoding)


def source(
    cls: type[Plugin[Any]],
    settings: Mapping[str, str] | None = None,
    positions: Iterable[tuple[str, str]] = (),
    encoding: Encoding = "bytes",
) -> SourceTask:
    """Opens a source, with stored positions as pairs of JSON texts."""
    return SourceTask(cls, settings or {}, positions, encoding)


@dataclass
class Step:
    """A step of a chain under test."""

    transform: type[Plugin[Any]]
    settings: Mapping[str, str] = field(default_factory=dict)
    predicate: type[Plugin[Any]] | None = None
    predicate_settings: Mapping[str, str] = field(default_factory=dict)
    negate: bool = False


def apply(
    steps: Sequence[Step], records: Iterable[TestRecord], encoding: Encoding = "bytes"
) -> tuple[list[TestRecord], list[tuple[int, BadRecord]]]:
    """Takes records through a chain: what comes out, and what failed with the number of its step."""
    classes = dict.fromkeys(cls for step in steps for cls in (step.transform, step.predicate) if cls is not None)
    exports = TransformExports(Descriptions(Package("tested", "0.0.0", *classes)))
    raw_steps = []
    for number, step in enumerate(steps):
        predicate = None
        if step.predicate is not None:
            settings = list(step.predicate_settings.items())
            predicate = wit_transform.Predicate("p", step.predicate.name, settings, step.negate)
        raw_steps.append(wit_transform.Step(f"s{number}", step.transform.name, list(step.settings.items()), predicate))
    _call(exports.open, _task(steps[0].transform, {}, encoding), raw_steps)
    announced: dict[str, int] = {}
    given = raw_batch(records, announced)
    applied = _call(exports.apply, given)
    definitions = {number: text for text, number in announced.items()} | {s.id: s.definition for s in applied.schemas}
    out = read_rows(applied.topics, applied.rows, applied.headers, given.data + applied.appended, definitions)
    return out, [(row.step, _bad(row)) for row in applied.failed]
