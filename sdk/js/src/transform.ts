// Kafka -> Kafka, in between: a record on its way through a chain. A field that no step touches keeps its span in the input's data and costs
// no copy; new bytes go behind it, and spans count on as if they stood there.

import type { Header } from "./batch.js";
import type { RawBatch } from "./raw.js";
import type { Schemas } from "./schemas.js";
import { decode, encode, payloadBytes, type Payload } from "./text.js";
import { Bytes, HEADER, NULL, Words, s64, time, words } from "./wire.js";

/** Returned by `apply`: the record is dropped on purpose. */
export const DROP = Symbol("DROP");
/** What becomes of a record after a step. */
export type Flow = typeof DROP | undefined | void | Generator<void, void>;

/** The outcome of a batch in the making. */
export class Outcome {
  readonly topics: string[];
  readonly schemas: Schemas;
  readonly rows = new Words();
  readonly headers = new Words(64);
  readonly appended = new Bytes();
  readonly inputHeaders: Uint32Array;
  readonly #data: Uint8Array;

  constructor(raw: RawBatch, schemas: Schemas) {
    schemas.learn(raw.schemas);
    this.topics = [...raw.topics];
    this.schemas = schemas;
    this.inputHeaders = words(raw.headers);
    this.#data = raw.data;
  }

  /** The bytes of a span, wherever they lie. */
  span(at: number, length: number): Uint8Array | null {
    if (length === NULL) return null;
    const behind = at - this.#data.length;
    if (behind < 0 || length === 0) return this.#data.subarray(at, at + length);
    return this.appended.bytes.subarray(behind, behind + length);
  }

  /** The span of new bytes. */
  append(payload: Payload): [at: number, length: number] {
    const bytes = payloadBytes(payload);
    if (bytes === null) return [0, NULL];
    return [this.#data.length + this.appended.append(bytes), bytes.length];
  }

  /** Writes a record as it is now. */
  emit(row: Uint32Array, headers: readonly number[]): void {
    row[10] = this.headers.length / HEADER;
    row[11] = headers.length / HEADER;
    const headersAt = this.headers.grow(headers.length); // Before `words` is read: it may be replaced.
    this.headers.words.set(headers, headersAt);
    const rowsAt = this.rows.grow(row.length);
    this.rows.words.set(row, rowsAt);
  }
}

/** A record that a transform may read and change. Fields that are not set keep their bytes, without a copy. */
export class TransformRecord {
  readonly #out: Outcome;
  readonly #row: Uint32Array;
  #headers: readonly number[];

  /** @internal */
  constructor(out: Outcome, row: Uint32Array, headers: readonly number[]) {
    this.#out = out;
    this.#row = row;
    this.#headers = headers;
  }

  /** The record as it is now, on its own. */
  copy(): TransformRecord {
    return new TransformRecord(this.#out, this.#row.slice(), this.#headers);
  }

  /** @internal */
  emit(): void {
    this.#out.emit(this.#row, this.#headers);
  }

  /** Topic. Set it to move the record. */
  get topic(): string {
    return this.#out.topics[this.#row[5]!]!;
  }

  set topic(name: string) {
    const topics = this.#out.topics;
    if (!topics.includes(name)) topics.push(name);
    this.#row[5] = topics.indexOf(name);
  }

  /** Partition; null: the host chooses. */
  get partition(): number | null {
    return this.#row[4] === NULL ? null : this.#row[4]!;
  }

  set partition(partition: number | null) {
    this.#row[4] = partition ?? NULL;
  }

  /** Offset in the partition, exact; null for records of a source. */
  get offset(): bigint | null {
    const at = s64(this.#row[0]!, this.#row[1]!);
    return at < 0n ? null : at;
  }

  /** Milliseconds since the epoch; null where there is none. */
  get timestamp(): number | null {
    const at = time(this.#row[2]!, this.#row[3]!);
    return at < 0 ? null : at;
  }

  set timestamp(timestamp: number | null) {
    this.#row[2] = timestamp === null ? NULL : timestamp % 0x100000000;
    this.#row[3] = timestamp === null ? NULL : Math.floor(timestamp / 0x100000000);
    this.#row[13]! &= ~1;
  }

  /** Key as a view, good until the record is changed; null is null. Set it to bytes, text or null; its schema stays. */
  get key(): Uint8Array | null {
    return this.#out.span(this.#row[6]!, this.#row[7]!);
  }

  set key(key: Payload) {
    [this.#row[6], this.#row[7]] = this.#out.append(key);
  }

  /** Value as a view, good until the record is changed; null is a tombstone. Set it to bytes, text or null; its schema stays. */
  get value(): Uint8Array | null {
    return this.#out.span(this.#row[8]!, this.#row[9]!);
  }

  set value(value: Payload) {
    [this.#row[8], this.#row[9]] = this.#out.append(value);
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

  /**
   * Makes the value a part of the value of `other` (a `copy` of this record, or itself), without a copy of its bytes. Nothing happens
   * where that is a tombstone.
   */
  valueFrom(other: TransformRecord, start: number, end: number): void {
    const at = other.#row[8]!;
    const length = other.#row[9]!;
    if (length === NULL) return;
    const from = Math.min(Math.max(start, 0), length);
    this.#row[8] = at + from;
    this.#row[9] = Math.max(Math.min(end, length) - from, 0);
  }

  /** Makes the key the value's bytes, without a copy. */
  valueToKey(): void {
    this.#row.copyWithin(6, 8, 10);
  }

  /** Makes the value the key's bytes, without a copy. */
  keyToValue(): void {
    this.#row.copyWithin(8, 6, 8);
  }

  /** Definition of the key's schema. Set it to a definition or null. */
  get keySchema(): string | null {
    return this.#out.schemas.definition(this.#row[14]!);
  }

  set keySchema(definition: string | null) {
    this.#row[14] = definition === null ? 0 : this.#out.schemas.announce(definition);
  }

  /** Definition of the value's schema. Set it to a definition or null. */
  get valueSchema(): string | null {
    return this.#out.schemas.definition(this.#row[15]!);
  }

  set valueSchema(definition: string | null) {
    this.#row[15] = definition === null ? 0 : this.#out.schemas.announce(definition);
  }

  /** Headers in order; names may repeat. Made anew at each access: change them with `addHeader` and `removeHeader`. */
  get headers(): Header[] {
    const all: Header[] = [];
    for (let at = 0; at < this.#headers.length; at += HEADER) {
      const [name, lengthAndSchema, value, length] = this.#headers.slice(at, at + HEADER) as [number, number, number, number];
      all.push({
        name: decode(this.#out.span(name, lengthAndSchema & 0xffff)!),
        value: this.#out.span(value, length),
        schema: this.#out.schemas.definition(lengthAndSchema >>> 16),
      });
    }
    return all;
  }

  /** The last header of this name. */
  header(name: string): Header | undefined {
    return this.headers.findLast((header) => header.name === name);
  }

  /** Adds a header behind those there are. */
  addHeader(name: string, value: Payload, schema?: string): void {
    const [at, length] = this.#out.append(encode(name));
    if (length > 0xffff) throw new RangeError("a header's name has at most 65,535 bytes");
    const id = schema === undefined ? 0 : this.#out.schemas.announce(schema);
    this.#headers = [...this.#headers, at, ((id << 16) | length) >>> 0, ...this.#out.append(value)];
  }

  /** Removes all headers of this name. */
  removeHeader(name: string): void {
    const kept = this.headers.flatMap((header, index) => (header.name === name ? [] : [index * HEADER]));
    this.#headers = kept.flatMap((at) => this.#headers.slice(at, at + HEADER));
  }
}
