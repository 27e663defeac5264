// Outside -> Kafka: messages, each with the position that holds once it is delivered.

import type { Payload } from "./text.js";

/** Values that partitions and offsets are made of. Numbers beyond 2^53 are not exact: write those as text. */
export type Scalars = { readonly [name: string]: string | number | boolean | null };

/** How far a source has read one source partition. The same partition must be written the same way each time. */
export interface Position {
  partition: Scalars;
  offset: Scalars;
}

/** One record for Kafka. */
export interface Message {
  topic: string;
  /** Null, or nothing, is a tombstone. */
  value?: Payload;
  key?: Payload;
  headers?: { readonly [name: string]: Payload } | readonly (readonly [name: string, value: Payload])[];
  /** Milliseconds since the epoch; without it the time of sending counts. */
  timestamp?: number | null;
  /** Without it the host chooses one by the key, as Kafka does. */
  partition?: number | null;
  /** Definition of the key's schema. */
  keySchema?: string;
  /** Definition of the value's schema. */
  valueSchema?: string;
  /** Holds once this message and all before it are delivered. */
  position?: Position;
}

/** There is more: poll again at once. */
export const NOW = Symbol("NOW");
/** Nothing ever again, as far as the plugin knows: polled once a minute. */
export const DONE = Symbol("DONE");
/** Yielded by `poll`: hand over what there is, the next message may take a while. */
export const FLUSH = Symbol("FLUSH");

/** When to poll again: `{ afterMs }` is at most a minute. */
export type Next = typeof NOW | typeof DONE | { afterMs: number } | undefined | void;
/** What `poll` yields. */
export type Polled = Message | Position | typeof FLUSH;
/** What `poll` returns when it is written as a generator. */
export type Poll = Generator<Polled, Next> | AsyncGenerator<Polled, Next>;

/** All stored positions of the connector. */
export class Positions implements Iterable<Position> {
  readonly #all: Position[];

  constructor(stored: readonly { partition: string; offset: string }[]) {
    this.#all = stored.map(({ partition, offset }) => ({ partition: JSON.parse(partition), offset: JSON.parse(offset) }));
  }

  /** The offset stored for a partition; undefined if nothing is stored. */
  get<O extends Scalars = Scalars>(partition: Scalars): O | undefined {
    const wanted = identity(partition);
    return this.#all.find((position) => identity(position.partition) === wanted)?.offset as O | undefined;
  }

  [Symbol.iterator](): Iterator<Position> {
    return this.#all[Symbol.iterator]();
  }
}

/** The same for the same names and values, whatever their order. */
function identity(partition: Scalars): string {
  return JSON.stringify(Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : 1)));
}
