// Config definitions, declared once as an object of keys, and settings read by them.
//
//     const config = {
//       url: key.string({ doc: "Where to." }),                             // no default: the user must give it
//       batchSize: key.int({ default: 500, between: [1, 10_000] }),         // the key is `batch.size`
//       mode: key.oneOf(["append", "replace"], { default: "append" }),
//       token: key.secret({ default: null }),                               // masked wherever it is shown
//     };

import { ConfigError } from "./faults.js";

/** Kafka Connect's config types. */
export type ConfigType = "boolean" | "string" | "int" | "short" | "long" | "double" | "list" | "class" | "password";

/** A secret: what converts it to text shows stars; `reveal()` gives it. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }
}

/** What every key may say. `D` is null for keys that may have no value. */
export interface KeyOptions<T, D> {
  /** The value where the user gives none; without it the user must give one. */
  default?: D;
  /** The key; by default the property's name with dots: `batchSize` is `batch.size`. */
  name?: string;
  /** One or two sentences: meaning, unit, effect. */
  doc?: string;
  /** For numbers: both ends included, null = open. */
  between?: readonly [number | null, number | null];
  /** A text that is not empty, a list with an entry. */
  nonEmpty?: boolean;
  /** Says what is wrong with a value. It runs at validation and before `open`. */
  check?: (value: T) => string | null | undefined | void;
  /** `high` for required keys, else `medium`. */
  importance?: "high" | "medium" | "low";
  /** Heading under which it is shown. */
  group?: string;
  /** Name for people. */
  display?: string;
  /** Hint for user interfaces. */
  width?: "none" | "short" | "medium" | "long";
  /** Keys whose validity depends on this one. */
  dependents?: readonly string[];
}

/** One config key; made by `key`. */
export class Key<T> {
  readonly type: ConfigType;
  readonly options: KeyOptions<any, any>;
  readonly allowed: readonly string[];
  readonly #parse: (text: string) => T | undefined;
  readonly #wanted: string;

  constructor(
    type: ConfigType,
    wanted: string,
    parse: (text: string) => T | undefined,
    options: KeyOptions<any, any>,
    allowed: readonly string[] = [],
  ) {
    this.type = type;
    this.options = options;
    this.allowed = allowed;
    this.#parse = parse;
    this.#wanted = wanted;
  }

  /** True if the user must give a value. */
  get required(): boolean {
    return this.options.default === undefined;
  }

  /** The default as the user would write it. */
  get defaultText(): string | null {
    const value: unknown = this.options.default;
    if (value === undefined || value === null) return null;
    return value instanceof Secret ? value.reveal() : String(value);
  }

  /** The value of a text, or what is wrong with it. */
  read(text: string | undefined): { value: T } | { problem: string } {
    if (text === undefined) {
      return this.required ? { problem: `a value is missing; ${this.#wanted} is needed` } : { value: this.options.default as T };
    }
    const value = this.#parse(text);
    if (value === undefined) {
      return { problem: `${this.type === "password" ? "the value" : `\`${text}\``} is not ${this.#wanted}` };
    }
    const problem = this.#problem(value, text);
    return problem ? { problem } : { value };
  }

  /** What the plugin's own check says of a text that is of its type. */
  checked(text: string): string | undefined {
    const value = this.#parse(text);
    return value === undefined ? undefined : this.options.check?.(value) || undefined;
  }

  #problem(value: T, text: string): string | undefined {
    if (this.allowed.length > 0 && !this.allowed.includes(text)) return `\`${text}\` is not one of ${this.allowed.join(", ")}`;
    if (this.options.nonEmpty && (value as unknown as { length: number }).length === 0) return "it must not be empty";
    const [low, high] = this.options.between ?? [null, null];
    const number = Number(text);
    if ((low !== null && number < low) || (high !== null && number > high)) {
      return `${text} is out of range: ${low ?? "any"} to ${high ?? "any"} is allowed`;
    }
    return this.options.check?.(value) || undefined;
  }
}

