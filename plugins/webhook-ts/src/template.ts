// Templates over a record: text with places in braces.
//
// `{value.user.name}` is a field of the JSON value, `{value}` the whole of it, `{key}`, `{topic}`, `{partition}`, `{offset}`, `{timestamp}` (ISO
// 8601), `{header.NAME}`. `{value.note|none}` says what stands there if there is nothing. `{{` and `}}` are braces.

import { BadRecord, decode, type Record as KafkaRecord } from "@lockgate/sdk";

/** A value out of a record. */
export type Found = string | number | boolean | null | object | undefined;
/** Makes a text safe where it is put. */
export type Escape = (text: string) => string;

interface Place {
  path: readonly string[];
  otherwise: string | undefined;
  written: string;
}

type Part = string | Place;

const ROOTS = ["value", "key", "topic", "partition", "offset", "timestamp", "header"];

/** What a template is filled in with. */
export class View {
  readonly #record: KafkaRecord;
  readonly #json: boolean;
  #value: { read: unknown } | undefined;

  /** `json`: values are JSON, else text. */
  constructor(record: KafkaRecord, json: boolean) {
    this.#record = record;
    this.#json = json;
  }

  /** The record's value, parsed once. */
  get value(): unknown {
    this.#value ??= { read: this.#json ? this.#record.valueJson() : this.#record.valueText };
    return this.#value.read;
  }

  /** What a path leads to; undefined where there is nothing. */
  find([root, ...path]: readonly string[]): Found {
    const record = this.#record;
    switch (root) {
      case "topic":
        return record.topic;
      case "partition":
        return record.partition;
      case "offset":
        return String(record.offset);
      case "timestamp":
        return record.timestamp === null ? undefined : new Date(record.timestamp).toISOString();
      case "header": {
        const value = record.header(path.join("."))?.value;
        return value === null || value === undefined ? undefined : unquoted(decode(value), this.#json);
      }
      case "key":
        return record.keyText === null ? undefined : unquoted(record.keyText, this.#json);
      default:
        return path.reduce<Found>((at, name) => field(at, name), this.value as Found);
    }
  }
}

function field(at: Found, name: string): Found {
  if (Array.isArray(at)) return at[Number(name)] as Found;
  return typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as { [name: string]: Found })[name] : undefined;
}

/** A JSON string without its quotes; everything else as it is. */
function unquoted(text: string, json: boolean): string {
  if (!json || !text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/** A text with places. */
export class Template {
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Reads one. Throws `SyntaxError` with what is wrong and where. */
  static parse(text: string): Template {
    const parts: Part[] = [];
    let plain = "";
    for (let at = 0; at < text.length; at++) {
      const two = text.slice(at, at + 2);
      if (two === "{{" || two === "}}") {
        plain += two[0];
        at += 1;
      } else if (text[at] === "}") {
        throw new SyntaxError(`character ${at + 1}: \`}\` closes nothing; write \`}}\` for a brace`);
      } else if (text[at] === "{") {
        const end = text.indexOf("}", at);
        if (end < 0) throw new SyntaxError(`character ${at + 1}: \`{\` is not closed; write \`{{\` for a brace`);
        if (plain !== "") parts.push(plain);
        plain = "";
        parts.push(place(text.slice(at + 1, end), at));
        at = end;
      } else {
        plain += text[at];
      }
    }
    if (plain !== "") parts.push(plain);
    return new Template(parts);
  }

  /** The text for a record. Throws `BadRecord` where a place without an alternative finds nothing. */
  fill(view: View, escape: Escape): string {
    return this.#parts.map((part) => (typeof part === "string" ? part : escape(shown(lookUp(part, view))))).join("");
  }

  /** For JSON: a template of one place alone is what it finds, a number stays a number. */
  valueOf(view: View): unknown {
    const [only] = this.#parts;
    if (this.#parts.length === 1 && typeof only === "object") return lookUp(only, view);
    return this.fill(view, (text) => text);
  }
}

function place(text: string, at: number): Place {
  const [path = "", ...rest] = text.split("|");
  const names = path.trim().split(".");
  const [root = ""] = names;
  if (!ROOTS.includes(root) || names.some((name) => name === "") || (root === "header" && names.length < 2)) {
    throw new SyntaxError(`character ${at + 1}: \`{${text}}\` is none of ${ROOTS.map((r) => `{${r}}`).join(", ")}, {value.FIELD}, {header.NAME}`);
  }
  return { path: names, otherwise: rest.length > 0 ? rest.join("|") : undefined, written: path.trim() };
}

function lookUp({ path, otherwise, written }: Place, view: View): Found {
  const found = view.find(path);
  if (found !== undefined && found !== null) return found;
  if (otherwise !== undefined) return otherwise;
  if (found === null) return null;
  throw new BadRecord("webhook.template", `the record has no {${written}}; {${written}|...} says what to write instead`);
}

function shown(found: Found): string {
  return typeof found === "object" ? JSON.stringify(found) : String(found);
}
