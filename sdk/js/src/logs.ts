// `console`, written to the worker's log, and traces of errors.

import { lowest, write, type Level } from "lockgate:connect/log@0.1.0";
import { trace } from "./trace.js";

const ORDER: readonly Level[] = ["trace", "debug", "info", "warn", "error"];
let least = 2;

/** Heeds the lowest level that is written anywhere. Called when a task opens. */
export function followHost(): void {
  least = ORDER.indexOf(lowest());
}

function line(level: Level, parts: readonly unknown[]): void {
  if (ORDER.indexOf(level) < least) return;
  const errors = parts.filter((part) => part instanceof Error);
  write(level, parts.map(shown).join(" "));
  for (const error of errors) for (const text of trace(error).slice(1)) write(level, text);
}

function shown(part: unknown): string {
  if (typeof part === "string") return part;
  if (part instanceof Error) return `${part.name}: ${part.message}`;
  if (typeof part !== "object" || part === null) return String(part);
  try {
    return JSON.stringify(part, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)) ?? String(part);
  } catch {
    return String(part);
  }
}

/** The plugin's log; `console` writes to the same. A line below the level that anybody reads is not built. */
export const log = {
  trace: (...parts: unknown[]): void => line("trace", parts),
  debug: (...parts: unknown[]): void => line("debug", parts),
  info: (...parts: unknown[]): void => line("info", parts),
  warn: (...parts: unknown[]): void => line("warn", parts),
  error: (...parts: unknown[]): void => line("error", parts),
};

/** Makes `console` write to the host. */
export function takeConsole(): void {
  (globalThis as { console?: unknown }).console = { ...log, log: log.info };
}

/** Says why this instance dies, whatever the level. */
export function lastWords(error: unknown): void {
  for (const text of trace(error)) write("error", text);
}
