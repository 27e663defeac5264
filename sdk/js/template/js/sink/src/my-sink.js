// A sink that writes each record into the worker's log: change it into yours. One that talks to a server asks for it
// (`asks: [{ http: "{url}" }]` beside `config`), and then has `fetch`.

import { BadRecord, definePackage, key, log, metrics, sink } from "@lockgate/sdk";

const batches = metrics.counter("my_batches");

const config = {
  prefix: key.string({ default: "got", doc: "What stands before each record." }),
};

export class MySink extends sink({ name: "com.example.MySink", doc: "Logs each record.", encodings: ["json", "bytes"], config }) {
  open() {
    log.info("ready");
  }

  *put(batch) {
    for (const record of batch) {
      if (record.value === null) {
        yield new BadRecord("my.tombstone", "this sink cannot delete", record);
        continue;
      }
      log.info(`${this.config.prefix} ${record.topic} ${record.valueText}`);
    }
    batches.add();
  }
}

export default definePackage({ name: "my-sink", version: "0.1.0", plugins: [MySink] });
