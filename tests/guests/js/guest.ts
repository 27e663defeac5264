// The reference guest in TypeScript, through sdk/js: keeps tests/guests/CONTRACT.md, word by word.

import {
  BadRecord, BadRecords, ConfigError, DONE, DROP, Fatal, NOW, Retriable, context, definePackage, key, log, metrics, predicate, sink, source, state,
  transform, type Advice, type Batch, type Connector, type Flow, type Message, type Place, type Poll, type Position, type Positions,
  type Task, type TransformRecord,
} from "@lockgate/sdk";

type Settings = ReadonlyMap<string, string>;

const counters = Object.fromEntries(["records", "bytes", "puts", "committed"].map((name) => [name, metrics.counter(`ref_${name}`)]));
const totalGauge = metrics.gauge("ref_total");

const config = {
  failConfig: key.string({ default: null, doc: "Any value is refused, by validate and by open." }),
  mode: key.string({ default: "echo", doc: "What to do wrong or otherwise." }),
};

const sourceConfig = {
  ...config,
  topic: key.string({ default: "ref-topic", doc: "Where to." }),
  count: key.long({ default: 10n, doc: "Records in all." }),
  start: key.long({ default: 0n, doc: "First number without a stored position." }),
  perPoll: key.int({ default: 4, doc: "Records a poll." }),
};

const sinkConfig = {
  ...config,
  url: key.string({ default: "", doc: "Where mode http goes." }),
};

const stepConfig = {
  ...config,
  op: key.string({ default: "keep", doc: "What to do." }),
  match: key.string({ default: "", doc: "Of drop and fail." }),
  to: key.string({ default: "", doc: "Of route." }),
  text: key.string({ default: "", doc: "Of header." }),
};

const doc = "Does what the contract of the tests says.";
const encodings = ["bytes", "json"] as const;

export const say = (text: string) => log.info(`ref: ${text}`);
const quoted = (encoding: string, text: string) => (encoding === "json" ? `"${text}"` : text);

function ref_panics_here(): never {
  throw new Error("ref panic");
}

function refused(settings: Settings): Advice[] {
  const value = settings.get("fail.config");
  return value === undefined ? [] : [{ key: "fail.config", errors: [`refused by validate: ${value}`] }];
}

// What every open begins with.
function check(name: string, task: Task, { failConfig, mode }: { failConfig: string | null; mode: string }): void {
  if (failConfig !== null) throw new ConfigError({ "fail.config": `refused: ${failConfig}` });
  if (mode === "open-retriable") throw new Retriable("ref.open", "not yet", { afterMs: 250 });
  if (mode === "open-fatal") throw new Fatal("ref.open", "never", { detail: "the detail" });
  const f = task.formats;
  say(`open ${name} ${task.connector}/${task.number} key=${f.key} value=${f.value} header=${f.header}`);
}

function splitTasks(connector: Connector, most: number): Settings[] {
  if (connector.settings.get("mode") === "tasks-fail") throw new Fatal("ref.tasks", "no tasks on demand");
  return Array.from({ length: Math.max(most, 1) }, (_, n) => new Map([...connector.settings, ["task.id", String(n)]]));
}

const total = () => Number(state.getText("total") ?? "0");

function addToTotal(records: number): void {
  const now = total() + records;
  state.set("total", String(now));
  totalGauge.set(now);
}

export class RefSource extends source({ name: "ref.Source", aliases: ["reference-source"], doc, encodings, config: sourceConfig }) {
  #partition = { source: "" };
  #next = 0n;
  #demand = "";

  static override validate = refused;
  static override tasks = splitTasks;

  override open(positions: Positions): void {
    check("ref.Source", this.task, this.config);
    this.#partition = { source: this.task.settings.get("task.id") ?? String(this.task.number) };
    const stored = positions.get<{ n: string }>(this.#partition);
    say(`resume ${stored?.n ?? 0}`);
    this.#next = stored ? BigInt(stored.n) : this.config.start;
    this.#demand = this.config.mode;
  }

  override *poll(): Poll {
    const demand = this.#demand;
    this.#demand = "";
    if (demand === "poll-retriable") throw new Retriable("ref.poll", "not yet", { afterMs: 100 });
    if (demand === "poll-fatal") throw new Fatal("ref.poll", "fatal on demand");
    if (demand === "panic") ref_panics_here();
    const end = this.config.start + this.config.count;
    if (this.#next >= end) return DONE;
    // A batch may be full before: so the count is kept record by record.
    for (let left = this.config.perPoll; left > 0 && this.#next < end; left--) {
      this.#next += 1n;
      if (this.config.mode === "state") addToTotal(1);
      yield this.#message(this.#next - 1n);
    }
    return NOW;
  }

  #message(n: bigint): Message {
    const f = this.task.formats;
    const rest = Number(n % 5n);
    const schema = this.config.mode === "schema" ? { keySchema: OPTIONAL, valueSchema: OPTIONAL } : {};
    return {
      topic: this.config.topic,
      key: rest === 2 ? null : quoted(f.key, `k${n}`),
      value: rest === 4 ? null : quoted(f.value, rest === 3 ? `żółw-${n}-🐢` : `v${n}`),
      headers: { n: quoted(f.header, String(n)) },
      timestamp: 1_700_000_000_000 + Number(n % 1000n),
      position: { partition: this.#partition, offset: { n: String(n + 1n) } },
      ...schema,
    };
  }

  override committed(positions: readonly Position[]): void {
    const last = positions.at(-1);
    if (last) say(`committed ${JSON.stringify(last.offset)}`);
    counters["committed"]!.add();
  }

  override close(): void {
    say("close ref.Source");
  }
}

const OPTIONAL = '{"type":"string","optional":true}';
const HEX = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, "0"));
const shown = (bytes: Uint8Array | null) => (bytes === null ? "null" : Array.from(bytes, (b) => HEX[b]).join(""));

