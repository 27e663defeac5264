import assert from "node:assert/strict";
import { test } from "node:test";

import * as testing from "@lockgate/sdk/testing";
import { MySource } from "../src/my-source.js";

test("records are numbered on from the stored position", async () => {
  const source = await testing.openSource(MySource, { topic: "ticks" }, [['{"heart":"ticks"}', '{"beat":7}']]);
  const first = await source.poll();
  assert.deepEqual(first.records.map(({ topic, value }) => [topic, value]), [["ticks", '{"beat":8}']]);
  assert.deepEqual(first.positions, [['{"heart":"ticks"}', '{"beat":8}', 0]]);
  assert.equal(first.next, "after 1000");
  assert.equal((await source.poll()).records[0]?.value, '{"beat":9}');
});

test("an interval of no length is refused with what is allowed", async () => {
  await assert.rejects(testing.openSource(MySource, { topic: "ticks", "interval.ms": "0" }), {
    name: "ConfigError",
    problems: [["interval.ms", "0 is out of range: 1 to 60000 is allowed"]],
  });
});
