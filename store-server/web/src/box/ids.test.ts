import assert from "node:assert/strict";
import test from "node:test";

import { fromHex, hex, newId, sameId, uuid7, uuidText } from "./ids.ts";

test("an id carries its instant, its version and its variant", () => {
  const id = uuid7(0x0199_1234_5678, new Uint8Array(10).fill(0xff));
  assert.equal(uuidText(id), "01991234-5678-7fff-bfff-ffffffffffff");
});

test("two ids are never the same, and their text leads back to them", () => {
  const [one, other] = [newId(), newId()];
  assert.ok(!sameId(one, other));
  assert.deepEqual(fromHex(hex(one)), one);
  assert.equal(fromHex("no id"), undefined);
});