type Options<T, D> = KeyOptions<T, D>;
type Value<T, D> = D extends null ? T | null : T;

const WHOLE = /^\s*[+-]?\d+\s*$/;
const whole = (text: string) => (WHOLE.test(text) ? Number(text) : undefined);
const entries = (text: string) => text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
const number = (text: string) => (text.trim() === "" || Number.isNaN(Number(text)) ? undefined : Number(text));
const boolean = (text: string) => ({ true: true, false: false })[text.trim().toLowerCase()];

/** Makes config keys. */
export const key = {
  /** A text. */
  string: <D extends string | null = string>(options: Options<string, D> = {}) =>
    new Key<Value<string, D>>("string", "a text", (text) => text as Value<string, D>, options),
  /** A secret: masked wherever it is shown. */
  secret: <D extends Secret | null = Secret>(options: Options<Secret, D> = {}) =>
    new Key<Value<Secret, D>>("password", "a secret", (text) => new Secret(text) as Value<Secret, D>, options),
  /** `true` or `false`. */
  boolean: <D extends boolean | null = boolean>(options: Options<boolean, D> = {}) =>
    new Key<Value<boolean, D>>("boolean", "true or false", (text) => boolean(text) as Value<boolean, D> | undefined, options),
  /** A whole number of 32 bits. */
  int: <D extends number | null = number>(options: Options<number, D> = {}) =>
    new Key<Value<number, D>>("int", "a whole number", (text) => whole(text) as Value<number, D> | undefined, options),
  /** A whole number of 64 bits, exact. */
  long: <D extends bigint | null = bigint>(options: Options<bigint, D> = {}) =>
    new Key<Value<bigint, D>>(
      "long", "a whole number", (text) => (WHOLE.test(text) ? BigInt(text.trim().replace(/^\+/, "")) : undefined) as Value<bigint, D> | undefined, options,
    ),
  /** A number. */
  double: <D extends number | null = number>(options: Options<number, D> = {}) =>
    new Key<Value<number, D>>("double", "a number", (text) => number(text) as Value<number, D> | undefined, options),
  /** Milliseconds; by habit its name ends with `Ms`. */
  millis: <D extends number | null = number>(options: Options<number, D> = {}) =>
    new Key<Value<number, D>>("long", "a number of milliseconds", (text) => whole(text) as Value<number, D> | undefined, options),
  /** Texts, separated by commas. */
  list: (options: Options<string[], readonly string[]> = {}) =>
    new Key<string[]>("list", "a list of texts, separated by commas", entries, options),
  /** One of these texts. */
  oneOf: <const A extends string, D extends A | null = A>(allowed: readonly A[], options: Options<A, D> = {}) =>
    new Key<Value<A, D>>("string", `one of ${allowed.join(", ")}`, (text) => text as Value<A, D>, options, allowed),
};

/** The keys of a plugin, by the names that its code uses. */
export type Config = { readonly [property: string]: Key<any> };

/** The values of a plugin's keys. */
export type Values<C extends Config> = { readonly [P in keyof C]: C[P] extends Key<infer T> ? T : never };

/** The name of a key as users write it. */
export function keyName(property: string, of: Key<any>): string {
  return of.options.name ?? property.replace(/_/g, ".").replace(/([a-z0-9])([A-Z])/g, "$1.$2").toLowerCase();
}

/** Reads settings. Throws a `ConfigError` with all problems at once. */
export function readConfig<C extends Config>(config: C, settings: ReadonlyMap<string, string>): Values<C> {
  const values: { [property: string]: unknown } = {};
  const problems: [string, string][] = [];
  for (const [property, of] of Object.entries(config)) {
    const name = keyName(property, of);
    const read = of.read(settings.get(name));
    if ("problem" in read) problems.push([name, read.problem]);
    else values[property] = Array.isArray(read.value) ? [...read.value] : read.value;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Values<C>;
}