/** The sink, as both engines have it; `starlingmonkey.ts` adds what goes outside. */
export class RefSink extends sink({ name: "ref.Sink", aliases: ["reference-sink"], doc, encodings, config: sinkConfig }) {
  #refusedPut = false;
  #refusedCommit = false;

  static override validate = refused;
  static override tasks = splitTasks;

  override open(): void {
    check("ref.Sink", this.task, this.config);
    if (this.config.mode === "state") say(`total ${total()}`);
  }

  override assigned(partitions: readonly Place[]): Place[] | void {
    for (const p of partitions) say(`assigned ${p.topic}-${p.partition}@${p.offset}`);
    return this.config.mode === "resume" ? partitions.map((p) => ({ ...p, offset: 0n })) : undefined;
  }

  override revoked(partitions: readonly Place[]): void {
    for (const p of partitions) say(`revoked ${p.topic}-${p.partition}@${p.offset}`);
  }

  override put(batch: Batch): Iterable<BadRecord> | AsyncIterable<BadRecord> {
    return this.#shown(batch);
  }

  *#shown(batch: Batch): Iterable<BadRecord> {
    this.#demands(batch);
    for (const record of batch) {
      const headers = record.headers;
      if (this.config.mode !== "quiet") {
        const listed = headers.map(({ name, value }) => `${name}=${shown(value)}`).join(",");
        say(
          `${record.topic}-${record.partition}@${record.offset} ts=${record.timestamp ?? -1} key=${shown(record.key)} ` +
            `value=${shown(record.value)} headers=[${listed}] ks=${record.keySchema ?? "-"} vs=${record.valueSchema ?? "-"}`,
        );
      }
      for (const { name, value } of headers) {
        if (name !== "ref.bad" && name !== "ref.bad.retriable") continue;
        const why = String.fromCharCode(...(value ?? []));
        yield new BadRecord("ref.bad", `marked bad: ${why}`, record, { retriable: name !== "ref.bad" });
      }
    }
    counters["records"]!.add(batch.length);
    counters["bytes"]!.add(batch.dataSize);
    counters["puts"]!.add();
    if (this.config.mode === "state") addToTotal(batch.length);
  }

  #demands(batch: Batch): void {
    const encoding = this.task.formats.value;
    const texts = new Map(["fatal", "rows", "panic", "spin", "grow", "wait", "retriable"].map((what) => [quoted(encoding, `ref:${what}`), what]));
    for (const record of batch) {
      const length = record.value?.length ?? 0;
      const what = length < 8 || length > 20 ? undefined : texts.get(record.valueText!);
      if (what === "fatal") throw new Fatal("ref.put", "fatal on demand");
      if (what === "rows") throw new BadRecords([new BadRecord("ref.rows", "row on demand", record)]);
      if (what === "panic") ref_panics_here();
      if (what === "spin") for (;;);
      if (what === "grow") for (const kept: Uint8Array[] = []; ; ) kept.push(new Uint8Array(1 << 20).fill(1));
      if (what === "wait") {
        say("waiting");
        while (!context.cancelled());
      }
      if (what === "retriable" && !this.#refusedPut) {
        this.#refusedPut = true;
        throw new Retriable("ref.put", "not yet", { afterMs: 50 });
      }
    }
  }

  override prepareCommit(offsets: Place[]): Place[] {
    const { mode } = this.config;
    if (mode === "commit-retriable" && !this.#refusedCommit) {
      this.#refusedCommit = true;
      throw new Retriable("ref.commit", "not yet", { afterMs: 50 });
    }
    for (const p of offsets) say(`commit ${p.topic}-${p.partition}@${p.offset}`);
    if (mode === "agree-less") return offsets.map((p) => ({ ...p, offset: p.offset > 0n ? p.offset - 1n : 0n }));
    return mode === "agree-none" ? [] : offsets;
  }

  override close(): void {
    say("close ref.Sink");
  }
}

export class RefTransform extends transform({ name: "ref.Transform", doc, encodings, config: stepConfig }) {
  override open(): void {
    check("ref.Transform", this.task, this.config);
    say(`step ${this.config.op}`);
  }

  override apply(record: TransformRecord): Flow {
    const { op, match, to, text } = this.config;
    switch (op) {
      case "upper":
        record.value = record.value?.map((b) => (b >= 97 && b <= 122 ? b - 32 : b));
        return;
      case "drop":
        return record.valueText === match ? DROP : undefined;
      case "fail":
        if (record.valueText === match) throw new BadRecord("ref.fail", "failed on demand");
        return;
      case "route":
        record.topic = to;
        return;
      case "split":
        return record.value === null ? undefined : split(record);
      case "header":
        return record.addHeader("ref.added", text);
      case "key":
        return record.valueToKey();
      case "schema":
        record.valueSchema = '{"type":"string","optional":false}';
        return;
      case "panic":
        return ref_panics_here();
    }
  }
}

function* split(record: TransformRecord): Generator<void, void> {
  const whole = record.copy();
  const value = record.value!.slice();
  for (let from = 0; from <= value.length; ) {
    const comma = value.indexOf(44, from);
    const end = comma < 0 ? value.length : comma;
    record.valueFrom(whole, from, end);
    yield;
    from = end + 1;
  }
}

export class RefHasKey extends predicate({ name: "ref.HasKey", doc: "Holds where the key is not null.", encodings, config }) {
  override test(record: TransformRecord): boolean {
    return record.key !== null;
  }
}

export default definePackage({
  name: "reference-js",
  version: "1.2.3",
  doc: "The reference guest of the contract tests.",
  plugins: [RefSource, RefSink, RefTransform, RefHasKey],
});
