import assert from "node:assert/strict";
import { test } from "node:test";

import * as testing from "@lockgate/sdk/testing";
import { MyTransform } from "../src/my-transform.js";

test("each occurrence is replaced and tombstones stay", async () => {
  const steps = [{ transform: MyTransform, settings: { find: "a" } }];
  const { records, failed } = await testing.apply(steps, [{ value: "a b a" }, { value: null }]);
  assert.deepEqual([records.map(({ value }) => value), failed], [["*** b ***", null], []]);
});
