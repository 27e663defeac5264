// What every export does: find the plugin, turn errors into faults. Only `Fault`s become answers; anything else is shown with its trace and
// ends the instance.

import { keyName, readConfig, type Config } from "../config.js";
import { BadRecord, BadRecords, ConfigError, Fatal, Fault, Retriable } from "../faults.js";
import { lastWords } from "../logs.js";
import type { Kind, Package, PluginClass, Task } from "../plugin.js";
import type { RawFault, RawFaultKind, RawRowFault, RawSettings, RawTask } from "../raw.js";
import { trace } from "../trace.js";

const DETAIL_MAX = 16 * 1024;
const MS_MAX = 0xffffffff;

/** A plugin by class or alias. */
export function find(made: Package, kind: Kind, name: string): PluginClass {
  const found = made.plugins.find(
    ({ kind: of, description: { name: own, aliases } }) => of === kind && (own === name || aliases?.includes(name)),
  );
  if (!found) throw new Fatal("guest.class", `this package has no ${kind} \`${name}\``);
  return found;
}

/** The keys of a class by their names. */
export function keysOf(cls: PluginClass): [name: string, key: Config[string]][] {
  return Object.entries(cls.description.config ?? {}).map(([property, key]) => [keyName(property, key), key]);
}

/** Makes the object of a task; problems of its settings are a `ConfigError`. */
export function openPlugin<T>(cls: PluginClass, task: Pick<RawTask, "connector" | "task" | "formats">, config: RawSettings): T {
  const settings = new Map(config);
  const { connector, task: number, formats } = task;
  const opened: Task = { connector, number, settings, formats: { key: formats.key, value: formats.value, header: formats.header } };
  return new cls(opened, readConfig(cls.description.config ?? {}, settings)) as T;
}

/** Goes on with a value, at once where it is there. */
export function then<T, R>(value: T | PromiseLike<T>, next: (value: T) => R): R | Promise<R> {
  return isPromise(value) ? (value.then(next) as Promise<R>) : next(value);
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** Makes an export of a call: faults become answers, everything else is shown. */
export function answering<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      const answer = call(...args);
      return isPromise(answer) ? (answer.then(undefined, refuse) as R) : answer;
    } catch (error) {
      return refuse(error);
    }
  };
}

function refuse(error: unknown): never {
  if (error instanceof Fault) throw rawFault(error);
  lastWords(error);
  throw error;
}

/** A fault as the host takes it. */
export function rawFault(fault: Fault): RawFault {
  const detail = fault.detail || (fault.cause === undefined ? "" : trace(fault.cause).join("\n"));
  return { kind: kindOf(fault), code: fault.code, message: fault.message, detail: detail.slice(0, DETAIL_MAX) };
}

function kindOf(fault: Fault): RawFaultKind {
  if (fault instanceof Retriable) return { tag: "retriable", val: Math.min(Math.max(Math.round(fault.afterMs), 0), MS_MAX) };
  if (fault instanceof ConfigError) return { tag: "config", val: fault.problems.map(([key, problem]) => ({ key, problem })) };
  if (fault instanceof BadRecords) return { tag: "rows", val: fault.records.map((bad) => rawBad(bad, bad.index)) };
  return { tag: "fatal" };
}

/** A bad record as the host takes it. */
export function rawBad(bad: BadRecord, index: number | undefined, step = 0): RawRowFault {
  if (index === undefined) throw new TypeError(`BadRecord("${bad.code}", ...) does not say which record: give it as the third argument`);
  return { row: index, step, retriable: bad.retriable, code: bad.code, message: bad.message };
}

/** Settings as the host takes them. */
export function pairs(settings: ReadonlyMap<string, string>): RawSettings {
  return [...settings];
}
