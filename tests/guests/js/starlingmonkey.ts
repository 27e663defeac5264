// The same guest on StarlingMonkey, which has `fetch`: its sink also goes outside.

import { BadRecord, Retriable, definePackage, type Batch } from "@lockgate/sdk";
import made, { RefHasKey, RefSink, RefSource, RefTransform, say } from "./guest.js";

interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
}

declare function fetch(url: string, init: object): Promise<Answer>;
declare const TextDecoder: new () => { decode(bytes: ArrayBuffer): string };

const SHOWN_MAX = 64;

class OutsideSink extends RefSink {
  static override readonly description = { ...RefSink.description, asks: [{ http: "{url}" }] };

  override async *put(batch: Batch): AsyncIterable<BadRecord> {
    if (this.config.mode === "http") yield* this.#overHttp(batch);
    yield* super.put(batch);
  }

  async *#overHttp(batch: Batch): AsyncIterable<BadRecord> {
    for (const record of batch) {
      const headers = { "x-ref": String(record.partition) };
      const init = { method: "POST", headers, body: record.value?.slice() ?? "", redirect: "manual" };
      let answer: Answer;
      let body: ArrayBuffer;
      try {
        answer = await fetch(`${this.config.url}/${record.topic}/${record.offset}`, init);
        body = await answer.arrayBuffer();
      } catch (error) {
        throw new Retriable("ref.http", `no answer: ${String(error)}`, { afterMs: 100 });
      }
      const { status } = answer;
      if (status === 429 || status === 503) {
        throw new Retriable("ref.http", `status ${status}`, { afterMs: 1000 * Number(answer.headers.get("retry-after") ?? 0) });
      }
      if (!answer.ok) {
        yield new BadRecord("ref.http", `status ${status}`, record);
        continue;
      }
      const text = body.byteLength <= SHOWN_MAX ? new TextDecoder().decode(body) : "...";
      say(`http ${status} ${answer.headers.get("x-ref") ?? "-"} ${body.byteLength} ${text}`);
    }
  }
}

export default definePackage({
  ...made,
  name: "reference-js-starlingmonkey",
  plugins: [RefSource, OutsideSink, RefTransform, RefHasKey],
});
