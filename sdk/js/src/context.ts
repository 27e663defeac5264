// Where the plugin is, and what it may ask of the host.

import * as host from "lockgate:connect/context@0.1.0";
import type { Scalars } from "./source.js";

/** True once the task is to stop: return soon. For long loops. */
export function cancelled(): boolean {
  return host.cancelled();
}

/** Asks the host to call `tasks` again and to restart the connector's tasks with the answer. */
export function requestReconfiguration(): void {
  host.requestReconfiguration();
}

/** The stored offsets of these source partitions, in order; null where nothing is stored. Sources only. */
export function offsets(partitions: readonly Scalars[]): (Scalars | null)[] {
  const stored = host.positions(partitions.map((partition) => JSON.stringify(partition)));
  return stored.map((offset) => (offset === null || offset === undefined ? null : (JSON.parse(offset) as Scalars)));
}
