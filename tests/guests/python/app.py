"""The reference guest in Python: keeps tests/guests/CONTRACT.md, word by word.

Rows are read with struct.iter_unpack and values through a memoryview: nothing is copied but what is written out.
"""

import json
import struct

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import plugin, sink, source, transform
from wit_world.imports import batches, context, faults, log, metrics, state, tasks

ROW = struct.Struct("<qqIIIIIIIIIIII")
HEADER = struct.Struct("<IHHII")
PLACE = struct.Struct("<IIq")
NULL = 0xFFFFFFFF
NO_ROW = 0xFFFFFFFF
Encoding = batches.Encoding


def say(text):
    log.write(log.Level.INFO, "ref: " + text)


def fault(kind, code, message, detail=""):
    return Err(faults.Fault(kind, code, message, detail))


def retriable(ms, code):
    return fault(faults.FaultKind_Retriable(ms), code, "not yet")


def fatal(code, message, detail=""):
    return fault(faults.FaultKind_Fatal(), code, message, detail)


def ref_panics_here():
    raise RuntimeError("ref panic")


def quoted(encoding, text):
    return f'"{text}"' if encoding == Encoding.JSON else text


def opened(cls, task):
    """What every open begins with: the settings and the mode."""
    config = dict(task.config)
    return config, check(cls, task, config)


def check(cls, task, config):
    refused = config.get("fail.config")
    if refused is not None:
        problem = faults.ConfigProblem("fail.config", f"refused: {refused}")
        raise fault(faults.FaultKind_Config([problem]), "config.invalid", "the configuration is not valid: fail.config")
    mode = config.get("mode", "echo")
    if mode == "open-retriable":
        raise retriable(250, "ref.open")
    if mode == "open-fatal":
        raise fatal("ref.open", "never", "the detail")
    f = task.formats
    names = [e.name.lower() for e in (f.key, f.value, f.header)]
    say(f"open {cls} {task.connector}/{task.task} key={names[0]} value={names[1]} header={names[2]}")
    return mode


def split_tasks(connector, count):
    if dict(connector.config).get("mode") == "tasks-fail":
        raise fatal("ref.tasks", "no tasks on demand")
    return [[*connector.config, ("task.id", str(n))] for n in range(max(count, 1))]


def total():
    stored = state.get("total")
    return int(stored) if stored else 0


def add_to_total(records):
    now = total() + records
    state.set("total", str(now).encode())
    metrics.set("ref_total", float(now))


class Schemas:
    """The schemas of this instance, by id."""

    def __init__(self):
        self.known = {}
        self.guest = {}

    def learn(self, announced):
        for schema in announced:
            self.known[schema.id] = schema.definition

    def announce(self, definition, new):
        """The id of a definition; `new` collects what the answer must announce."""
        if definition not in self.guest:
            self.guest[definition] = 0x8000 + len(self.guest)
            self.known[self.guest[definition]] = definition
            new.append(batches.Schema(self.guest[definition], definition))
        return self.guest[definition]


class Kept:
    """The runtime makes a new object for each call: what `open` sets must live in the class."""

    def __init__(self):
        cls = type(self)
        if "kept" not in cls.__dict__:
            cls.kept = {}
        self.__dict__ = cls.kept


class Plugin(exports.Plugin):
    def describe(self):
        def key(name, default, doc):
            return plugin.ConfigDefinition(
                name, plugin.ConfigType.STRING, False, default, plugin.Constraint_Any(), plugin.Importance.MEDIUM, doc, "", "",
                plugin.Width.NONE, [],
            )

        keys = [
            key("fail.config", None, "Any value is refused, by validate and by open."),
            key("mode", "echo", "What to do wrong or otherwise."),
        ]

        def info(cls, kind, aliases):
            doc = "Does what the contract of the tests says."
            return plugin.PluginInfo(cls, kind, aliases, doc, keys, [Encoding.BYTES, Encoding.JSON], [])

        return plugin.PackageInfo(
            "reference-python",
            "1.2.3",
            "The reference guest of the contract tests.",
            [
                info("ref.Source", plugin.Kind.SOURCE, ["reference-source"]),
                info("ref.Sink", plugin.Kind.SINK, ["reference-sink"]),
                info("ref.Transform", plugin.Kind.TRANSFORM, []),
                info("ref.HasKey", plugin.Kind.PREDICATE, []),
            ],
        )

    def validate(self, class_, config):
        value = dict(config).get("fail.config")
        if value is None:
            return []
        return [plugin.ConfigValue("fail.config", [], [f"refused by validate: {value}"], True)]


