import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import {
  BadRecord, BadRecords, Batch, ConfigError, DONE, DROP, FLUSH, Fatal, NOW, Retriable, Secret, context, definePackage, key, log,
  metrics, predicate, sink, source, state, transform, type Flow, type Place, type Poll, type Positions, type TransformRecord,
} from "@lockgate/sdk";
import * as testing from "@lockgate/sdk/testing";
import { host } from "@lockgate/sdk/testing";
import { places, rawOffsets } from "../src/batch.js";
import { Schemas } from "../src/schemas.js";
import { decodeAlone, encodeAlone } from "../src/text.js";
import { trace } from "../src/trace.js";

const batch = (...records: testing.Given[]) => new Batch(testing.rawBatch(records), new Schemas());
const bytes = (...all: number[]) => Uint8Array.from(all);

test("every field of a record reads back, 64-bit offsets exactly", () => {
  const [one, two] = batch(
    {
      topic: "orders", value: bytes(0, 255), key: "k", headers: { one: "1", none: null }, partition: 3, offset: 2n ** 63n - 1n,
      timestamp: 1_700_000_000_123, valueSchema: '{"type":"bytes"}',
    },
    { topic: "other" },
  );
  assert.deepEqual([one!.topic, one!.partition, one!.offset, one!.timestamp], ["orders", 3, 9223372036854775807n, 1_700_000_000_123]);
  assert.deepEqual([one!.keyText, one!.value, one!.valueSchema, one!.keySchema], ["k", bytes(0, 255), '{"type":"bytes"}', null]);
  assert.deepEqual(one!.headers.map(({ name, value }) => [name, value]), [["one", bytes(49)], ["none", null]]);
  assert.deepEqual([two!.key, two!.value, two!.timestamp, two!.headers, two!.index], [null, null, null, [], 1]);
});

test("values are views and not copies", () => {
  const raw = testing.rawBatch([{ value: "abc" }]);
  const made = new Batch(raw, new Schemas());
  assert.equal(made.at(0).value!.buffer, raw.data.buffer);
  made.forEachValue((value) => assert.equal(value!.buffer, raw.data.buffer));
  assert.throws(() => made.at(1), RangeError);
});

test("places are exact over all 64 bits", () => {
  const all: Place[] = [{ topic: "a", partition: 0, offset: 2n ** 63n - 1n }, { topic: "b", partition: 7, offset: -1n }];
  assert.deepEqual(places(rawOffsets(all)), all);
});

test("text survives any characters, and broken bytes become U+FFFD, with and without the engine's own codec", () => {
  for (const codec of [testing, { encode: encodeAlone, decode: decodeAlone }]) {
    for (const text of ["", "plain", "żółw-🐢", "x".repeat(20_000)]) assert.equal(codec.decode(codec.encode(text)), text);
    assert.deepEqual(codec.encode("ż"), bytes(0xc5, 0xbc));
    assert.equal(codec.decode(bytes(0x61, 0xff, 0xc5, 0xbc)), "a\ufffdż");
    assert.deepEqual(codec.encode("a\ud800"), bytes(0x61, 0xef, 0xbf, 0xbd));
  }
});

const config = {
  url: key.string({ doc: "Where to." }),
  batchSize: key.int({ default: 500, between: [1, 1000], check: (n) => (n % 2 ? "must be even" : null) }),
  mode: key.oneOf(["append", "replace"], { default: "append" }),
  token: key.secret({ default: null }),
  names: key.list({ default: [] }),
  flag: key.boolean({ default: true }),
  exact: key.long({ default: 1n }),
};

class Described extends sink({ name: "test.Sink", doc: "Writes.", aliases: ["old.Sink"], encodings: ["json"], asks: [{ http: "{url}" }], config }) {
  static override validate = (settings: ReadonlyMap<string, string>) =>
    settings.get("url") === "taken" ? [{ key: "url", errors: ["is taken"] }] : [];
  static seen: unknown;
  override open(): void {
    Described.seen = this.config;
  }
}

test("settings become typed values, defaults stand in", async () => {
  await testing.openSink(Described, { url: "x", names: "a, b,,c", token: "s3cret", flag: "FALSE", exact: "9007199254740993" });
  const { token, ...rest } = Described.seen as { token: Secret };
  assert.deepEqual(rest, { url: "x", batchSize: 500, mode: "append", names: ["a", "b", "c"], flag: false, exact: 9007199254740993n });
  assert.deepEqual([token.reveal(), String(token), JSON.stringify({ token })], ["s3cret", "***", '{"token":"***"}']);
});

