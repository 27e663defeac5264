// A small key-value store of the task, stored with its positions: what a call writes becomes durable together with the positions that it
// returned, or with the next commit of a sink. Keys up to 256 bytes, values up to 64 KiB; 1 MiB and 1,000 keys a task.

import * as host from "lockgate:connect/state@0.1.0";
import { Fatal } from "./faults.js";
import { decode, payloadBytes, type Payload } from "./text.js";

/** The value, or null. */
export function get(key: string): Uint8Array | null {
  const stored = host.get(key);
  return stored === null || stored === undefined ? null : Uint8Array.from(stored);
}

/** The value as text, or null. */
export function getText(key: string): string | null {
  const stored = get(key);
  return stored === null ? null : decode(stored);
}

/** Sets a value; text as UTF-8. Beyond the limits: `Fatal`. */
export function set(key: string, value: Exclude<Payload, null | undefined>): void {
  try {
    host.set(key, payloadBytes(value)!);
  } catch (error) {
    const why = error instanceof Error ? error.message : String((error as { payload?: unknown }).payload ?? error);
    throw new Fatal("state.set", why);
  }
}

/** Removes a key; removing nothing is no error. */
export function remove(key: string): void {
  host.remove(key);
}
