// The export `source`: a generator read into flat batches. What was yielded leaves exactly once and in order; a fault waits until what was
// yielded before it has left.

import { Fatal, Fault } from "../faults.js";
import { followHost } from "../logs.js";
import type { Connector, Package, source as sourceBase } from "../plugin.js";
import type { RawConnector, RawNext, RawPolled, RawPosition, RawTask } from "../raw.js";
import { Schemas } from "../schemas.js";
import { DONE, FLUSH, NOW, Positions, type Message, type Next, type Polled, type Position } from "../source.js";
import { encode, payloadBytes, type Payload } from "../text.js";
import { Bytes, HEADER, NULL, ROW, Words } from "../wire.js";
import { answering, find, openPlugin, pairs, then } from "./edge.js";

type SourceClass = ReturnType<typeof sourceBase<{}>>;
type Source = InstanceType<SourceClass>;
type Limits = { recordsMax: number; bytesMax: number };
type Reading = { next(): IteratorResult<Polled, Next> | Promise<IteratorResult<Polled, Next>> };

const WAIT_MS_MAX = 60_000;
const IDLE_MS = 1000;
const POLL_MS_MAX = 1000;

/** The batch of one poll in the making. */
export class Filling {
  count = 0;
  readonly positions: RawPosition[] = [];
  readonly #schemas: Schemas;
  readonly #limits: Limits;
  readonly #topics: string[] = [];
  readonly #rows = new Words();
  readonly #headers = new Words(64);
  readonly #data = new Bytes(4096);

  constructor(schemas: Schemas, limits: Limits) {
    this.#schemas = schemas;
    this.#limits = limits;
  }

  /** True once a bound is reached. */
  full(): boolean {
    return this.count >= this.#limits.recordsMax || this.#data.length >= this.#limits.bytesMax;
  }

  /** Writes a message; false, and nothing is written, if it does not fit any more. */
  add(message: Message): boolean {
    const before = this.#data.length;
    const headersBefore = this.#headers.length;
    const key = this.#append(message.key);
    const value = this.#append(message.value);
    if (message.headers) this.#addHeaders(message.headers);
    if (this.count > 0 && this.#data.length > this.#limits.bytesMax) {
      this.#data.length = before;
      this.#headers.length = headersBefore;
      return false;
    }
    let topic = this.#topics.indexOf(message.topic);
    if (topic < 0) topic = this.#topics.push(message.topic) - 1;
    const at = this.#rows.grow(ROW);
    const row = this.#rows.words;
    const time = message.timestamp ?? null;
    row[at] = row[at + 1] = NULL;
    row[at + 2] = time === null ? NULL : time % 0x100000000;
    row[at + 3] = time === null ? NULL : Math.floor(time / 0x100000000);
    row[at + 4] = message.partition ?? NULL;
    row[at + 5] = topic;
    [row[at + 6], row[at + 7]] = key;
    [row[at + 8], row[at + 9]] = value;
    row[at + 10] = headersBefore / HEADER;
    row[at + 11] = (this.#headers.length - headersBefore) / HEADER;
    row[at + 12] = this.count;
    row[at + 13] = 0;
    row[at + 14] = message.keySchema === undefined ? 0 : this.#schemas.announce(message.keySchema);
    row[at + 15] = message.valueSchema === undefined ? 0 : this.#schemas.announce(message.valueSchema);
    this.count += 1;
    if (message.position) this.position(message.position);
    return true;
  }

  #addHeaders(headers: NonNullable<Message["headers"]>): void {
    const all = Array.isArray(headers) ? headers : Object.entries(headers);
    for (const [name, payload] of all as readonly (readonly [string, Payload])[]) {
      const [at, length] = this.#append(encode(name));
      if (length > 0xffff) throw new RangeError("a header's name has at most 65,535 bytes");
      this.#headers.push(at, length, ...this.#append(payload));
    }
  }

  /** A position that holds after what was written so far. Of neighbours of one partition the last stands for all. */
  position({ partition, offset }: Position): void {
    const made = { partition: JSON.stringify(partition), offset: JSON.stringify(offset), afterRow: this.count > 0 ? this.count - 1 : NULL };
    if (this.positions.at(-1)?.partition === made.partition) this.positions.pop();
    this.positions.push(made);
  }

  #append(payload: Payload): [at: number, length: number] {
    const bytes = payloadBytes(payload);
    return bytes === null ? [0, NULL] : [this.#data.append(bytes), bytes.length];
  }

