// A source that writes a record each interval, numbered on across restarts: change it into yours.

import { definePackage, key, log, metrics, source, type Poll, type Positions } from "@lockgate/sdk";

const beats = metrics.counter("my_beats");

const config = {
  topic: key.string({ nonEmpty: true, doc: "The topic to write to." }),
  intervalMs: key.millis({ default: 1000, between: [1, 60_000], doc: "Milliseconds between two records." }),
};

export class MySource extends source({ name: "com.example.MySource", doc: "Writes a record each interval.", encodings: ["json"], config }) {
  #last = 0;

  override open(positions: Positions): void {
    this.#last = positions.get<{ beat: number }>({ heart: this.config.topic })?.beat ?? 0;
    log.info(`writing to ${this.config.topic} after record ${this.#last}`);
  }

  override *poll(): Poll {
    this.#last += 1;
    beats.add();
    yield {
      topic: this.config.topic,
      value: JSON.stringify({ beat: this.#last }),
      timestamp: Date.now(),
      position: { partition: { heart: this.config.topic }, offset: { beat: this.#last } },
    };
    return { afterMs: this.config.intervalMs };
  }
}

export default definePackage({ name: "my-source", version: "0.1.0", plugins: [MySource] });
