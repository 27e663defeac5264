// Your first source: writes a record each interval, numbered on across restarts.

import { definePackage, key, log, metrics, source, type Poll, type Positions } from "@lockgate/sdk";

const beats = metrics.counter("my_beats");

const config = {
  topic: key.string({ nonEmpty: true, doc: "The topic to write to." }),
  text: key.string({ default: "still here", doc: "What each beat says." }),
  intervalMs: key.millis({ default: 1000, between: [1, 60_000], doc: "Milliseconds between two beats." }),
};

export class MyHeartbeat extends source({ name: "com.example.MyHeartbeat", doc: "Writes a record each interval.", config }) {
  #last = 0;

  override open(positions: Positions): void {
    this.#last = positions.get<{ beat: number }>({ heart: this.config.topic })?.beat ?? 0;
    log.info(`beating on ${this.config.topic} after beat ${this.#last}`);
  }

  override *poll(): Poll {
    this.#last += 1;
    beats.add();
    yield {
      topic: this.config.topic,
      value: JSON.stringify({ beat: this.#last, text: this.config.text }),
      timestamp: Date.now(),
      position: { partition: { heart: this.config.topic }, offset: { beat: this.#last } },
    };
    return { afterMs: this.config.intervalMs };
  }
}

export default definePackage({ name: "my-heartbeat", version: "0.1.0", plugins: [MyHeartbeat] });
