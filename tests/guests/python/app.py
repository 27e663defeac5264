"""The reference guest in Python, through sdk/python: keeps tests/guests/CONTRACT.md, word by word."""

from __future__ import annotations

import logging
import socket
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lockgate import (
    DONE,
    DROP,
    NOW,
    Advice,
    BadRecord,
    BadRecords,
    Batch,
    Config,
    ConfigError,
    Connector,
    Fatal,
    Flow,
    Http,
    Message,
    Package,
    Place,
    Poll,
    Position,
    Positions,
    Predicate,
    Retriable,
    Sink,
    Source,
    Task,
    Tcp,
    Transform,
    TransformRecord,
    context,
    http,
    key,
    metrics,
    state,
)

log = logging.getLogger("ref")
RECORDS, BYTES, PUTS = (metrics.counter(f"ref_{name}") for name in ("records", "bytes", "puts"))
COMMITTED, TOTAL = metrics.counter("ref_committed"), metrics.gauge("ref_total")


class Settings(Config):
    """What every plugin here takes."""

    fail_config: str | None = key(None, doc="Any value is refused, by validate and by open.")
    mode: str = key("echo", doc="What to do wrong or otherwise.")


class SourceSettings(Settings):
    """What the source takes."""

    topic: str = key("ref-topic", doc="Where to.")
    count: int = key(10, doc="Records in all.")
    start: int = key(0, doc="First number without a stored position.")
    per_poll: int = key(4, doc="Records a poll.")


class SinkSettings(Settings):
    """What the sink takes."""

    url: str = key("", doc="Where mode http goes.")
    tcp: str = key("", doc="Where mode tcp goes: host:port.")


class StepSettings(Settings):
    """What a step takes."""

    op: str = key("keep", doc="What to do.")
    match: str = key("", doc="Of drop and fail.")
    to: str = key("", doc="Of route.")
    text: str = key("", doc="Of header.")


def say(text: str) -> None:
    log.info("ref: %s", text)


def ref_panics_here() -> None:
    raise RuntimeError("ref panic")


def quoted(encoding: str, text: str) -> str:
    return f'"{text}"' if encoding == "json" else text


def refused(settings: Mapping[str, str]) -> Iterable[Advice]:
    value = settings.get("fail.config")
    return [] if value is None else [Advice("fail.config", [f"refused by validate: {value}"])]


def check(name: str, task: Task, config: Settings) -> None:
    """What every open begins with."""
    if config.fail_config is not None:
        raise ConfigError({"fail.config": f"refused: {config.fail_config}"})
    if config.mode == "open-retriable":
        raise Retriable("ref.open", "not yet", after=0.25)
    if config.mode == "open-fatal":
        raise Fatal("ref.open", "never", detail="the detail")
    f = task.formats
    say(f"open {name} {task.connector}/{task.number} key={f.key} value={f.value} header={f.header}")


def split_tasks(connector: Connector, most: int) -> Iterable[Mapping[str, str]]:
    if connector.settings.get("mode") == "tasks-fail":
        raise Fatal("ref.tasks", "no tasks on demand")
    return [{**connector.settings, "task.id": str(number)} for number in range(max(most, 1))]


def total() -> int:
    return int(state.get("total") or 0)


def add_to_total(records: int) -> None:
    now = total() + records
    state.set("total", str(now).encode())
    TOTAL.set(now)


@dataclass(frozen=True)
class Partition:
    source: str


@dataclass(frozen=True)
class Offset:
    n: str


