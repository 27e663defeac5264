// The reference guest in JavaScript: keeps tests/guests/CONTRACT.md, word by word.
//
// Rows are read through one Uint32Array view (16 words a row); 64-bit values are put together from two words, so that no
// offset is rounded. QuickJS has no TextEncoder, so UTF-8 is done here.

import log from "lockgate:connect/log@0.1.0";
import metrics from "lockgate:connect/metrics@0.1.0";
import state from "lockgate:connect/state@0.1.0";

const NULL = 0xffffffff;
const ROW = 16, HEADER = 4, PLACE = 4;

function encode(text) {
  const out = [];
  for (const char of text) {
    const c = char.codePointAt(0);
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(out);
}

function decode(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const b = bytes[i++];
    const more = b < 0x80 ? 0 : b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : b >= 0xc0 ? 1 : -1;
    if (more < 0 || i + more > bytes.length) {
      text += "\ufffd";
      continue;
    }
    let c = more === 0 ? b : b & (0x3f >> more);
    for (let k = 0; k < more; k++) c = (c << 6) | (bytes[i++] & 63);
    text += String.fromCodePoint(c);
  }
  return text;
}

const HEX = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, "0"));
const hex = (bytes) => (bytes === null ? "null" : Array.from(bytes, (b) => HEX[b]).join(""));

function words(bytes) {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.length >> 2);
}

const bytesOf = (list) => new Uint8Array(Uint32Array.from(list).buffer);
const s64 = (low, high) => BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
const lowHigh = (value) => [Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n))];

function span(data, at, length) {
  return length === NULL ? null : data.subarray(at, at + length);
}

function same(bytes, other) {
  return bytes !== null && bytes.length === other.length && bytes.every((b, i) => b === other[i]);
}

