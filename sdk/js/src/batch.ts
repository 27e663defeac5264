// Batches as the host sends them, read in place: a record is a view that reads a field when asked, and nothing is copied or parsed but
// what the plugin touches.

import type { RawBatch, RawOffsets } from "./raw.js";
import type { Schemas } from "./schemas.js";
import { decode } from "./text.js";
import { HEADER, NULL, PLACE, ROW, s64, time, words } from "./wire.js";

/** A place in Kafka: the next offset of a topic partition. */
export interface Place {
  topic: string;
  partition: number;
  /** -1n: none. */
  offset: bigint;
}

/** One header. */
export interface Header {
  name: string;
  /** Null is null. */
  value: Uint8Array | null;
  /** Definition of the value's schema. */
  schema: string | null;
}

/** One record of a batch: a view. It holds the whole batch; to keep a value, keep `record.value.slice()`. */
export class Record {
  readonly #batch: Batch;
  readonly #at: number;
  /** Index in the batch. */
  readonly index: number;

  constructor(batch: Batch, index: number) {
    this.#batch = batch;
    this.#at = index * ROW;
    this.index = index;
  }

  /** Topic. */
  get topic(): string {
    return this.#batch.topics[this.#batch.words[this.#at + 5]!]!;
  }

  /** Partition. */
  get partition(): number {
    return this.#batch.words[this.#at + 4]!;
  }

  /** Offset in the partition, exact over all 64 bits. */
  get offset(): bigint {
    const w = this.#batch.words;
    return s64(w[this.#at]!, w[this.#at + 1]!);
  }

  /** Milliseconds since the epoch; null where there is none. */
  get timestamp(): number | null {
    const w = this.#batch.words;
    const at = time(w[this.#at + 2]!, w[this.#at + 3]!);
    return at < 0 ? null : at;
  }

  /** Key as a view; null is null. */
  get key(): Uint8Array | null {
    const batch = this.#batch;
    return batch.span(batch.words[this.#at + 6]!, batch.words[this.#at + 7]!);
  }

  /** Value as a view; null is a tombstone. */
  get value(): Uint8Array | null {
    const batch = this.#batch;
    return batch.span(batch.words[this.#at + 8]!, batch.words[this.#at + 9]!);
  }

  /** Key as UTF-8 text; what is not UTF-8 becomes U+FFFD. */
  get keyText(): string | null {
    const key = this.key;
    return key === null ? null : decode(key);
  }

  /** Value as UTF-8 text; what is not UTF-8 becomes U+FFFD. */
  get valueText(): string | null {
    const value = this.value;
    return value === null ? null : decode(value);
  }

  /** Value parsed as JSON (encoding `json`). Throws `SyntaxError` where it is none; a tombstone is null. */
  valueJson(): unknown {
    const text = this.valueText;
    return text === null ? null : JSON.parse(text);
  }

  /** Definition of the key's schema. */
  get keySchema(): string | null {
    return this.#batch.schemas.definition(this.#batch.words[this.#at + 14]!);
  }

  /** Definition of the value's schema. */
  get valueSchema(): string | null {
    return this.#batch.schemas.definition(this.#batch.words[this.#at + 15]!);
  }

  /** Headers in order; names may repeat. Made anew at each access. */
  get headers(): Header[] {
    const batch = this.#batch;
    return batch.headersAt(batch.words[this.#at + 10]!, batch.words[this.#at + 11]!);
  }

  /** The last header of this name. */
  header(name: string): Header | undefined {
    return this.headers.findLast((header) => header.name === name);
  }
}

/** Records from the host, in order; within one partition that is the order of their offsets. */
export class Batch implements Iterable<Record> {
  /** Topic names that occur. */
  readonly topics: readonly string[];
  /** Number of records. */
  readonly length: number;
  /** @internal */
  readonly words: Uint32Array;
  /** @internal */
  readonly schemas: Schemas;
  readonly #data: Uint8Array;
  readonly #headers: Uint8Array;

  constructor(raw: RawBatch, schemas: Schemas) {
    schemas.learn(raw.schemas);
    this.topics = raw.topics;
    this.words = words(raw.rows);
    this.length = this.words.length / ROW;
    this.schemas = schemas;
    this.#data = raw.data;
    this.#headers = raw.headers;
  }

  /** Bytes of all keys, values and headers together. */
  get dataSize(): number {
    return this.#data.length;
  }

  /** One record; throws `RangeError` if there are not so many. */
  at(index: number): Record {
    if (index < 0 || index >= this.length) throw new RangeError(`record ${index} of ${this.length}`);
    return new Record(this, index);
  }

  [Symbol.iterator](): Iterator<Record> {
    let index = 0;
    // One object for all answers: an interpreter pays for each that it makes.
    const answer = { done: false, value: undefined as unknown as Record };
    const next = (): IteratorResult<Record> => {
      if (index < this.length) answer.value = new Record(this, index++);
      else answer.done = true;
      return answer;
    };
    return { next };
  }

  /** Calls back with each value, in order: the quickest way where nothing else is needed. */
  forEachValue(call: (value: Uint8Array | null, index: number) => void): void {
    const w = this.words;
    for (let index = 0, at = 8; index < this.length; index++, at += ROW) call(this.span(w[at]!, w[at + 1]!), index);
  }

  /** @internal */
  span(at: number, length: number): Uint8Array | null {
    return length === NULL ? null : this.#data.subarray(at, at + length);
  }

  /** @internal */
  headersAt(first: number, count: number): Header[] {
    if (count === 0) return [];
    const rows = words(this.#headers.subarray(first * HEADER * 4, (first + count) * HEADER * 4));
    const all: Header[] = [];
    for (let at = 0; at < rows.length; at += HEADER) {
      const name = this.span(rows[at]!, rows[at + 1]! & 0xffff)!;
      const schema = this.schemas.definition(rows[at + 1]! >>> 16);
      all.push({ name: decode(name), value: this.span(rows[at + 2]!, rows[at + 3]!), schema });
    }
    return all;
  }
}

/** The places in the flat form. */
export function places(raw: RawOffsets): Place[] {
  const rows = words(raw.rows);
  const all: Place[] = [];
  for (let at = 0; at < rows.length; at += PLACE) {
    all.push({ topic: raw.topics[rows[at]!]!, partition: rows[at + 1]!, offset: s64(rows[at + 2]!, rows[at + 3]!) });
  }
  return all;
}

/** The flat form of places. */
export function rawOffsets(all: Iterable<Place>): RawOffsets {
  const topics: string[] = [];
  const rows: number[] = [];
  for (const { topic, partition, offset } of all) {
    if (!topics.includes(topic)) topics.push(topic);
    rows.push(topics.indexOf(topic), partition, Number(BigInt.asUintN(32, offset)), Number(BigInt.asUintN(32, offset >> 32n)));
  }
  return { topics, rows: new Uint8Array(Uint32Array.from(rows).buffer) };
}
