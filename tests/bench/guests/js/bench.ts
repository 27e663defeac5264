// The sink and the source of the benchmark: of each value the length and the first byte are touched, no more.

import { definePackage, key, metrics, sink, source, type Batch, type Poll } from "@lockgate/sdk";

const records = metrics.counter("bench_records");

class BenchSink extends sink({ name: "bench.Sink", doc: "Touches values.", encodings: ["bytes"], config: {} }) {
  #touched = 0;

  override put(batch: Batch): void {
    let touched = 0;
    for (const { value } of batch) {
      if (value?.length) touched += value.length + value[0]!;
    }
    this.#touched += touched;
    records.add(batch.length);
  }
}

const config = { size: key.int({ default: 100, doc: "Bytes of a value." }) };

class BenchSource extends source({ name: "bench.Source", doc: "Gives records.", encodings: ["bytes"], config }) {
  #value = new Uint8Array();
  #next = 0;

  override open(): void {
    this.#value = new Uint8Array(this.config.size).fill(120);
  }

  override *poll(): Poll {
    for (;;) yield { topic: "bench", value: this.#value, position: { partition: {}, offset: { n: ++this.#next } } };
  }
}

export default definePackage({ name: "bench-js", version: "0.1.0", plugins: [BenchSink, BenchSource] });