class RefSource(
    Source[SourceSettings], name="ref.Source", aliases=["reference-source"], encodings=["bytes", "json"]
):
    """Does what the contract of the tests says."""

    @classmethod
    def validate(cls, settings: Mapping[str, str]) -> Iterable[Advice]:
        return refused(settings)

    @classmethod
    def tasks(cls, connector: Connector, most: int) -> Iterable[Mapping[str, str]]:
        return split_tasks(connector, most)

    def open(self, positions: Positions) -> None:
        check("ref.Source", self.task, self.config)
        self.partition = Partition(self.task.settings.get("task.id", str(self.task.number)))
        stored = positions.get(self.partition, Offset)
        say(f"resume {stored.n if stored else 0}")
        self.next = int(stored.n) if stored else self.config.start
        self.demand = self.config.mode

    def poll(self) -> Poll:
        demand, self.demand = self.demand, ""
        if demand == "poll-retriable":
            raise Retriable("ref.poll", "not yet", after=0.1)
        if demand == "poll-fatal":
            raise Fatal("ref.poll", "fatal on demand")
        if demand == "panic":
            ref_panics_here()
        end = self.config.start + self.config.count
        if self.next >= end:
            return DONE
        last = min(end, self.next + self.config.per_poll)
        # A batch may be full before: so the count is kept record by record.
        while self.next < last:
            self.next += 1
            if self.config.mode == "state":
                add_to_total(1)
            yield self.message(self.next - 1)
        return NOW

    def message(self, n: int) -> Message:
        f = self.task.formats
        value = {4: None, 3: quoted(f.value, f"żółw-{n}-🐢")}.get(n % 5, quoted(f.value, f"v{n}"))
        schema = '{"type":"string","optional":true}' if self.config.mode == "schema" else None
        return Message(
            self.config.topic,
            value,
            None if n % 5 == 2 else quoted(f.key, f"k{n}"),
            {"n": quoted(f.header, str(n))},
            timestamp=1_700_000_000_000 + n % 1000,
            key_schema=schema,
            value_schema=schema,
            position=Position(self.partition, Offset(str(n + 1))),
        )

    def committed(self, positions: Sequence[Position]) -> None:
        if positions:
            say('committed {"n":"%s"}' % positions[-1].offset["n"])
        COMMITTED.add()

    def close(self) -> None:
        say("close ref.Source")


class RefSink(
    Sink[SinkSettings],
    name="ref.Sink",
    aliases=["reference-sink"],
    encodings=["bytes", "json"],
    asks=[Http("{url}"), Tcp("{tcp}")],
):
    """Does what the contract of the tests says."""

    @classmethod
    def validate(cls, settings: Mapping[str, str]) -> Iterable[Advice]:
        return refused(settings)

    @classmethod
    def tasks(cls, connector: Connector, most: int) -> Iterable[Mapping[str, str]]:
        return split_tasks(connector, most)

    def open(self) -> None:
        check("ref.Sink", self.task, self.config)
        self.mode = self.config.mode
        self.refused_put = self.refused_commit = False
        if self.mode == "state":
            say(f"total {total()}")

    def assigned(self, partitions: Sequence[Place]) -> Iterable[Place] | None:
        for place in partitions:
            say(f"assigned {place.topic}-{place.partition}@{place.offset}")
        return [place._replace(offset=0) for place in partitions] if self.mode == "resume" else None

    def revoked(self, partitions: Sequence[Place]) -> None:
        for place in partitions:
            say(f"revoked {place.topic}-{place.partition}@{place.offset}")

    def put(self, batch: Batch) -> Iterable[BadRecord]:
        self.demands(batch)
        if self.mode == "http":
            yield from self.over_http(batch)
        elif self.mode == "tcp":
            self.over_tcp(batch)
        for record in batch:
            headers = record.headers
            if self.mode != "quiet":
                listed = ",".join(f"{header.name}={shown(header.value)}" for header in headers)
                timestamp = -1 if record.timestamp is None else record.timestamp
                say(
                    f"{record.topic}-{record.partition}@{record.offset} ts={timestamp} key={shown(record.key)} "
                    f"value={shown(record.value)} headers=[{listed}] ks={record.key_schema or '-'} vs={record.value_schema or '-'}"
                )
            for header in headers:
                if header.name in ("ref.bad", "ref.bad.retriable"):
                    why = bytes(header.value or b"").decode()
                    yield BadRecord("ref.bad", f"marked bad: {why}", record, retriable=header.name != "ref.bad")
        RECORDS.add(len(batch))
        BYTES.add(batch.data_size)
        PUTS.add()
        if self.mode == "state":
            add_to_total(len(batch))

    def demands(self, batch: Batch) -> None:
        encoding = self.task.formats.value
        demands = ("fatal", "rows", "panic", "spin", "grow", "wait", "retriable")
        texts = {quoted(encoding, f"ref:{what}").encode(): what for what in demands}
        for index, value in enumerate(batch.values()):
            what = None if value is None else texts.get(bytes(value))
            if what == "fatal":
                raise Fatal("ref.put", "fatal on demand")
            if what == "rows":
                raise BadRecords([BadRecord("ref.rows", "row on demand", index)])
            if what == "panic":
                ref_panics_here()
            if what == "spin":
                while True:
                    pass
            if what == "grow":
                kept = []
                while True:
                    kept.append(bytearray(1 << 20))
            if what == "wait":
                say("waiting")
                while not context.cancelled():
                    pass
            if what == "retriable" and not self.refused_put:
                self.refused_put = True
                raise Retriable("ref.put", "not yet", after=0.05)

    def over_http(self, batch: Batch) -> Iterable[BadRecord]:
        for record in batch:
            url, headers = f"{self.config.url}/{record.topic}/{record.offset}", {"x-ref": str(record.partition)}
            try:
                answer = http.post(url, headers=headers, body=bytes(record.value or b""), timeout=60)
            except (http.HttpError, http.HttpDenied) as error:
                raise Retriable("ref.http", f"no answer: {error.message}", after=0.1) from None
            if answer.status in (429, 503):
                wait = float(answer.headers.get("retry-after", "0"))
                raise Retriable("ref.http", f"status {answer.status}", after=wait)
            if answer.ok:
                text = answer.text if len(answer.body) <= 64 else "..."
                say(f"http {answer.status} {answer.headers.get('x-ref', '-')} {len(answer.body)} {text}")
            else:
                yield BadRecord("ref.http", f"status {answer.status}", record)

    def over_tcp(self, batch: Batch) -> None:
        host, _, port = self.config.tcp.rpartition(":")
        try:
            with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as lines:
                for value in batch.values():
                    connection.sendall(bytes(value or b"") + b"\n")
                    line = lines.readline()
                    if not line:
                        raise ConnectionError("the connection was closed")
                    say(f"tcp {line.decode().rstrip()}")
        except OSError as error:
            raise Retriable("ref.tcp", str(error), after=0.1) from None

    def prepare_commit(self, offsets: list[Place]) -> Iterable[Place]:
        if self.mode == "commit-retriable" and not self.refused_commit:
            self.refused_commit = True
            raise Retriable("ref.commit", "not yet", after=0.05)
        for place in offsets:
            say(f"commit {place.topic}-{place.partition}@{place.offset}")
        if self.mode == "agree-less":
            return [place._replace(offset=max(place.offset - 1, 0)) for place in offsets]
        return [] if self.mode == "agree-none" else offsets

    def close(self) -> None:
        say("close ref.Sink")