  /** The answer. */
  done(following: Next): RawPolled {
    const schemas = this.#schemas.takeNew();
    const records = { topics: this.#topics, schemas, rows: this.#rows.done(), headers: this.#headers.done(), data: this.#data.done() };
    return { records, positions: this.positions, next: rawNext(following, this.count) };
  }
}

function rawNext(following: Next, count: number): RawNext {
  const next = following ?? (count > 0 ? NOW : { afterMs: IDLE_MS });
  if (typeof next === "object") return { tag: "after", val: Math.min(Math.max(Math.round(next.afterMs), 0), WAIT_MS_MAX) };
  return next === DONE ? { tag: "done" } : { tag: "now" };
}

/** What reads the plugin's `poll` and keeps its place. */
class Reader {
  fault: Fault | undefined;
  #reading: Reading | undefined;
  #held: Message | undefined;
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  fill(out: Filling): Next | Promise<Next> {
    if (this.#held) out.add(this.#held);
    this.#held = undefined;
    if (this.#reading) return this.#read(out, this.#reading, true, 0);
    return then(this.#source.poll() as unknown, (begun) => {
      const reading = iterator(begun);
      if (!reading) return begun as Next;
      this.#reading = reading;
      return this.#read(out, reading, false, 0);
    }) as Next | Promise<Next>;
  }

  /** Forgets where it was, after a fault. */
  reset(): void {
    this.#reading = undefined;
  }

  #read(out: Filling, reading: Reading, resumed: boolean, deadline: number): Next | Promise<Next> {
    while (!out.full()) {
      const read = reading.next();
      if (read instanceof Promise) {
        return read.then((item) => {
          const next = this.#take(out, item, resumed);
          return next === undefined ? this.#read(out, reading, resumed, this.#late(out, deadline)) : next.next;
        });
      }
      const next = this.#take(out, read, resumed);
      if (next !== undefined) return next.next;
      deadline = this.#late(out, deadline);
      if (deadline < 0) return NOW;
    }
    return NOW;
  }

  /** Looks at the clock, a call to the host, for some messages only; negative once it is too late. */
  #late(out: Filling, deadline: number): number {
    if ((out.count & 15) !== 1) return deadline;
    const now = Date.now();
    return deadline === 0 ? now + POLL_MS_MAX : now > deadline ? -1 : deadline;
  }

  #take(out: Filling, item: IteratorResult<Polled, Next>, resumed: boolean): { next: Next | Promise<Next> } | undefined {
    if (item.done) {
      this.#reading = undefined;
      const had = resumed && out.count === 0 && (item.value === undefined || item.value === NOW);
      return { next: had ? this.fill(out) : item.value };
    }
    const given = item.value;
    if (given === FLUSH) return { next: out.count > 0 ? NOW : { afterMs: IDLE_MS } };
    if (typeof given === "object" && given !== null && "topic" in given) {
      if (out.add(given)) return undefined;
      this.#held = given;
      return { next: NOW };
    }
    if (typeof given === "object" && given !== null && "offset" in given) {
      out.position(given);
      return undefined;
    }
    throw new TypeError(`poll yielded ${typeof given}: it yields messages, positions or FLUSH`);
  }
}

function iterator(begun: unknown): Reading | undefined {
  if (typeof begun !== "object" || begun === null) return undefined;
  const made = (begun as { [Symbol.iterator]?: () => Reading; [Symbol.asyncIterator]?: () => Reading });
  return made[Symbol.iterator]?.() ?? made[Symbol.asyncIterator]?.();
}

/** The source of this instance. */
export function sourceExports(made: Package) {
  const schemas = new Schemas();
  let current: Source | undefined;
  let reader: Reader | undefined;

  function opened(): Source {
    if (!current) throw new Fatal("guest.closed", "the source is not open");
    return current;
  }

  return {
    tasks: answering((connector: RawConnector, max: number) => {
      const cls = find(made, "source", connector.class) as unknown as SourceClass;
      const asked: Connector = { name: connector.connector, settings: new Map(connector.config) };
      return [...cls.tasks(asked, max)].map(pairs);
    }),
    open: answering((task: RawTask, positions: RawPosition[]) => {
      followHost();
      const source = openPlugin<Source>(find(made, "source", task.class), task, task.config);
      return then(source.open(new Positions(positions)), () => {
        current = source;
        reader = new Reader(source);
      });
    }),
    poll: answering((limits: Limits) => {
      opened();
      const from = reader!;
      const held = from.fault;
      from.fault = undefined;
      if (held) throw held;
      const out = new Filling(schemas, limits);
      const broken = (error: unknown): RawPolled => {
        if (!(error instanceof Fault)) throw error;
        from.reset();
        if (out.count === 0 && out.positions.length === 0) throw error;
        from.fault = error;
        return out.done(NOW);
      };
      try {
        const next = from.fill(out);
        return next instanceof Promise ? next.then((known) => out.done(known), broken) : out.done(next);
      } catch (error) {
        return broken(error);
      }
    }),
    committed: answering((positions: RawPosition[]) => opened().committed([...new Positions(positions)])),
    close: answering(() => {
      const source = current;
      current = reader = undefined;
      return source?.close();
    }),
  };
}
