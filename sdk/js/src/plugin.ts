// What a plugin says of itself, and what it is opened with. A description is built from constants alone, so it is the same each time.

import type { Batch, Place } from "./batch.js";
import type { Config, Values } from "./config.js";
import type { BadRecord } from "./faults.js";
import type { Encoding } from "./raw.js";
import type { Next, Poll, Polled, Position, Positions } from "./source.js";
import type { Flow, TransformRecord } from "./transform.js";

/** One kind of plugin. */
export type Kind = "source" | "sink" | "transform" | "predicate";

/** Something outside the sandbox that a plugin asks for; the worker grants it or not. Texts may name config keys: `{http.url}`. */
export type Request =
  | { http: string }
  | { tcp: string }
  | { read: string }
  | { write: string };

/** The payload encodings of one task. */
export interface Formats {
  key: Encoding;
  value: Encoding;
  header: Encoding;
}

/** One connector, before it has tasks. */
export interface Connector {
  name: string;
  /** What the user wrote. */
  settings: ReadonlyMap<string, string>;
}

/** One task. */
export interface Task {
  /** Name of the connector. */
  connector: string;
  /** From 0. */
  number: number;
  /** What `tasks` returned for this task; for steps of a chain the step's own settings. */
  settings: ReadonlyMap<string, string>;
  formats: Formats;
}

/** What a plugin has to say about one config key, beyond its definition. */
export interface Advice {
  key: string;
  /** What is wrong. */
  errors?: string[];
  /** Values to choose from. */
  recommended?: string[];
  /** False hides the key in user interfaces. */
  visible?: boolean;
}

/** A plugin's description. */
export interface Description<C extends Config> {
  /** What users write as `connector.class` or `transforms.x.type`. */
  name: string;
  /** One sentence. */
  doc?: string;
  /** Other names that it answers to. */
  aliases?: readonly string[];
  /** Its settings. */
  config?: C;
  /** What it takes or gives, the preferred one first; `bytes` without a word. */
  encodings?: readonly Encoding[];
  /** What it needs of the outside. */
  asks?: readonly Request[];
}

type Later<T> = T | Promise<T>;
type TaskSettings = Iterable<ReadonlyMap<string, string>>;

/** A plugin's class as a package names it. */
export interface PluginClass {
  readonly kind: Kind;
  readonly description: Description<Config>;
  new (task: Task, config: any): object;
  validate(settings: ReadonlyMap<string, string>): Iterable<Advice>;
}

/** What the base classes have in common. */
function base<C extends Config>(of: Kind, description: Description<C>) {
  return class Plugin {
    static readonly kind: Kind = of;
    static readonly description: Description<Config> = description as Description<Config>;

    /** Checks settings across keys; types, constraints and missing values were checked before. Has no grants. */
    static validate(_settings: ReadonlyMap<string, string>): Iterable<Advice> {
      return [];
    }

    /** Which task this is. */
    readonly task: Task;
    /** The settings, typed. */
    readonly config: Values<C>;

    constructor(task: Task, config: Values<C>) {
      this.task = task;
      this.config = config;
    }
  };
}

/**
 * The base class of a source: `class MySource extends source({ name: "com.example.MySource", config }) { ... }`.
 *
 * One object is one task; the host never calls it from two places at once.
 */
export function source<const C extends Config = {}>(description: Description<C>) {
  return class Source extends base("source", description) {
    /** Splits the work into at most `most` tasks: the settings of each. By default one, with the connector's settings. */
    static tasks(connector: Connector, _most: number): TaskSettings {
      return [connector.settings];
    }

    /** Prepares reading. */
    open(_positions: Positions): Later<void> {}

    /**
     * Gives the next messages: as a generator, a list, or nothing. A generator is read until a batch is full or it ends, and goes
     * on where it was at the next poll. It yields messages, positions that hold after the messages before them, and `FLUSH`. What it
     * returns says when to poll again; without a word at once if there were messages, else after a second. It should not wait for
     * more than about a second between two yields.
     */
    poll(): Poll | Iterable<Polled> | AsyncIterable<Polled> | Later<Next> {
      throw new TypeError(`${description.name} has no \`poll\``);
    }

    /** These positions are durable: the upstream may forget what came before. An error is logged and changes nothing. */
    committed(_positions: readonly Position[]): Later<void> {}

    /** The task ends. 5 s are left. */
    close(): Later<void> {}
  };
}