def shown(part: memoryview | None) -> str:
    return "null" if part is None else part.hex()


class RefTransform(Transform[StepSettings], name="ref.Transform", encodings=["bytes", "json"]):
    """Does what the contract of the tests says."""

    def open(self) -> None:
        check("ref.Transform", self.task, self.config)
        say(f"step {self.config.op}")

    def apply(self, record: TransformRecord) -> Flow:
        op, value = self.config.op, record.value
        if op == "upper" and value is not None:
            record.value = bytes(value).upper()
        elif op == "drop" and value == self.config.match.encode():
            return DROP
        elif op == "fail" and value == self.config.match.encode():
            raise BadRecord("ref.fail", "failed on demand")
        elif op == "route":
            record.topic = self.config.to
        elif op == "split" and value is not None:
            return split(record, bytes(value))
        elif op == "header":
            record.add_header("ref.added", self.config.text)
        elif op == "key":
            record.value_to_key()
        elif op == "schema":
            record.value_schema = '{"type":"string","optional":false}'
        elif op == "panic":
            ref_panics_here()
        return None


def split(record: TransformRecord, value: bytes) -> Generator[None, None, None]:
    whole, start = record.copy(), 0
    for part in value.split(b","):
        record.value_from(whole, start, start + len(part))
        start += len(part) + 1
        yield


class RefHasKey(Predicate[Settings], name="ref.HasKey", encodings=["bytes", "json"]):
    """Holds where the key is not null."""

    def test(self, record: TransformRecord) -> bool:
        return record.key is not None


package = Package(
    "reference-python", "1.2.3", RefSource, RefSink, RefTransform, RefHasKey, doc="The reference guest of the contract tests."
)