class Source(Kept, exports.Source):
    def tasks(self, connector, max):
        return split_tasks(connector, max)

    def open(self, task, positions):
        config, self.mode = opened("ref.Source", task)
        self.formats = task.formats
        self.partition = '{"source":"%s"}' % config.get("task.id", task.task)
        stored = next((int(json.loads(p.offset)["n"]) for p in positions if p.partition == self.partition), None)
        start = int(config.get("start", "0"))
        say(f"resume {stored or 0}")
        self.next = start if stored is None else stored
        self.end = start + int(config.get("count", "10"))
        self.topic = config.get("topic", "ref-topic")
        self.per_poll = int(config.get("per.poll", "4"))
        self.schemas = Schemas()

    def poll(self, limits):
        mode, self.mode = self.mode, self.mode if self.mode in ("schema", "state") else ""
        if mode == "poll-retriable":
            raise retriable(100, "ref.poll")
        if mode == "poll-fatal":
            raise fatal("ref.poll", "fatal on demand")
        if mode == "panic":
            ref_panics_here()
        rows, headers, data, new = bytearray(), bytearray(), bytearray(), []
        schema = self.schemas.announce('{"type":"string","optional":true}', new) if mode == "schema" else 0
        count = min(self.per_poll, limits.records_max, self.end - self.next)
        for row in range(count):
            self.write(self.next, row, schema, rows, headers, data)
            self.next += 1
        batch = batches.Batch([self.topic], new, bytes(rows), bytes(headers), bytes(data))
        if count <= 0:
            return source.Polled(batch, [], source.Next_Done())
        if mode == "state":
            add_to_total(count)
        position = source.Position(self.partition, '{"n":"%d"}' % self.next, count - 1)
        return source.Polled(batch, [position], source.Next_Now())

    def write(self, n, row, schema, rows, headers, data):
        def span(text):
            if text is None:
                return 0, NULL
            at, encoded = len(data), text.encode()
            data.extend(encoded)
            return at, len(encoded)

        f = self.formats
        key = span(None if n % 5 == 2 else quoted(f.key, f"k{n}"))
        value = {4: None, 3: quoted(f.value, f"żółw-{n}-🐢")}.get(n % 5, quoted(f.value, f"v{n}"))
        value = span(value)
        name, header = span("n"), span(quoted(f.header, str(n)))
        headers += HEADER.pack(*name, 0, *header)
        rows += ROW.pack(
            -1, 1_700_000_000_000 + n % 1000, 0xFFFFFFFF, 0, *key, *value, row, 1, row, 0, schema, schema
        )

    def committed(self, positions):
        if positions:
            say(f"committed {positions[-1].offset}")
        metrics.add("ref_committed", 1.0)

    def close(self):
        say("close ref.Source")


def places(offsets):
    return [(offsets.topics[topic], part, at) for topic, part, at in PLACE.iter_unpack(offsets.rows)]


def with_offsets(offsets, change):
    rows = b"".join(PLACE.pack(topic, part, change(at)) for topic, part, at in PLACE.iter_unpack(offsets.rows))
    return batches.PartitionOffsets(offsets.topics, rows)


NONE = batches.PartitionOffsets([], b"")


class Sink(Kept, exports.Sink):
    def tasks(self, connector, max):
        return split_tasks(connector, max)

    def open(self, task):
        _, self.mode = opened("ref.Sink", task)
        self.value = task.formats.value
        self.refused_put = self.refused_commit = False
        self.schemas = Schemas()
        if self.mode == "state":
            say(f"total {total()}")

    def assigned(self, partitions):
        for topic, part, at in places(partitions):
            say(f"assigned {topic}-{part}@{at}")
        return with_offsets(partitions, lambda _: 0) if self.mode == "resume" else NONE

    def revoked(self, partitions):
        for topic, part, at in places(partitions):
            say(f"revoked {topic}-{part}@{at}")

    def put(self, records):
        self.schemas.learn(records.schemas)
        data = memoryview(records.data)

        def span(at, length):
            return None if length == NULL else data[at : at + length]

        def shown(part):
            return "null" if part is None else part.hex()

        rows = list(ROW.iter_unpack(records.rows))
        headers = list(HEADER.iter_unpack(records.headers))
        self.demands(rows, span)
        bad = []
        schema = self.schemas.known
        for index, row in enumerate(rows):
            offset, ts, part, topic, k_at, k_len, v_at, v_len, h_first, h_count, _, _, ks, vs = row
            own = [
                (str(data[h[0] : h[0] + h[1]], "utf-8"), span(h[3], h[4])) for h in headers[h_first : h_first + h_count]
            ]
            if self.mode != "quiet":
                listed = ",".join(f"{name}={shown(value)}" for name, value in own)
                say(
                    f"{records.topics[topic]}-{part}@{offset} ts={ts} key={shown(span(k_at, k_len))} "
                    f"value={shown(span(v_at, v_len))} headers=[{listed}] "
                    f"ks={schema.get(ks, '-')} vs={schema.get(vs, '-')}"
                )
            found = dict(own)
            for name in ("ref.bad", "ref.bad.retriable"):
                if name in found:
                    why = bytes(found[name] or b"").decode("utf-8", "replace")
                    bad.append(faults.RowFault(index, 0, name != "ref.bad", "ref.bad", f"marked bad: {why}"))
        metrics.add("ref_records", float(len(rows)))
        metrics.add("ref_bytes", float(len(data)))
        metrics.add("ref_puts", 1.0)
        if self.mode == "state":
            add_to_total(len(rows))
        return sink.Report(bad)

    def demands(self, rows, span):
        texts = {quoted(self.value, "ref:" + what).encode(): what for what in ("fatal", "rows", "panic", "retriable")}
        for index, row in enumerate(rows):
            value = span(row[6], row[7])
            what = None if value is None else texts.get(bytes(value))
            if what == "fatal":
                raise fatal("ref.put", "fatal on demand")
            if what == "rows":
                bad = faults.RowFault(index, 0, False, "ref.rows", "row on demand")
                raise fault(faults.FaultKind_Rows([bad]), "rows.bad", "rows on demand")
            if what == "panic":
                ref_panics_here()
            if what == "retriable" and not self.refused_put:
                self.refused_put = True
                raise retriable(50, "ref.put")

    def prepare_commit(self, offsets):
        if self.mode == "commit-retriable" and not self.refused_commit:
            self.refused_commit = True
            raise retriable(50, "ref.commit")
        for topic, part, at in places(offsets):
            say(f"commit {topic}-{part}@{at}")
        if self.mode == "agree-less":
            return with_offsets(offsets, lambda at: max(at - 1, 0))
        return NONE if self.mode == "agree-none" else offsets

    def close(self):
        say("close ref.Sink")