test("all problems of settings come at once and name key, value and what is allowed", async () => {
  const wrong = { "batch.size": "1001", mode: "x", flag: "perhaps", exact: "1.5" };
  await assert.rejects(testing.openSink(Described, wrong), (error: ConfigError) => {
    const problems = Object.fromEntries(error.problems);
    assert.deepEqual(Object.keys(problems), ["url", "batch.size", "mode", "flag", "exact"]);
    assert.equal(problems["batch.size"], "1001 is out of range: 1 to 1000 is allowed");
    assert.equal(problems["mode"], "`x` is not one of append, replace");
    return true;
  });
});

test("the host is told what the class says", () => {
  const info = testing.describe(Described);
  assert.deepEqual([info.class, info.kind, info.aliases, info.encodings], ["test.Sink", "sink", ["old.Sink"], ["json"]]);
  assert.deepEqual(info.requests, [{ tag: "http", val: "{url}" }]);
  const keys = Object.fromEntries(info.config.map((one) => [one.name, one]));
  assert.deepEqual([keys["url"]!.required, keys["url"]!.importance, keys["url"]!.defaultValue], [true, "high", null]);
  assert.deepEqual([keys["batch.size"]!.defaultValue, keys["batch.size"]!.constraint], ["500", { tag: "between", val: [1, 1000] }]);
  assert.deepEqual([keys["token"]!.configType, keys["mode"]!.constraint], ["password", { tag: "one-of", val: ["append", "replace"] }]);
  assert.deepEqual(testing.validate(Described, { url: "taken", "batch.size": "3" }), { "batch.size": ["must be even"], url: ["is taken"] });
});

test("a package says what is wrong with it", () => {
  assert.throws(() => definePackage({ name: "Upper", version: "1.0.0", plugins: [Described] }), /lower-case/);
  assert.throws(() => definePackage({ name: "p", version: "1.0.0", plugins: [] }), /names no plugin/);
});

class Odd extends sink({ name: "test.Odd" }) {
  override *put(given: Batch): Generator<BadRecord> {
    for (const record of given) {
      if (record.valueText === "all") throw new BadRecords([...given].map((one) => new BadRecord("test.all", "all", one)));
      if (Number(record.valueText) % 2) yield new BadRecord("test.odd", "odd", record, { retriable: true });
    }
  }
}

test("bad records are named by their index; without one it is the plugin's error", async () => {
  const opened = await testing.openSink(Odd);
  const bad = await opened.put(["0", "1", "2", "3"].map((value) => ({ value })));
  assert.deepEqual(bad.map((one) => [one.index, one.code, one.retriable]), [[1, "test.odd", true], [3, "test.odd", true]]);
  await assert.rejects(opened.put([{ value: "all" }]), (error: BadRecords) => error.records[0]?.index === 0);
  class Nameless extends sink({ name: "test.Nameless" }) {
    override put = () => [new BadRecord("x", "y")];
  }
  await assert.rejects((await testing.openSink(Nameless)).put([{}]), /third argument/);
});

test("a sink may wait for promises, and its faults carry the trace of their cause", async () => {
  class Late extends sink({ name: "test.Late" }) {
    override async put(given: Batch): Promise<BadRecord[]> {
      await Promise.resolve();
      if (given.at(0).value === null) breaks();
      return [new BadRecord("late", "late", 0)];
    }
    override async prepareCommit(): Promise<Place[]> {
      try {
        return breaks();
      } catch (cause) {
        throw new Retriable("test.wrapped", "wrapped", { afterMs: 20, cause });
      }
    }
  }
  const opened = await testing.openSink(Late);
  assert.equal((await opened.put([{ value: "x" }])).length, 1);
  host.reset();
  await assert.rejects(opened.put([{}]), /broken/);
  assert.match(host.lines.map(([, text]) => text).join("\n"), /Error: broken\n {4}at breaks \(.*:\d+\)/);
  await assert.rejects(opened.prepareCommit([]), (fault: Retriable) => {
    assert.match(fault.detail, /Error: broken\n {4}at breaks/);
    return fault.afterMs === 20;
  });
});

function breaks(): never {
  throw new Error("broken");
}

