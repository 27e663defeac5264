import assert from "node:assert/strict";
import { test } from "node:test";

import * as testing from "@lockgate/sdk/testing";
import { MyHeartbeat } from "../src/my-heartbeat.js";

test("beats are numbered on from the stored position", async () => {
  const source = await testing.openSource(MyHeartbeat, { topic: "beats", text: "żółw" }, [['{"heart":"beats"}', '{"beat":7}']]);
  const first = await source.poll();
  assert.deepEqual(first.records.map(({ topic, value }) => [topic, value]), [["beats", '{"beat":8,"text":"żółw"}']]);
  assert.deepEqual(first.positions, [['{"heart":"beats"}', '{"beat":8}', 0]]);
  assert.equal(first.next, "after 1000");
  assert.equal((await source.poll()).records[0]?.value, '{"beat":9,"text":"żółw"}');
});

test("an interval of no length is refused with what is allowed", async () => {
  await assert.rejects(testing.openSource(MyHeartbeat, { topic: "beats", "interval.ms": "0" }), {
    name: "ConfigError",
    problems: [["interval.ms", "0 is out of range: 1 to 60000 is allowed"]],
  });
});