/**
 * The base class of a sink: `class MySink extends sink({ name: "com.example.MySink", config }) { ... }`.
 *
 * After a `Retriable` the same call is made again. After any other error a new object is made, which gets everything again from the
 * last committed offsets.
 */
export function sink<const C extends Config = {}>(description: Description<C>) {
  return class Sink extends base("sink", description) {
    /** Splits the work into at most `most` tasks. By default `most` with the connector's settings, which share the partitions. */
    static tasks(connector: Connector, most: number): TaskSettings {
      return Array.from({ length: Math.max(most, 1) }, () => connector.settings);
    }

    /** Prepares writing. */
    open(): Later<void> {}

    /** These partitions are now this task's. A sink that keeps offsets in its target answers with those where it wants to begin elsewhere. */
    assigned(_partitions: readonly Place[]): Later<Iterable<Place> | void> {}

    /** These partitions are no longer this task's. */
    revoked(_partitions: readonly Place[]): Later<void> {}

    /** Takes a batch. Yields or returns the records that cannot be delivered; all others are taken. */
    put(_batch: Batch): Iterable<BadRecord> | AsyncIterable<BadRecord> | Later<Iterable<BadRecord> | void> {
      throw new TypeError(`${description.name} has no \`put\``);
    }

    /** The host is about to commit these next offsets. Make what was taken durable and answer with what is: the same, or less. */
    prepareCommit(offsets: Place[]): Later<Iterable<Place>> {
      return offsets;
    }

    /** The task ends. 5 s are left. */
    close(): Later<void> {}
  };
}

/** The base class of a transform: `class Mask extends transform({ name: "com.example.Mask", config }) { ... }`. One object is one step. */
export function transform<const C extends Config = {}>(description: Description<C>) {
  return class Transform extends base("transform", description) {
    /** Prepares the step; `this.config` holds its settings. */
    open(): void {}

    /**
     * Takes one record, changes it in place. Returns nothing to keep it, `DROP` to drop it. Written as a generator, each `yield` sends
     * on the record as it is then. Throw `new BadRecord(code, message)` for one that cannot be handled.
     */
    apply(_record: TransformRecord): Flow {
      throw new TypeError(`${description.name} has no \`apply\``);
    }
  };
}

/** The base class of a predicate, which decides whether a step runs for a record. */
export function predicate<const C extends Config = {}>(description: Description<C>) {
  return class Predicate extends base("predicate", description) {
    /** Prepares the predicate. */
    open(): void {}

    /** True where it holds for the record as earlier steps left it. */
    test(_record: TransformRecord): boolean {
      throw new TypeError(`${description.name} has no \`test\``);
    }
  };
}

/** The plugins of one component. */
export interface Package {
  /** Lower-case letters, digits and hyphens, at most 64. */
  name: string;
  /** A semantic version. */
  version: string;
  /** One sentence. */
  doc?: string;
  plugins: readonly PluginClass[];
}

/** Makes a package: `export default definePackage({ name: "my-sink", version: "0.1.0", plugins: [MySink] });` */
export function definePackage(made: Package): Package {
  if (!/^[a-z0-9-]{1,64}$/.test(made.name)) {
    throw new TypeError(`package name \`${made.name}\`: lower-case letters, digits and hyphens, at most 64, are allowed`);
  }
  if (made.plugins.length === 0) throw new TypeError(`package \`${made.name}\` names no plugin`);
  return made;
}
