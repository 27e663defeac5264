// The records of the WIT as the toolchains give and take them.

/** A schema that one side announces. */
export interface RawSchema {
  id: number;
  definition: string;
}

/** A batch, flat. */
export interface RawBatch {
  topics: string[];
  schemas: RawSchema[];
  rows: Uint8Array;
  headers: Uint8Array;
  data: Uint8Array;
}

/** Positions in topic partitions, flat. */
export interface RawOffsets {
  topics: string[];
  rows: Uint8Array;
}

/** One bad row. */
export interface RawRowFault {
  row: number;
  step: number;
  retriable: boolean;
  code: string;
  message: string;
}

/** What the host may do about a fault. */
export type RawFaultKind =
  | { tag: "retriable"; val: number }
  | { tag: "rows"; val: RawRowFault[] }
  | { tag: "fatal" }
  | { tag: "config"; val: { key: string; problem: string }[] };

/** The error of every call. */
export interface RawFault {
  kind: RawFaultKind;
  code: string;
  message: string;
  detail: string;
}

/** Settings as the host has them. */
export type RawSettings = [string, string][];

/** One connector. */
export interface RawConnector {
  class: string;
  connector: string;
  config: RawSettings;
}

/** One task. */
export interface RawTask extends RawConnector {
  task: number;
  formats: { key: Encoding; value: Encoding; header: Encoding };
}

/** How keys, values and headers are to be read: opaque bytes, UTF-8 JSON, CBOR (RFC 8949). */
export type Encoding = "bytes" | "json" | "cbor";

/** A stored or new position. */
export interface RawPosition {
  partition: string;
  offset: string;
  afterRow: number;
}

/** When to be polled again. */
export type RawNext = { tag: "now" } | { tag: "after"; val: number } | { tag: "done" };

/** The answer of a poll. */
export interface RawPolled {
  records: RawBatch;
  positions: RawPosition[];
  next: RawNext;
}

/** One transform of a chain. */
export interface RawStep {
  alias: string;
  class: string;
  config: RawSettings;
  predicate?: { alias: string; class: string; config: RawSettings; negate: boolean } | null;
}

/** What became of a batch in a chain. */
export interface RawApplied {
  topics: string[];
  schemas: RawSchema[];
  rows: Uint8Array;
  headers: Uint8Array;
  appended: Uint8Array;
  failed: RawRowFault[];
}
