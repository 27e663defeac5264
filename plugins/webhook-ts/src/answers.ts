// What an answer means for the records of its request: what may go well later is retriable, with the server's own delay; what never will is
// the record's fault, or, without any doubt, the configuration's.

import { Fatal, Retriable } from "@lockgate/sdk";

/** What is read of an answer. */
export interface Answer {
  status: number;
  retryAfter: string | null;
  body: string;
}

/** Characters of a body that a message shows. */
const SHOWN_MAX = 500;
const LATER = [408, 425, 429];
const OWN = [401, 403, 404, 407, 410];

/** Undefined if the records were taken, else why they were refused. Throws what is no record's fault. */
export function judged({ status, retryAfter, body }: Answer, afterMsMax: number): { code: string; message: string } | undefined {
  const detail = body.slice(0, SHOWN_MAX);
  if (status >= 200 && status < 300) return undefined;
  if (status >= 500 || LATER.includes(status)) {
    const afterMs = Math.min(delayMs(retryAfter, body), afterMsMax);
    throw new Retriable("webhook.busy", `the webhook answered ${status}; it is asked again`, { afterMs, detail });
  }
  if (status >= 300 && status < 400) {
    throw new Fatal("webhook.redirect", `the webhook answered ${status}: set webhook.url to the new place`);
  }
  if (OWN.includes(status)) {
    throw new Fatal("webhook.refused", `the webhook answered ${status}: check webhook.url and webhook.auth.header`, { detail });
  }
  return { code: `webhook.status.${status}`, message: `the webhook answered ${status}: ${detail}` };
}

/** Milliseconds of a Retry-After (seconds or a date), or of Discord's `retry_after` in the body, which is finer. */
export function delayMs(retryAfter: string | null, body: string): number {
  const text = retryAfter?.trim() ?? "";
  const own = /"retry_after"\s*:\s*([0-9.]+)/.exec(body)?.[1];
  const seconds = own ?? (/^[0-9]+(\.[0-9]+)?$/.test(text) ? text : undefined);
  if (seconds !== undefined) return Math.ceil(Number(seconds) * 1000);
  const until = text === "" ? NaN : Date.parse(text);
  return Number.isNaN(until) ? 0 : Math.max(until - Date.now(), 0);
}