// Bytes that grow.
class Buffer {
  constructor(base = 0) {
    this.bytes = new Uint8Array(1024);
    this.length = 0;
    this.base = base;
  }
  append(more) {
    if (this.length + more.length > this.bytes.length) {
      const larger = new Uint8Array((this.length + more.length) * 2);
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(more, this.length);
    const at = this.base + this.length;
    this.length += more.length;
    return [at, more.length];
  }
  done() {
    return this.bytes.slice(0, this.length);
  }
}

const say = (text) => log.write("info", "ref: " + text);
const fault = (kind, code, message, detail = "") => ({ kind, code, message, detail });
const retriable = (ms, code) => fault({ tag: "retriable", val: ms }, code, "not yet");
const fatal = (code, message, detail) => fault({ tag: "fatal" }, code, message, detail);
const quoted = (encoding, text) => (encoding === "json" ? `"${text}"` : text);
const settings = (config) => Object.fromEntries(config);

function ref_panics_here() {
  throw new Error("ref panic");
}

function check(cls, task, config) {
  if (config["fail.config"] !== undefined) {
    const problems = [{ key: "fail.config", problem: `refused: ${config["fail.config"]}` }];
    throw fault({ tag: "config", val: problems }, "config.invalid", "the configuration is not valid: fail.config");
  }
  const mode = config.mode ?? "echo";
  if (mode === "open-retriable") throw retriable(250, "ref.open");
  if (mode === "open-fatal") throw fatal("ref.open", "never", "the detail");
  const f = task.formats;
  say(`open ${cls} ${task.connector}/${task.task} key=${f.key} value=${f.value} header=${f.header}`);
  return mode;
}

function splitTasks(connector, max) {
  if (settings(connector.config).mode === "tasks-fail") throw fatal("ref.tasks", "no tasks on demand");
  return Array.from({ length: Math.max(max, 1) }, (_, n) => [...connector.config, ["task.id", String(n)]]);
}

function total() {
  const stored = state.get("total");
  return stored ? Number(decode(Uint8Array.from(stored))) : 0;
}

function addToTotal(records) {
  const now = total() + records;
  state.set("total", encode(String(now)));
  metrics.set("ref_total", now);
}

// The schemas of this instance, by id.
const known = new Map();
const announced = new Map();

function learn(schemas) {
  for (const schema of schemas) known.set(schema.id, schema.definition);
}

function announce(definition, fresh) {
  if (!announced.has(definition)) {
    const id = 0x8000 + announced.size;
    announced.set(definition, id);
    known.set(id, definition);
    fresh.push({ id, definition });
  }
  return announced.get(definition);
}

const key = (name, defaultValue, documentation) => ({
  name, configType: "string", required: false, defaultValue, constraint: { tag: "any" }, importance: "medium", documentation,
  group: "", displayName: "", width: "none", dependents: [],
});

const info = (cls, kind, aliases) => ({
  class: cls, kind, aliases, documentation: "Does what the contract of the tests says.",
  config: [
    key("fail.config", null, "Any value is refused, by validate and by open."),
    key("mode", "echo", "What to do wrong or otherwise."),
  ],
  encodings: ["bytes", "json"], requests: [],
});

export const plugin = {
  describe: () => ({
    name: "reference-js",
    version: "1.2.3",
    documentation: "The reference guest of the contract tests.",
    plugins: [
      info("ref.Source", "source", ["reference-source"]),
      info("ref.Sink", "sink", ["reference-sink"]),
      info("ref.Transform", "transform", []),
      info("ref.HasKey", "predicate", []),
    ],
  }),
  validate(_cls, config) {
    const value = settings(config)["fail.config"];
    if (value === undefined) return [];
    return [{ name: "fail.config", recommended: [], errors: [`refused by validate: ${value}`], visible: true }];
  },
};

const reading = {};

function writeRecord(n, row, schema, rows, headers, data) {
  const put = (text) => (text === null ? [0, NULL] : data.append(encode(text)));
  const f = reading.formats, rest = Number(n % 5n);
  const keySpan = put(rest === 2 ? null : quoted(f.key, `k${n}`));
  const value = rest === 4 ? null : quoted(f.value, rest === 3 ? `żółw-${n}-🐢` : `v${n}`);
  const valueSpan = put(value);
  const name = put("n"), header = put(quoted(f.header, String(n)));
  headers.push(name[0], name[1], ...header);
  const ts = lowHigh(1700000000000n + (n % 1000n));
  rows.push(NULL, NULL, ...ts, NULL, 0, ...keySpan, ...valueSpan, row, 1, row, 0, schema, schema);
}

export const source = {
  tasks: splitTasks,
  open(task, positions) {
    const config = settings(task.config);
    const mode = check("ref.Source", task, config);
    const partition = `{"source":"${config["task.id"] ?? task.task}"}`;
    const stored = positions.find((p) => p.partition === partition);
    const next = stored ? BigInt(JSON.parse(stored.offset).n) : null;
    const start = BigInt(config.start ?? "0");
    say(`resume ${next ?? 0}`);
    Object.assign(reading, {
      mode, partition, formats: task.formats, next: next ?? start, end: start + BigInt(config.count ?? "10"),
      topic: config.topic ?? "ref-topic", perPoll: Number(config["per.poll"] ?? "4"),
    });
  },
  poll(limits) {
    const mode = reading.mode;
    if (mode !== "schema" && mode !== "state") reading.mode = "";
    if (mode === "poll-retriable") throw retriable(100, "ref.poll");
    if (mode === "poll-fatal") throw fatal("ref.poll", "fatal on demand");
    if (mode === "panic") ref_panics_here();
    const fresh = [], rows = [], headers = [], data = new Buffer();
    const schema = mode === "schema" ? announce('{"type":"string","optional":true}', fresh) : 0;
    let count = 0;
    while (count < reading.perPoll && count < limits.recordsMax && reading.next < reading.end) {
      writeRecord(reading.next, count, schema, rows, headers, data);
      reading.next += 1n;
      count += 1;
    }
    const records = {
      topics: [reading.topic], schemas: fresh, rows: bytesOf(rows), headers: bytesOf(headers), data: data.done(),
    };
    if (count === 0) return { records, positions: [], next: { tag: "done" } };
    if (mode === "state") addToTotal(count);
    const position = { partition: reading.partition, offset: `{"n":"${reading.next}"}`, afterRow: count - 1 };
    return { records, positions: [position], next: { tag: "now" } };
  },
  committed(positions) {
    if (positions.length > 0) say(`committed ${positions[positions.length - 1].offset}`);
    metrics.add("ref_committed", 1);
  },
  close: () => say("close ref.Source"),
};

function places(offsets) {
  const rows = words(offsets.rows), all = [];
  for (let at = 0; at < rows.length; at += PLACE) {
    all.push({ topic: rows[at], name: offsets.topics[rows[at]], partition: rows[at + 1], offset: s64(rows[at + 2], rows[at + 3]) });
  }
  return all;
}

function withOffsets(offsets, change) {
  const rows = places(offsets).flatMap((p) => [p.topic, p.partition, ...lowHigh(change(p.offset))]);
  return { topics: offsets.topics, rows: bytesOf(rows) };
}

const NONE = { topics: [], rows: new Uint8Array(0) };
const writing = {};

// What records ask for; before anything is logged.
function demands(rows, data) {
  const texts = new Map(["fatal", "rows", "panic", "retriable"].map((w) => [quoted(writing.value, "ref:" + w), w]));
  for (let at = 0; at < rows.length; at += ROW) {
    const length = rows[at + 9];
    if (length === NULL || length > 20) continue;
    const what = texts.get(decode(span(data, rows[at + 8], length)));
    if (what === "fatal") throw fatal("ref.put", "fatal on demand");
    if (what === "panic") ref_panics_here();
    if (what === "rows") {
      const bad = { row: at / ROW, step: 0, retriable: false, code: "ref.rows", message: "row on demand" };
      throw fault({ tag: "rows", val: [bad] }, "rows.bad", "rows on demand");
    }
    if (what === "retriable" && !writing.refusedPut) {
      writing.refusedPut = true;
      throw retriable(50, "ref.put");
    }
  }
}

export const sink = {
  tasks: splitTasks,
  open(task) {
    const mode = check("ref.Sink", task, settings(task.config));
    Object.assign(writing, { mode, value: task.formats.value, refusedPut: false, refusedCommit: false });
    if (mode === "state") say(`total ${total()}`);
  },
  assigned(partitions) {
    for (const p of places(partitions)) say(`assigned ${p.name}-${p.partition}@${p.offset}`);
    return writing.mode === "resume" ? withOffsets(partitions, () => 0n) : NONE;
  },
  revoked(partitions) {
    for (const p of places(partitions)) say(`revoked ${p.name}-${p.partition}@${p.offset}`);
  },
  put(records) {
    learn(records.schemas);
    const rows = words(records.rows), headers = words(records.headers), data = records.data;
    demands(rows, data);
    const bad = [];
    for (let at = 0; at < rows.length; at += ROW) {
      const own = [];
      for (let h = rows[at + 10] * HEADER, end = h + rows[at + 11] * HEADER; h < end; h += HEADER) {
        own.push([decode(span(data, headers[h], headers[h + 1] & 0xffff)), span(data, headers[h + 2], headers[h + 3])]);
      }
      if (writing.mode !== "quiet") {
        const listed = own.map(([name, value]) => `${name}=${hex(value)}`).join(",");
        const keyHex = hex(span(data, rows[at + 6], rows[at + 7])), valueHex = hex(span(data, rows[at + 8], rows[at + 9]));
        say(
          `${records.topics[rows[at + 5]]}-${rows[at + 4]}@${s64(rows[at], rows[at + 1])} ts=${s64(rows[at + 2], rows[at + 3])} ` +
            `key=${keyHex} value=${valueHex} headers=[${listed}] ` +
            `ks=${known.get(rows[at + 14]) ?? "-"} vs=${known.get(rows[at + 15]) ?? "-"}`,
        );
      }
      const found = new Map(own);
      for (const name of ["ref.bad", "ref.bad.retriable"]) {
        if (!found.has(name)) continue;
        const message = `marked bad: ${decode(found.get(name) ?? [])}`;
        bad.push({ row: at / ROW, step: 0, retriable: name !== "ref.bad", code: "ref.bad", message });
      }
    }
    const count = rows.length / ROW;
    metrics.add("ref_records", count);
    metrics.add("ref_bytes", data.length);
    metrics.add("ref_puts", 1);
    if (writing.mode === "state") addToTotal(count);
    return { bad };
  },
  prepareCommit(offsets) {
    if (writing.mode === "commit-retriable" && !writing.refusedCommit) {
      writing.refusedCommit = true;
      throw retriable(50, "ref.commit");
    }
    for (const p of places(offsets)) say(`commit ${p.name}-${p.partition}@${p.offset}`);
    if (writing.mode === "agree-less") return withOffsets(offsets, (at) => (at > 0n ? at - 1n : 0n));
    return writing.mode === "agree-none" ? NONE : offsets;
  },
  close: () => say("close ref.Sink"),
};

let steps = [];

// Takes one row (an array of 16 words) through the steps from `first` on.
function walk(first, row, headers, out) {
  for (let at = first; at < steps.length; at++) {
    const { op, word, negate } = steps[at];
    if (negate !== null && (row[7] !== NULL) === negate) continue;
    const value = out.value(row);
    if (op === "upper" && value !== null) {
      [row[8], row[9]] = out.appended.append(value.map((b) => (b >= 97 && b <= 122 ? b - 32 : b)));
    } else if (op === "drop" && same(value, word)) {
      return;
    } else if (op === "fail" && same(value, word)) {
      throw { step: at };
    } else if (op === "route") {
      const name = decode(word);
      if (!out.topics.includes(name)) out.topics.push(name);
      row[5] = out.topics.indexOf(name);
    } else if (op === "split" && value !== null) {
      let start = row[8], from = 0;
      for (let comma; (comma = value.indexOf(44, from)) >= 0; from = comma + 1) {
        [row[8], row[9]] = [start + from, comma - from];
        walk(at + 1, row.slice(), headers.slice(), out);
      }
      [row[8], row[9]] = [start + from, value.length - from];
    } else if (op === "header") {
      const name = out.appended.append(encode("ref.added"));
      headers = [...headers, ...name, ...out.appended.append(word)];
    } else if (op === "key") {
      [row[6], row[7]] = [row[8], row[9]];
    } else if (op === "schema") {
      row[15] = announce('{"type":"string","optional":false}', out.fresh);
    } else if (op === "panic") {
      ref_panics_here();
    }
  }
  row[10] = out.headers.length / HEADER;
  row[11] = headers.length / HEADER;
  out.headers.push(...headers);
  out.rows.push(...row);
}

export const transform = {
  open(task, list) {
    steps = list.map((step) => {
      const config = settings(step.config);
      check("ref.Transform", task, config);
      const op = config.op ?? "keep";
      say(`step ${op}`);
      const word = encode(config.match ?? config.to ?? config.text ?? "");
      return { op, word, negate: step.predicate ? step.predicate.negate : null };
    });
  },
  apply(records) {
    learn(records.schemas);
    const data = records.data, input = words(records.rows), headers = words(records.headers), failed = [];
    const appended = new Buffer(data.length);
    const value = (row) => {
      if (row[9] === NULL) return null;
      const behind = row[8] >= data.length && row[9] > 0;
      return behind ? span(appended.bytes, row[8] - data.length, row[9]).slice() : span(data, row[8], row[9]);
    };
    const out = { topics: [...records.topics], rows: [], headers: [], fresh: [], appended, value };
    for (let at = 0; at < input.length; at += ROW) {
      const row = Array.from(input.subarray(at, at + ROW));
      row[12] = at / ROW;
      const own = Array.from(headers.subarray(row[10] * HEADER, (row[10] + row[11]) * HEADER));
      const before = [out.rows.length, out.headers.length, appended.length];
      try {
        walk(0, row, own, out);
      } catch (e) {
        if (e.step === undefined) throw e;
        [out.rows.length, out.headers.length, appended.length] = before;
        failed.push({ row: at / ROW, step: e.step, retriable: false, code: "ref.fail", message: "failed on demand" });
      }
    }
    return {
      topics: out.topics, schemas: out.fresh, rows: bytesOf(out.rows), headers: bytesOf(out.headers),
      appended: appended.done(), failed,
    };
  },
  close() {},
};
