// Traces of errors in the author's own terms: the build keeps a source map beside the code, and it is read only when something is thrown.

/** What the build knows of the bundle: source names (empty: the SDK's own, left out) and the mappings of source map version 3. */
interface CodeMap {
  sources: string[];
  mappings: string;
}

const LINES_MAX = 40;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The lines of an error: what, then where, the innermost call first; causes follow. */
export function trace(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let at = error, words = ""; at !== undefined && !seen.has(at); words = "caused by ") {
    seen.add(at);
    if (!(at instanceof Error)) {
      lines.push(`${words}${typeof at === "object" ? JSON.stringify(at) : String(at)}`);
      break;
    }
    lines.push(`${words}${at.name}: ${at.message}`, ...frames(at.stack ?? ""));
    at = at.cause;
  }
  return lines;
}

function frames(stack: string): string[] {
  const map = (globalThis as { __lockgateMap?: () => CodeMap }).__lockgateMap?.();
  const found: string[] = [];
  for (const line of stack.split("\n")) {
    // `    at name (file:1:2)` of QuickJS and V8, `name@file:1:2` of SpiderMonkey.
    const parts = /^\s*at (?:(.*?) \()?(.*?):(\d+)(?::(\d+))?\)?$/.exec(line) ?? /^(.*?)@(.*?):(\d+)(?::(\d+))?$/.exec(line);
    if (!parts) continue;
    const name = parts[1] || "<anonymous>";
    const place = map ? mapped(map, Number(parts[3]), Number(parts[4] ?? 1)) : `${parts[2]!.split("/").pop()}:${parts[3]}`;
    if (place !== undefined) found.push(`    at ${name} (${place})`);
  }
  return found.slice(0, LINES_MAX);
}

/** `source:line` of a place in the bundle; undefined for the SDK's own code. */
function mapped(map: CodeMap, line: number, column: number): string | undefined {
  let source = 0;
  let sourceLine = 0;
  let found: string | undefined;
  const lines = map.mappings.split(";");
  for (let at = 0; at < line && at < lines.length; at++) {
    let generated = 0;
    for (const segment of lines[at]!.split(",")) {
      const [step, sourceStep, lineStep] = numbers(segment);
      if (step === undefined) continue;
      generated += step;
      source += sourceStep ?? 0;
      sourceLine += lineStep ?? 0;
      if (at === line - 1 && (generated < column || found === undefined)) {
        found = map.sources[source] ? `${map.sources[source]}:${sourceLine + 1}` : "";
      }
    }
  }
  return found || undefined;
}

function numbers(segment: string): number[] {
  const all: number[] = [];
  let value = 0;
  let shift = 0;
  for (const char of segment) {
    const digit = DIGITS.indexOf(char);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit < 32) {
      all.push(value & 1 ? -(value >> 1) : value >> 1);
      value = shift = 0;
    }
  }
  return all;
}
