import assert from "node:assert/strict";
import { test } from "node:test";

import * as testing from "@lockgate/sdk/testing";
import { MySink } from "../src/my-sink.js";

test("records are logged and tombstones are named", async () => {
  const sink = await testing.openSink(MySink, { prefix: "saw" });
  const bad = await sink.put([{ topic: "t", value: "v" }, { topic: "t", value: null }]);
  assert.deepEqual(bad.map(({ index, code }) => [index, code]), [[1, "my.tombstone"]]);
  assert.ok(testing.host.lines.some((line) => JSON.stringify(line).includes("saw t v")));
});
