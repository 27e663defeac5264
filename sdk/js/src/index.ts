/**
 * Sources, sinks, transforms and predicates for Lockgate, in JavaScript and TypeScript.
 *
 * Extend `source(...)`, `sink(...)`, `transform(...)` or `predicate(...)`, describe the settings with `key`, name the plugins in one
 * `definePackage`, and build the component with `npx lockgate-js build`. The README leads through it.
 */
export { Batch, Record, type Header, type Place } from "./batch.js";
export { key, Key, Secret, type Config, type ConfigType, type KeyOptions, type Values } from "./config.js";
export * as context from "./context.js";
export { BadRecord, BadRecords, ConfigError, Fatal, Fault, Retriable, type FaultOptions } from "./faults.js";
export { log } from "./logs.js";
export * as metrics from "./metrics.js";
export {
  definePackage, predicate, sink, source, transform,
  type Advice, type Connector, type Description, type Formats, type Kind, type Package, type PluginClass, type Request, type Task,
} from "./plugin.js";
export type { Encoding } from "./raw.js";
export { DONE, FLUSH, NOW, Positions, type Message, type Next, type Poll, type Polled, type Position, type Scalars } from "./source.js";
export * as state from "./state.js";
export { decode, encode, type Payload } from "./text.js";
export { DROP, TransformRecord, type Flow } from "./transform.js";
