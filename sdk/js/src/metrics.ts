// The plugin's own metrics, shown beside the host's as `lockgate_guest_<name>`. Names are `[a-z][a-z0-9_]*`, at most 60 bytes; at most
// 100 a task are kept. Count batches, not records.

import { add, observe, set } from "lockgate:connect/metrics@0.1.0";

function checked(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,59}$/.test(name)) {
    throw new TypeError(`metric \`${name}\`: a lower-case letter, then letters, digits and underscores, at most 60`);
  }
  return name;
}

/** A counter: only ever goes up. */
export function counter(name: string): { add(value?: number): void } {
  checked(name);
  return { add: (value = 1) => add(name, value) };
}

/** A gauge: goes up and down. */
export function gauge(name: string): { set(value: number): void } {
  checked(name);
  return { set: (value) => set(name, value) };
}

/** A histogram: the distribution of values, in the unit that the name ends with (`_seconds`, `_bytes`). */
export function histogram(name: string): { observe(value: number): void } {
  checked(name);
  return { observe: (value) => observe(name, value) };
}
