import assert from "node:assert/strict";
import test from "node:test";

import { countedCash, denominations, quickCash } from "./cash.ts";

test("the quick amounts are the next notes above what is due, without repeats", () => {
  assert.deepEqual(quickCash(3980n, "EUR"), [4000n, 5000n, 10_000n, 20_000n]);
  assert.deepEqual(quickCash(1230n, "EUR"), [1500n, 2000n, 5000n, 10_000n]);
  assert.deepEqual(quickCash(2000n, "EUR"), [5000n, 10_000n, 20_000n]);
  assert.deepEqual(quickCash(640n, "JPY"), [1000n, 5000n, 10_000n]);
  assert.deepEqual(quickCash(0n, "EUR"), []);
});

test("an amount above the largest note is still rounded up to notes", () => {
  assert.deepEqual(quickCash(123_456n, "EUR", 2), [123_500n, 124_000n]);
});

test("a drawer is counted by whole pieces", () => {
  assert.equal(denominations("EUR")[0], 20_000n);
  assert.equal(countedCash(new Map([[5000n, 3], [200n, 7], [1n, 9]])), 16_409n);
});