class Numbers extends source({ name: "test.Numbers", config: { count: key.int({ default: 10 }), mode: key.string({ default: "" }) } }) {
  #next = 0;
  #broken = false;
  override open(positions: Positions): void {
    this.#next = positions.get<{ n: number }>({ b: 1, a: "u" })?.n ?? 0;
  }
  override *poll(): Poll {
    while (this.#next < this.config.count) {
      if (this.config.mode === "breaks" && this.#next === 2 && !this.#broken) {
        this.#broken = true;
        throw new Retriable("test.broken", "broken", { afterMs: 1500 });
      }
      this.#next += 1;
      yield { topic: "t", value: String(this.#next - 1), position: { partition: { a: "u", b: 1 }, offset: { n: this.#next } } };
      if (this.config.mode === "flush") yield FLUSH;
    }
    return DONE;
  }
}

const values = (polled: { records: testing.Seen[] }) => polled.records.map((record) => record.value);

test("a generator fills batches and goes on where it was", async () => {
  const opened = await testing.openSource(Numbers, { count: "5" });
  const polls = [await opened.poll(2), await opened.poll(2), await opened.poll(2), await opened.poll(2)];
  assert.deepEqual(polls.map(values), [["0", "1"], ["2", "3"], ["4"], []]);
  assert.deepEqual(polls[0]!.positions, [['{"a":"u","b":1}', '{"n":2}', 1]]);
  assert.deepEqual([polls[0]!.next, polls[3]!.next], ["now", "done"]);
});

test("reading goes on after a stored position whatever the order of its names", async () => {
  const opened = await testing.openSource(Numbers, {}, [['{"b":1,"a":"u"}', '{"n":8}']]);
  assert.deepEqual(values(await opened.poll()), ["8", "9"]);
});

test("what was yielded before a fault leaves before it", async () => {
  const opened = await testing.openSource(Numbers, { count: "4", mode: "breaks" });
  assert.deepEqual(values(await opened.poll()), ["0", "1"]);
  await assert.rejects(opened.poll(), { code: "test.broken", afterMs: 1500 });
  assert.deepEqual(values(await opened.poll()), ["2", "3"]);
});

test("flush hands over what there is, and a message that does not fit leads the next batch", async () => {
  assert.deepEqual(values(await (await testing.openSource(Numbers, { mode: "flush" })).poll()), ["0"]);
  class Wide extends source({ name: "test.Wide" }) {
    override poll = () => [4, 5, 100, 1].map((size) => ({ topic: "t", value: "x".repeat(size) }));
  }
  const opened = await testing.openSource(Wide);
  const sizes = async () => values(await opened.poll(500, 10)).map((value) => value!.length);
  assert.deepEqual([await sizes(), await sizes(), await sizes()], [[4, 5], [100], [1]]);
});

test("what poll returns says when to poll again, also late", async () => {
  const answers = [{ afterMs: 250 }, { afterMs: 3_600_000 }, NOW, DONE, undefined] as const;
  let at = 0;
  class Says extends source({ name: "test.Says" }) {
    override poll = () => (at % 2 ? Promise.resolve(answers[at++]) : answers[at++]);
  }
  const opened = await testing.openSource(Says);
  const said = [];
  for (const _ of answers) said.push((await opened.poll()).next);
  assert.deepEqual(said, ["after 250", "after 60000", "now", "done", "after 1000"]);
});

test("an async generator is read as well, and every field of a message arrives", async () => {
  class Full extends source({ name: "test.Full" }) {
    override async *poll(): Poll {
      await Promise.resolve();
      const valueSchema = '{"type":"string"}';
      yield { topic: "t", value: "żółw", key: bytes(107), headers: [["h", "1"], ["h", null]], timestamp: 2 ** 40 + 7, partition: 2, valueSchema };
      yield { topic: "u" };
    }
  }
  const [one, two] = (await (await testing.openSource(Full)).poll()).records;
  assert.deepEqual(one, {
    topic: "t", value: "żółw", key: "k", headers: [["h", "1"], ["h", null]], partition: 2, offset: -1n, timestamp: 2 ** 40 + 7,
    keySchema: null, valueSchema: '{"type":"string"}', sourceRow: 0,
  });
  assert.deepEqual([two!.topic, two!.value, two!.partition, two!.timestamp], ["u", null, null, null]);
});

class Does extends transform({ name: "test.Does", config: { op: key.string({ default: "keep" }) } }) {
  override apply(record: TransformRecord): Flow {
    switch (this.config.op) {
      case "drop":
        return DROP;
      case "fail":
        if (record.valueText !== "bad") return;
        record.value = "never seen";
        throw new BadRecord("test.bad", "bad");
      case "split":
        return this.split(record);
      case "twice":
        if (record.value) record.value = record.valueText + record.valueText!;
        return;
      case "head":
        return record.valueFrom(record, 0, 1);
      case "swap":
        record.valueToKey();
        record.value = null;
        return;
      case "move":
        record.topic = "elsewhere";
        record.partition = record.timestamp = null;
        return;
      case "headers":
        record.addHeader("new", "1");
        record.removeHeader("old");
        record.valueSchema = '{"type":"string"}';
        return;
    }
  }
  *split(record: TransformRecord): Generator<void, void> {
    for (const part of record.valueText!.split(",")) {
      record.value = part;
      yield;
    }
  }
}

class HasKey extends predicate({ name: "test.HasKey" }) {
  override test = (record: TransformRecord) => record.key !== null;
}

const chain = (...ops: string[]): testing.Step[] => ops.map((op) => ({ transform: Does, settings: { op } }));

test("a record that is not changed is the same record, and no byte of it is copied", async () => {
  const given = { topic: "t", value: "v", key: "k", headers: { h: "1", n: null }, partition: 2, offset: 9n, timestamp: 5 };
  const { records, appended } = await testing.apply(chain("keep"), [given]);
  assert.deepEqual(records, [{ ...given, headers: [["h", "1"], ["n", null]], keySchema: null, valueSchema: null, sourceRow: 0 }]);
  assert.equal(appended, 0);
  assert.equal((await testing.apply(chain("head", "swap", "move"), [given])).appended, 0);
});

test("steps see what earlier steps left, split records go on through those that follow", async () => {
  const { records } = await testing.apply(chain("split", "twice", "twice"), [{ value: "a,b", key: "k", headers: { h: "1" } }, { value: "c" }]);
  assert.deepEqual(records.map(({ value, sourceRow }) => [value, sourceRow]), [["aaaa", 0], ["bbbb", 0], ["cccc", 1]]);
  assert.deepEqual(records[1]!.headers, [["h", "1"]]);
});

test("dropped and failed records are missing, failures name record and step", async () => {
  const { records, failed } = await testing.apply(chain("keep", "fail"), ["a", "bad", "c"].map((value) => ({ value })));
  assert.deepEqual(records.map(({ value, sourceRow }) => [value, sourceRow]), [["a", 0], ["c", 2]]);
  assert.deepEqual(failed.map(({ step, bad }) => [step, bad.index, bad.code]), [[1, 1, "test.bad"]]);
  assert.deepEqual((await testing.apply(chain("drop"), [{ value: "a" }])).records, []);
});

test("topic, partition, headers and schema change, and a predicate decides record by record", async () => {
  const { records: [one] } = await testing.apply(chain("move", "headers"), [{ value: "a", headers: { old: "x" }, timestamp: 3 }]);
  assert.deepEqual([one!.topic, one!.partition, one!.timestamp, one!.headers], ["elsewhere", null, null, [["new", "1"]]]);
  assert.equal(one!.valueSchema, '{"type":"string"}');
  for (const [negate, expected] of [[false, ["aa", "b"]], [true, ["a", "bb"]]] as const) {
    const step = { transform: Does, settings: { op: "twice" }, predicate: HasKey, negate };
    assert.deepEqual(values(await testing.apply([step], [{ value: "a", key: "k" }, { value: "b" }])), expected);
  }
});

test("logs, metrics, state and context are the host's", () => {
  host.reset();
  log.warn("hot:", 5, { a: 1n }, new Error("oh"));
  assert.deepEqual(host.lines[0], ["warn", 'hot: 5 {"a":"1"} Error: oh']);
  metrics.counter("seen").add(2);
  metrics.counter("seen").add();
  metrics.gauge("level").set(7);
  assert.deepEqual([...host.figures], [["seen", 3], ["level", 7]]);
  assert.throws(() => metrics.counter("Not.Good"), TypeError);
  state.set("k", "ż");
  assert.deepEqual([state.getText("k"), state.get("none")], ["ż", null]);
  state.remove("k");
  assert.equal(state.get("k"), null);
  host.offsets.set('{"a":1}', '{"n":2}');
  assert.deepEqual([context.offsets([{ a: 1 }, { a: 2 }]), context.cancelled()], [[{ n: 2 }, null], false]);
});

test("a trace is in the author's lines by the map that the build keeps", () => {
  const globals = globalThis as { __lockgateMap?: unknown };
  // Line 1: the SDK's own; line 2: line 8 of my.ts, then line 9 from column 4.
  globals.__lockgateMap = () => ({ sources: ["", "my.ts"], mappings: "AAAA;ACOA,IACA" });
  const error = Object.assign(new Error("oh"), { stack: "    at mine (evalled:2:6)\n    at first (evalled:2:2)\n    at inside (evalled:1:1)" });
  assert.deepEqual(trace(error), ["Error: oh", "    at mine (my.ts:9)", "    at first (my.ts:8)"]);
  delete globals.__lockgateMap;
  assert.deepEqual(trace(Object.assign(new Error("x", { cause: "why" }), { stack: "f@a/b.js:3:4" })), ["Error: x", "    at f (b.js:3)", "caused by why"]);
});

test("the wit is the contract's", () => {
  const names = readdirSync("../../wit/v0.1").sort();
  assert.deepEqual(readdirSync("wit").sort(), names);
  for (const name of names) assert.equal(readFileSync(`wit/${name}`, "utf8"), readFileSync(`../../wit/v0.1/${name}`, "utf8"), name);
  assert.match(JSON.parse(readFileSync("package.json", "utf8")).version, /^0\.1\./);
  assert.ok(new Fatal("a", "b") instanceof Error);
});
