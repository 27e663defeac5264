/**
 * Plugins under test on your own machine, through the same bytes as in the sandbox; only the sandbox itself (grants, limits) is missing.
 * Run with `lockgate-js test FILE...`:
 *
 *     test("tombstones are bad", async () => {
 *       const sink = await testing.openSink(MySink, { file: "out" });
 *       const bad = await sink.put([{ topic: "orders", value: null }]);
 *       assert.deepEqual(bad.map((b) => b.code), ["my.tombstone"]);
 *     });
 */
import { places, rawOffsets, type Place } from "./batch.js";
import { BadRecord, BadRecords, ConfigError, Fatal, type Fault, Retriable } from "./faults.js";
import { pluginExports } from "./guest/describing.js";
import { sinkExports } from "./guest/sinks.js";
import { sourceExports } from "./guest/sources.js";
import { transformExports } from "./guest/transforms.js";
import { host as standIn } from "./host-testing.js";
import { definePackage, type PluginClass } from "./plugin.js";
import type { Encoding, RawBatch, RawFault, RawRowFault, RawSchema, RawTask } from "./raw.js";
import { decode, encode, payloadBytes, type Payload } from "./text.js";
import { Bytes, HEADER, NULL, ROW, Words, s64, time, words } from "./wire.js";

/** A record to put in. */
export interface Given {
  topic?: string;
  value?: Payload;
  key?: Payload;
  headers?: { readonly [name: string]: Payload };
  partition?: number;
  offset?: bigint | number;
  timestamp?: number | null;
  keySchema?: string;
  valueSchema?: string;
}

/** A record that came out; texts where bytes are UTF-8. */
export interface Seen {
  topic: string;
  value: string | null;
  key: string | null;
  headers: [name: string, value: string | null][];
  partition: number | null;
  offset: bigint;
  timestamp: number | null;
  keySchema: string | null;
  valueSchema: string | null;
  /** Chains: index of the input record that it comes from. */
  sourceRow: number;
}

/** What the host knows: log lines, metrics, state. `reset` empties it. */
export const host = Object.assign(standIn, {
  reset(): void {
    standIn.lines.length = 0;
    for (const map of [standIn.figures, standIn.stored, standIn.offsets]) map.clear();
    standIn.stopping = false;
    standIn.reconfigurations = 0;
  },
});

/** The flat form of records, as the host would send it; `announced` keeps the host's schema ids. */
export function rawBatch(records: readonly Given[], announced = new Map<string, number>()): RawBatch {
  const topics: string[] = [];
  const schemas: RawSchema[] = [];
  const rows = new Words();
  const headers = new Words();
  const data = new Bytes();
  const span = (payload: Payload): [number, number] => {
    const bytes = payloadBytes(payload);
    return bytes === null ? [0, NULL] : [data.append(bytes), bytes.length];
  };
  const schema = (definition: string | undefined): number => {
    if (definition === undefined) return 0;
    if (!announced.has(definition)) {
      announced.set(definition, announced.size + 1);
      schemas.push({ id: announced.get(definition)!, definition });
    }
    return announced.get(definition)!;
  };
  for (const [index, one] of records.entries()) {
    const topic = one.topic ?? "topic";
    if (!topics.includes(topic)) topics.push(topic);
    const first = headers.length / HEADER;
    const key = span(one.key);
    const value = span(one.value);
    for (const [name, payload] of Object.entries(one.headers ?? {})) headers.push(...span(name), ...span(payload));
    const offset = BigInt(one.offset ?? index);
    const at = BigInt(one.timestamp ?? -1);
    const low = (n: bigint): number => Number(BigInt.asUintN(32, n));
    rows.push(
      low(offset), low(offset >> 32n), low(at), low(at >> 32n), one.partition ?? 0, topics.indexOf(topic), ...key, ...value, first,
      headers.length / HEADER - first, index, 0, schema(one.keySchema), schema(one.valueSchema),
    );
  }
  return { topics, schemas, rows: rows.done(), headers: headers.done(), data: data.done() };
}

function seen(raw: Pick<RawBatch, "topics" | "rows" | "headers">, data: Uint8Array, definitions: ReadonlyMap<number, string>): Seen[] {
  const w = words(raw.rows);
  const h = words(raw.headers);
  const text = (at: number, length: number): string | null => {
    if (length === NULL) return null;
    if (at + length > data.length) throw new RangeError("a span leaves the data");
    return decode(data.subarray(at, at + length));
  };
  const all: Seen[] = [];
  for (let at = 0; at < w.length; at += ROW) {
    const [k, kl, v, vl, first, count, sourceRow, , ks, vs] = w.subarray(at + 6, at + 16) as unknown as number[];
    const headers: [string, string | null][] = [];
    for (let n = first! * HEADER; n < (first! + count!) * HEADER; n += HEADER) {
      headers.push([text(h[n]!, h[n + 1]! & 0xffff)!, text(h[n + 2]!, h[n + 3]!)]);
    }
    const stamp = time(w[at + 2]!, w[at + 3]!);
    all.push({
      topic: raw.topics[w[at + 5]!]!, value: text(v!, vl!), key: text(k!, kl!), headers, partition: w[at + 4] === NULL ? null : w[at + 4]!,
      offset: s64(w[at]!, w[at + 1]!), timestamp: stamp < 0 ? null : stamp, keySchema: definitions.get(ks!) ?? null,
      valueSchema: definitions.get(vs!) ?? null, sourceRow: sourceRow!,
    });
  }
  return all;
}

