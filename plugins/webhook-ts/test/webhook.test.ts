import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";

import { BadRecord, Fatal, Retriable } from "@lockgate/sdk";
import * as testing from "@lockgate/sdk/testing";
import { delayMs } from "../src/answers.js";
import { format } from "../src/formats.js";
import { Template } from "../src/template.js";
import { WebhookSink } from "../src/webhook.js";

interface Asked {
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}
type Reply = { status: number; headers?: { [name: string]: string }; body?: string } | "silence";

let server: Server;
let url: string;
let asked: Asked[] = [];
let replies: Reply[] = [];
let judge: (asked: Asked) => Reply = () => ({ status: 200 });

before(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const one = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(parts).toString() };
      asked.push(one);
      const reply = replies.shift() ?? judge(one);
      if (reply !== "silence") response.writeHead(reply.status, reply.headers).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/se-cret`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  replies = [];
  judge = () => ({ status: 200 });
  testing.host.reset();
});

const open = (settings: { [key: string]: string } = {}, encoding: "json" | "bytes" = "json") =>
  testing.openSink(WebhookSink, { "webhook.url": url, ...settings }, encoding);
const records = (...values: unknown[]) => values.map((value) => ({ value: value === null ? null : JSON.stringify(value) }));
const bodies = () => asked.map(({ body }) => JSON.parse(body) as unknown);

test("messages of several records share a request", async () => {
  const sink = await open({ "webhook.template": "{value.who} did <{value.what|nothing}>", "webhook.batch.max": "2" });
  assert.deepEqual(await sink.put(records({ who: "Ann & Żó", what: 1 }, { who: "B" }, { who: "C" })), []);
  assert.deepEqual(bodies(), [{ text: "Ann &amp; Żó did <1>\nB did <nothing>" }, { text: "C did <nothing>" }]);
  assert.equal(asked[0]?.headers["content-type"], "application/json");
});

test("what a record says is no markup and calls nobody", async () => {
  const slack = format("slack", "{value}", true, null);
  const discord = format("discord", "{value}", true, "Bot");
  const view = { find: () => "<!channel> **@everyone**" } as never;
  assert.equal(slack.body([slack.render(view)]), JSON.stringify({ text: "&lt;!channel&gt; **@everyone**" }));
  const body = JSON.parse(discord.body([discord.render(view)])!) as { [name: string]: unknown };
  assert.deepEqual(body, { content: "<!channel\\> \\*\\*@everyone\\*\\*", username: "Bot", allowed_mentions: { parse: [] } });
});

test("a message too long for the format is cut, or bad if that is wanted", async () => {
  const long = "x".repeat(1999) + "🐢🐢";
  await (await open({ "webhook.format": "discord" })).put(records(long));
  const { content } = bodies()[0] as { content: string };
  assert.deepEqual([content.length, content.endsWith("x…")], [2000, true]);
  const bad = await (await open({ "webhook.format": "discord", "webhook.truncate": "false" })).put(records("a", long));
  assert.deepEqual(bad.map(({ code, index }) => [code, index]), [["webhook.length", 1]]);
});

test("messages that do not fit into one request are sent in several", async () => {
  await (await open({ "webhook.format": "discord" })).put(records("a".repeat(1500), "b".repeat(400), "c".repeat(200)));
  assert.deepEqual(bodies().map((body) => (body as { content: string }).content.length), [1901, 200]);
});

test("JSON templates keep numbers and fill texts", async () => {
  const template = JSON.stringify({ id: "{value.id}", text: "{topic}/{partition}@{offset}", tags: ["{value.tag|none}", 7] });
  const sink = await open({ "webhook.format": "json", "webhook.template": template });
  await sink.put([{ topic: "t", partition: 3, offset: 2n ** 60n, value: '{"id": 12, "tag": null}' }]);
  assert.deepEqual(bodies(), [{ id: 12, text: `t/3@${2n ** 60n}`, tags: ["none", 7] }]);
});

test("JSON without a template is the values: one alone, several as an array", async () => {
  const sink = await open({ "webhook.format": "json", "webhook.batch.max": "2" });
  await sink.put(records({ a: 1 }, "b", 3));
  assert.deepEqual(bodies(), [[{ a: 1 }, "b"], 3]);
});

test("text is sent as it is", async () => {
  const sink = await open({ "webhook.format": "text", "webhook.template": "{key}={value} {header.h|-} {{ok}}" }, "bytes");
  await sink.put([{ key: "k", value: "<v>", headers: { h: "1" } }, { key: "l", value: "w" }]);
  assert.deepEqual(asked.map(({ body }) => body), ["k=<v> 1 {ok}\nl=w - {ok}"]);
});

test("tombstones are passed over, sent or bad", async () => {
  assert.deepEqual(await (await open()).put(records(null, "a")), []);
  assert.equal(asked.length, 1);
  const bad = await (await open({ "webhook.tombstones": "fail" })).put(records(null, "a"));
  assert.deepEqual(bad.map(({ code, index }) => [code, index]), [["webhook.tombstone", 0]]);
  await (await open({ "webhook.tombstones": "send", "webhook.template": "gone: {key}" })).put([{ key: '"k"', value: null }]);
  assert.deepEqual(bodies().at(-1), { text: "gone: k" });
});

test("a record without what the template names is bad and says so", async () => {
  const bad = await (await open({ "webhook.template": "{value.a.b}" })).put(records({ a: { b: "x" } }, { a: 1 }));
  assert.deepEqual(bad.map(({ code, index, message }) => [code, index, message.includes("{value.a.b}")]), [["webhook.template", 1, true]]);
  assert.deepEqual(bodies(), [{ text: "x" }]);
});

test("a rate limit is obeyed, and what was delivered is not sent again", async () => {
  const sink = await open({ "webhook.batch.max": "1" });
  const given = records("a", "b", "c");
  replies = [{ status: 200 }, { status: 429, headers: { "retry-after": "7" } }];
  await assert.rejects(sink.put(given), (error: Retriable) => error instanceof Retriable && error.afterMs === 7000);
  assert.deepEqual(await sink.put(given), []);
  assert.deepEqual(bodies().map((body) => (body as { text: string }).text), ["a", "b", "b", "c"]);
});

test("the delay of a rate limit is read as the services write it", () => {
  assert.deepEqual([delayMs("2", ""), delayMs("1.5", ""), delayMs(null, '{"retry_after": 0.345}'), delayMs(null, ""), delayMs("soon", "")], [2000, 1500, 345, 0, 0]);
  assert.equal(delayMs("Wed, 21 Oct 2015 07:28:00 GMT", ""), 0);
  assert.ok(delayMs("Fri, 31 Dec 2999 23:59:59 GMT", "") > 1e12);
});

test("one refused record of several is found, the others are delivered", async () => {
  judge = ({ body }) => (body.includes("bad") ? { status: 400, body: "invalid_payload" } : { status: 200 });
  const bad = await (await open()).put(records("a", "bad", "c"));
  assert.deepEqual(bad.map(({ code, index, message }) => [code, index, message]), [["webhook.status.400", 1, "the webhook answered 400: invalid_payload"]]);
  assert.deepEqual(bodies().map((body) => (body as { text: string }).text), ["a\nbad\nc", "a", "bad", "c"]);
});

test("a webhook that is not there or wants other credentials stops the task", async () => {
  for (const status of [401, 403, 404, 410]) {
    replies = [{ status, body: "no_service" }];
    await assert.rejects((await open()).put(records("a")), (error: Fatal) => error instanceof Fatal && error.code === "webhook.refused");
  }
});

test("a server in trouble, no server and a silent one are tried again", async () => {
  replies = [{ status: 502 }];
  await assert.rejects((await open()).put(records("a")), { name: "Retriable", code: "webhook.busy" });
  replies = ["silence"];
  await assert.rejects((await open({ "webhook.timeout.ms": "20" })).put(records("a")), { name: "Retriable", code: "webhook.timeout" });
  const gone = await open({ "webhook.url": "http://127.0.0.1:1/services/se-cret" });
  await assert.rejects(gone.put(records("a")), { name: "Retriable", code: "webhook.connect" });
});

test("no message, line or setting shows the URL or the credentials", async () => {
  replies = [{ status: 502 }, { status: 403 }];
  const texts: string[] = [];
  const cases: { [key: string]: string }[] = [{}, { "webhook.auth.header": "Bearer se-cret" }, { "webhook.url": "http://127.0.0.1:1/se-cret" }];
  for (const settings of cases) {
    const sink = await open(settings);
    await sink.put(records("a")).catch((error: BadRecord) => texts.push(`${error.message} ${JSON.stringify(error)} ${error.stack}`));
  }
  await open({ "webhook.url": "no url se-cret" }).catch((error: Error) => texts.push(`${error.message} ${JSON.stringify(error)}`));
  texts.push(...testing.host.lines.map(([, text]) => text), JSON.stringify(testing.validate(WebhookSink, { "webhook.url": "se-cret" })));
  assert.equal(texts.length >= 6, true);
  assert.deepEqual(texts.filter((text) => text.includes("se-cret")), []);
  assert.equal(asked[1]?.headers["authorization"], "Bearer se-cret");
});

test("requests keep their distance", async () => {
  const sink = await open({ "webhook.batch.max": "1", "webhook.interval.ms": "60000" });
  await assert.rejects(sink.put(records("a", "b")), { name: "Retriable", code: "webhook.interval" });
  assert.deepEqual(bodies(), [{ text: "a" }]);
});

test("wrong templates are named at validation with the place", () => {
  const problem = (template: string, of = "slack") =>
    testing.validate(WebhookSink, { "webhook.url": url, "webhook.template": template, "webhook.format": of })["webhook.template"]?.[0] ?? "";
  assert.match(problem("a {value"), /character 3: `{` is not closed/);
  assert.match(problem("a }"), /character 3: `}` closes nothing/);
  assert.match(problem("{vlaue.x}"), /character 1: `{vlaue.x}` is none of {value}/);
  assert.match(problem("{header}"), /character 1/);
  assert.match(problem("{value}", "json"), /the template is JSON/);
  assert.equal(problem('{"a": "{value}"}', "json"), "");
  assert.throws(() => Template.parse("{}"), SyntaxError);
});
