// Typed errors. The plugin says what is wrong; whether to retry, skip, dead-letter or stop is the host's choice, by the connector's
// `errors.*` settings. Anything else that is thrown ends the instance: the host shows its trace, opens a new one, and goes on after
// the last durable offset.

/** More about a fault. */
export interface FaultOptions {
  /** More for people, at most 16 KiB. Without it, the trace of the cause is taken. */
  detail?: string;
  /** What led to it. */
  cause?: unknown;
}

/** Base of the errors that the host understands. Throw one of its subclasses. */
export abstract class Fault extends Error {
  /** Short, stable and dotted: `http.status`. */
  readonly code: string;
  /** More for people. */
  readonly detail: string;

  /** `message` is one sentence for people, never a secret. */
  constructor(code: string, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? "";
  }
}

/** The same call, with the same input, may succeed later. */
export class Retriable extends Fault {
  override name = "Retriable";
  /** At least so many milliseconds before the next try; 0 leaves it to the host's back-off. */
  readonly afterMs: number;

  constructor(code: string, message: string, options: FaultOptions & { afterMs?: number } = {}) {
    super(code, message, options);
    this.afterMs = options.afterMs ?? 0;
  }
}

/** The task must stop; a person must look. */
export class Fatal extends Fault {
  override name = "Fatal";
}

/** The configuration is wrong. Name all problems at once. */
export class ConfigError extends Fault {
  override name = "ConfigError";
  /** For each key what is wrong with its value and what is allowed. */
  readonly problems: [key: string, problem: string][];

  constructor(problems: Record<string, string> | [key: string, problem: string][], options: FaultOptions = {}) {
    const pairs = Array.isArray(problems) ? problems : Object.entries(problems);
    super("config.invalid", `the configuration is not valid: ${pairs.map(([key]) => key).join(", ")}`, options);
    this.problems = pairs;
  }
}

/**
 * One record that cannot be handled. A sink yields or returns these from `put`, each with its record; all other records count as
 * taken. A transform throws one from `apply`, without a record.
 */
export class BadRecord extends Error {
  override name = "BadRecord";
  /** Short, stable and dotted. */
  readonly code: string;
  /** Index in the batch. */
  readonly index: number | undefined;
  /** True if the same record may succeed later without a change (`errors.retry.timeout` applies). */
  readonly retriable: boolean;

  constructor(code: string, message: string, record?: { readonly index: number } | number, options: { retriable?: boolean } = {}) {
    super(message);
    this.code = code;
    this.index = typeof record === "object" ? record.index : record;
    this.retriable = options.retriable ?? false;
  }
}

/** These records are bad, all others of the call were handled: as yielding each from `put`. */
export class BadRecords extends Fault {
  override name = "BadRecords";
  /** Each with its record. */
  readonly records: BadRecord[];

  constructor(records: Iterable<BadRecord>, options: FaultOptions = {}) {
    const all = [...records];
    super("rows.bad", `${all.length} records cannot be handled`, options);
    this.records = all;
  }
}