function bad(raw: RawRowFault): BadRecord {
  return new BadRecord(raw.code, raw.message, raw.row, { retriable: raw.retriable });
}

function faultOf({ kind, code, message, detail }: RawFault): Fault {
  if (kind.tag === "retriable") return new Retriable(code, message, { afterMs: kind.val, detail });
  if (kind.tag === "config") return new ConfigError(kind.val.map(({ key, problem }) => [key, problem]), { detail });
  if (kind.tag === "rows") return new BadRecords(kind.val.map(bad), { detail });
  return new Fatal(code, message, { detail });
}

/** A call as the host makes it; a fault is thrown as the plugin threw it. */
async function call<T>(made: () => T | Promise<T>): Promise<T> {
  try {
    return await made();
  } catch (error) {
    throw error instanceof Error ? error : faultOf(error as RawFault);
  }
}

function task(cls: PluginClass, settings: { readonly [key: string]: string }, encoding: Encoding): RawTask {
  const formats = { key: encoding, value: encoding, header: encoding };
  return { class: cls.description.name, connector: "connector", task: 0, config: Object.entries(settings), formats };
}

const alone = (...plugins: PluginClass[]) => definePackage({ name: "tested", version: "0.0.0", plugins });

/** What `describe` says of a plugin. */
export function describe(cls: PluginClass) {
  return pluginExports(alone(cls)).describe().plugins[0]!;
}

/** What `validate` says: the errors by key. */
export function validate(cls: PluginClass, settings: { readonly [key: string]: string }): { [key: string]: string[] } {
  const advice = pluginExports(alone(cls)).validate(cls.description.name, Object.entries(settings));
  return Object.fromEntries(advice.map(({ name, errors }) => [name, errors]));
}

/** Opens a sink. A fault of `open` is thrown. */
export async function openSink(cls: PluginClass, settings: { readonly [key: string]: string } = {}, encoding: Encoding = "bytes") {
  const exports = sinkExports(alone(cls));
  const announced = new Map<string, number>();
  await call(() => exports.open(task(cls, settings, encoding)));
  return {
    /** Puts a batch; the bad records. */
    put: async (records: readonly Given[]) => (await call(() => exports.put(rawBatch(records, announced)))).bad.map(bad),
    /** Assigns partitions; where the sink wants to begin elsewhere. */
    assigned: async (all: readonly Place[]) => places(await call(() => exports.assigned(rawOffsets(all)))),
    /** What the sink agrees to. */
    prepareCommit: async (all: readonly Place[]) => places(await call(() => exports.prepareCommit(rawOffsets(all)))),
    /** Ends it. */
    close: () => call(() => exports.close()),
  };
}

/** Opens a source with stored positions as pairs of JSON texts. */
export async function openSource(
  cls: PluginClass,
  settings: { readonly [key: string]: string } = {},
  positions: readonly [partition: string, offset: string][] = [],
  encoding: Encoding = "bytes",
) {
  const exports = sourceExports(alone(cls));
  const raw = (all: readonly [string, string][]) => all.map(([partition, offset]) => ({ partition, offset, afterRow: NULL }));
  const definitions = new Map<number, string>();
  await call(() => exports.open(task(cls, settings, encoding), raw(positions)));
  return {
    /** Polls once: records, positions (partition, offset, record after which it holds), and when next. */
    async poll(recordsMax = 500, bytesMax = 262_144) {
      const { records, positions, next } = await call(() => exports.poll({ recordsMax, bytesMax }));
      for (const { id, definition } of records.schemas) definitions.set(id, definition);
      return {
        records: seen(records, records.data, definitions),
        positions: positions.map((p) => [p.partition, p.offset, p.afterRow === NULL ? null : p.afterRow] as const),
        next: next.tag === "after" ? `after ${next.val}` : next.tag,
      };
    },
    /** Tells it of durable positions. */
    committed: (all: readonly [string, string][]) => call(() => exports.committed(raw(all))),
    /** Ends it. */
    close: () => call(() => exports.close()),
  };
}

/** A step of a chain under test. */
export interface Step {
  transform: PluginClass;
  settings?: { readonly [key: string]: string };
  predicate?: PluginClass;
  predicateSettings?: { readonly [key: string]: string };
  negate?: boolean;
}

/** Takes records through a chain: what comes out, what failed with the number of its step, and how many bytes were new. */
export async function apply(steps: readonly Step[], records: readonly Given[], encoding: Encoding = "bytes") {
  const classes = new Set(steps.flatMap(({ transform, predicate }) => (predicate ? [transform, predicate] : [transform])));
  const exports = transformExports(alone(...classes));
  const rawSteps = steps.map(({ transform, settings = {}, predicate, predicateSettings = {}, negate = false }, at) => ({
    alias: `s${at}`,
    class: transform.description.name,
    config: Object.entries(settings),
    predicate: predicate
      ? { alias: "p", class: predicate.description.name, config: Object.entries(predicateSettings), negate }
      : null,
  }));
  await call(() => exports.open(task(steps[0]!.transform, {}, encoding), rawSteps));
  const announced = new Map<string, number>();
  const given = rawBatch(records, announced);
  const applied = await call(() => exports.apply(given));
  const data = new Uint8Array([...given.data, ...applied.appended]);
  const definitions = new Map([...announced].map(([definition, id]) => [id, definition]));
  for (const { id, definition } of applied.schemas) definitions.set(id, definition);
  return {
    records: seen(applied, data, definitions),
    failed: applied.failed.map((raw) => ({ step: raw.step, bad: bad(raw) })),
    appended: applied.appended.length,
  };
}

export { decode, encode };
