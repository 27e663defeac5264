// Records as messages to a webhook, several in one request. What was answered with 2xx is delivered; while the other side cannot take more,
// nothing overtakes, and what a request has delivered is not sent again when the same batch comes once more.

import { BadRecord, ConfigError, Retriable, definePackage, log, metrics, sink, type Batch } from "@lockgate/sdk";
import { judged, type Answer } from "./answers.js";
import { format, type Format, type Rendered } from "./formats.js";
import { config } from "./settings.js";
import { View } from "./template.js";

const requests = metrics.counter("webhook_requests");
const seconds = metrics.histogram("webhook_request_seconds");
/** Milliseconds that a put waits for its turn itself; beyond, it asks the host to come again. */
const WAIT_MS_MAX = 2_000;

/** How far a batch got before a retriable fault. */
interface Progress {
  identity: string;
  done: number;
  /** Records before this one go alone: one of them was refused, and only one by one shows which. */
  alone: number;
  bad: BadRecord[];
}

export class WebhookSink extends sink({
  name: "lockgate.WebhookSink",
  aliases: ["WebhookSink", "webhook"],
  doc: "Sends records as messages to a webhook: Slack, Discord, JSON or text.",
  encodings: ["json", "bytes"],
  config,
  asks: [{ http: "{webhook.url}" }],
}) {
  #format!: Format;
  #headers: { [name: string]: string } = {};
  #progress: Progress | undefined;
  #free = 0;

  static override validate(settings: ReadonlyMap<string, string>) {
    const problem = templateProblem(settings);
    return problem === undefined ? [] : [{ key: "webhook.template", errors: [problem] }];
  }

  override open(): void {
    const { template, truncate, username, headers, authHeader } = this.config;
    const problem = templateProblem(this.task.settings);
    if (problem !== undefined) throw new ConfigError({ "webhook.template": problem });
    this.#format = format(this.config.format, template, truncate, username);
    for (const header of headers) {
      const colon = header.indexOf(":");
      this.#headers[header.slice(0, colon).trim().toLowerCase()] = header.slice(colon + 1).trim();
    }
    this.#headers["content-type"] ??= this.#format.contentType;
    if (authHeader !== null) this.#headers["authorization"] = authHeader.reveal();
    log.info(`sending to ${new URL(this.config.url.reveal()).host} as ${this.config.format}`);
  }

  override async put(batch: Batch): Promise<BadRecord[]> {
    const identity = identityOf(batch);
    const kept = this.#progress?.identity === identity ? this.#progress : undefined;
    const at: Progress = kept ?? { identity, done: 0, alone: 0, bad: [] };
    this.#progress = at;
    // A retriable fault leaves `at` where it is: the same batch comes again.
    while (at.done < batch.length) at.done += await this.#next(batch, at);
    this.#progress = undefined;
    return at.bad;
  }

  /** Sends the next request; answers how many records are settled with it, sent, passed over or bad. */
  async #next(batch: Batch, at: Progress): Promise<number> {
    const rendered: Rendered[] = [];
    const unfit: BadRecord[] = [];
    const most = at.done < at.alone ? 1 : this.config.batchMax;
    let body: string | undefined;
    let last = 0;
    let count = 0;
    for (; at.done + count < batch.length && rendered.length < most; count++) {
      const one = this.#rendered(batch, at.done + count, unfit);
      if (one === undefined) continue;
      const more = this.#format.body([...rendered, one.rendered]);
      if (more === undefined) break;
      rendered.push(one.rendered);
      body = more;
      last = at.done + count;
    }
    const refused = body === undefined ? undefined : await this.#send(body);
    if (refused !== undefined && rendered.length > 1) {
      at.alone = last + 1;
      return 0;
    }
    at.bad.push(...unfit);
    if (refused !== undefined) at.bad.push(new BadRecord(refused.code, refused.message, last));
    return count;
  }

  #rendered(batch: Batch, index: number, unfit: BadRecord[]): { rendered: Rendered } | undefined {
    const record = batch.at(index);
    if (record.value === null && this.config.tombstones !== "send") {
      if (this.config.tombstones === "fail") unfit.push(new BadRecord("webhook.tombstone", "the record has no value", index));
      return undefined;
    }
    try {
      return { rendered: this.#format.render(new View(record, this.task.formats.value === "json")) };
    } catch (error) {
      if (error instanceof BadRecord) unfit.push(new BadRecord(error.code, error.message, index));
      else if (error instanceof SyntaxError) unfit.push(new BadRecord("webhook.json", "the value is not JSON", index));
      else throw error;
      return undefined;
    }
  }

  async #send(body: string) {
    await this.#turn();
    const began = Date.now();
    requests.add();
    const answer = await this.#answer(body);
    seconds.observe((Date.now() - began) / 1000);
    this.#free = Date.now() + this.config.intervalMs;
    return judged(answer, this.config.retryAfterMaxMs);
  }

  /** Waits until the interval since the last request is over. */
  async #turn(): Promise<void> {
    const wait = this.#free - Date.now();
    if (wait <= 0) return;
    if (wait > WAIT_MS_MAX) throw new Retriable("webhook.interval", "the next request has to wait for webhook.interval.ms", { afterMs: wait });
    await new Promise<void>((resolve) => setTimeout(resolve, wait));
  }

  async #answer(body: string): Promise<Answer> {
    const { timeoutMs } = this.config;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), timeoutMs)));
    const url = this.config.url.reveal();
    const exchange = (async (): Promise<Answer> => {
      const answer = await fetch(url, { method: "POST", headers: this.#headers, body, redirect: "manual" });
      return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: await answer.text() };
    })();
    const refused = (error: unknown): never => {
      // What the engine says may hold the URL, which is a secret.
      const why = String(error).split(url).join("(the webhook)");
      throw new Retriable("webhook.connect", `the webhook cannot be reached: ${why}`);
    };
    const outcome = await Promise.race([exchange, late]).catch(refused).finally(() => clearTimeout(timer));
    if (outcome !== "late") return outcome;
    exchange.catch(() => undefined);
    throw new Retriable("webhook.timeout", `no answer within webhook.timeout.ms = ${timeoutMs}`);
  }
}

/** The same for the same batch: where it begins, and how long it is. */
function identityOf(batch: Batch): string {
  const { topic, partition, offset } = batch.at(0);
  return `${topic}-${partition}@${offset}+${batch.length}`;
}

/** What is wrong with the template for the format. */
function templateProblem(settings: ReadonlyMap<string, string>): string | undefined {
  const name = config.format.read(settings.get("webhook.format"));
  if ("problem" in name) return undefined;
  try {
    format(name.value, settings.get("webhook.template") ?? null, true, null);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

export default definePackage({
  name: "webhook-ts",
  version: "0.1.0",
  doc: "Records as messages to a webhook: Slack, Discord, JSON or text.",
  plugins: [WebhookSink],
});
