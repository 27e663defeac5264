// Settings of the sink. The URL of a webhook is as good as a password: it is one here, and stands in no message.

import { key, type Secret } from "@lockgate/sdk";
import { FORMATS } from "./formats.js";

/** What is wrong with a URL, without showing it. */
function badUrl(secret: Secret): string | undefined {
  let url: URL;
  try {
    url = new URL(secret.reveal());
  } catch {
    return "it is not a URL";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "it must begin with https:// or http://";
  if (url.username !== "" || url.password !== "") return "it must not hold a login: use webhook.auth.header";
  return undefined;
}

function badHeader(all: string[]): string | undefined {
  const wrong = all.find((one) => !/^\s*[\w!#$%&'*+.^`|~-]+\s*:/.test(one));
  return wrong === undefined ? undefined : `\`${wrong.split(":")[0]}\` is not \`name: value\``;
}

/** The keys. */
export const config = {
  url: key.secret({ name: "webhook.url", check: badUrl, doc: "Where messages go. Masked like a password, because it is one." }),
  format: key.oneOf(FORMATS, { name: "webhook.format", default: "slack", doc: "What the other side wants: the bodies of Slack and of Discord, or JSON or text." }),
  template: key.string({
    name: "webhook.template",
    default: null,
    doc: "A record's message: text with {value.FIELD}, {value}, {key}, {topic}, {partition}, {offset}, {timestamp}, {header.NAME}; {...|text} where there is nothing. Of json: JSON whose texts are such. Without: the value.",
  }),
  batchMax: key.int({ name: "webhook.batch.max", default: 20, between: [1, 1000], doc: "Records in one request at most; fewer if their messages do not fit." }),
  intervalMs: key.millis({
    name: "webhook.interval.ms",
    default: 0,
    between: [0, 60_000],
    doc: "Milliseconds from one request to the next at least. Slack takes one a second.",
  }),
  timeoutMs: key.millis({ name: "webhook.timeout.ms", default: 10_000, between: [1, 25_000], doc: "Milliseconds for one answer." }),
  retryAfterMaxMs: key.millis({
    name: "webhook.retry.after.max.ms",
    default: 900_000,
    between: [0, 86_400_000],
    importance: "low",
    doc: "Milliseconds at most that the server's Retry-After is obeyed.",
  }),
  truncate: key.boolean({ name: "webhook.truncate", default: true, doc: "Cut a message that is too long for the format; false: its record is bad." }),
  username: key.string({ name: "webhook.username", default: null, doc: "Discord: the name that messages are shown under." }),
  headers: key.list({ name: "webhook.headers", default: [], check: badHeader, doc: "Headers, as `name: value`, separated by commas." }),
  authHeader: key.secret({ name: "webhook.auth.header", default: null, doc: "Value of the header Authorization, such as `Bearer ...`." }),
  tombstones: key.oneOf(["skip", "send", "fail"], {
    name: "webhook.tombstones",
    default: "skip",
    doc: "Records without a value: passed over, sent as an empty message by the template, or bad records.",
  }),
};