class Failed(Exception):
    """The record fails at the step."""


class Chain:
    """The outcome of one batch in the making."""

    def __init__(self, records, schemas):
        self.topics = list(records.topics)
        self.input = records.data
        self.appended = bytearray()
        self.headers = bytearray()
        self.rows = bytearray()
        self.schemas = schemas
        self.new = []

    def value(self, row):
        at, length = row[6], row[7]
        if length == NULL:
            return None
        at_appended = at - len(self.input)
        return self.input[at : at + length] if at_appended < 0 else bytes(self.appended[at_appended : at_appended + length])

    def append(self, data):
        at = len(self.input) + len(self.appended)
        self.appended += data
        return at, len(data)


class Transform(Kept, exports.Transform):
    def open(self, task, steps):
        self.schemas = Schemas()
        self.steps = []
        for step in steps:
            config = dict(step.config)
            check("ref.Transform", task, config)
            word = next((config[k] for k in ("match", "to", "text") if k in config), "").encode()
            op = config.get("op", "keep")
            say(f"step {op}")
            self.steps.append((op, word, None if step.predicate is None else step.predicate.negate))

    def apply(self, records):
        self.schemas.learn(records.schemas)
        chain = Chain(records, self.schemas)
        headers = list(HEADER.iter_unpack(records.headers))
        failed = []
        for index, row in enumerate(ROW.iter_unpack(records.rows)):
            first = row[8]
            own = headers[first : first + row[9]]
            row = list(row)
            row[10] = index
            before = len(chain.rows), len(chain.headers), len(chain.appended)
            try:
                self.walk(0, row, own, chain)
            except Failed as e:
                del chain.rows[before[0] :], chain.headers[before[1] :], chain.appended[before[2] :]
                failed.append(faults.RowFault(index, e.args[0], False, "ref.fail", "failed on demand"))
        return transform.Applied(
            chain.topics, chain.new, bytes(chain.rows), bytes(chain.headers), bytes(chain.appended), failed
        )

    def walk(self, first, row, headers, chain):
        for at in range(first, len(self.steps)):
            op, word, negate = self.steps[at]
            if negate is not None and (row[5] != NULL) == negate:
                continue
            value = chain.value(row)
            if op == "upper" and value is not None:
                row[6:8] = chain.append(value.upper())
            elif op == "drop" and value == word:
                return
            elif op == "fail" and value == word:
                raise Failed(at)
            elif op == "route":
                name = word.decode()
                if name not in chain.topics:
                    chain.topics.append(name)
                row[3] = chain.topics.index(name)
            elif op == "split" and value is not None:
                start = row[6]
                parts = value.split(b",")
                for number, part in enumerate(parts):
                    row[6:8] = start, len(part)
                    start += len(part) + 1
                    if number + 1 < len(parts):
                        self.walk(at + 1, list(row), list(headers), chain)
            elif op == "header":
                name = chain.append(b"ref.added")
                headers = [*headers, (*name, 0, *chain.append(word))]
            elif op == "key":
                row[4:6] = row[6:8]
            elif op == "schema":
                row[13] = self.schemas.announce('{"type":"string","optional":false}', chain.new)
            elif op == "panic":
                ref_panics_here()
        row[8], row[9] = len(chain.headers) // HEADER.size, len(headers)
        for header in headers:
            chain.headers += HEADER.pack(*header)
        chain.rows += ROW.pack(*row)

    def close(self):
        """A chain logs nothing here."""
