import assert from "node:assert/strict";
import test from "node:test";

import { Burst, isReceipt } from "./wedge.ts";

function hear(keys: string[], everyMs: number): string[] {
  const burst = new Burst();
  return keys.map((key, at) => {
    const heard = burst.hear(key, at * everyMs);
    return heard.kind === "scan" ? `scan ${heard.code}` : heard.kind;
  });
}

function keys(text: string, ...then: string[]): string[] {
  return [...text.split(""), ...then];
}

test("a burst that ends with Enter is a scan", () => {
  assert.equal(hear(keys("9521234000013", "Enter"), 8).at(-1), "scan 9521234000013");
  assert.equal(hear(keys("TEE-1", "Tab"), 20).at(-1), "scan TEE-1");
});

test("capitals come with Shift between them", () => {
  assert.equal(hear(["Shift", "R", "Shift", "S", "1", "0", "Enter"], 5).at(-1), "scan RS10");
});

test("a person types too slowly, or too little, to be a scanner", () => {
  assert.equal(hear(keys("9521234000013", "Enter"), 140).at(-1), "other");
  assert.equal(hear(keys("123", "Enter"), 10).at(-1), "other");
});

test("what a person typed before does not stick to the code", () => {
  const burst = new Burst();
  burst.hear("3", 0);
  for (const [at, key] of keys("40000").entries()) burst.hear(key, 2000 + at * 5);
  assert.deepEqual(burst.hear("Enter", 2030), { kind: "scan", code: "40000" });
});

test("a scanner that is held up for a moment is still a scanner, and its code is whole", () => {
  const burst = new Burst();
  let atMs = 0;
  for (const [at, key] of keys("9521234000013").entries()) {
    atMs += at === 6 ? 350 : 8;
    burst.hear(key, atMs);
  }
  assert.deepEqual(burst.hear("Enter", atMs + 200), { kind: "scan", code: "9521234000013" });
});

test("receipts are known by barcode and by number", () => {
  assert.ok(isReceipt("R-r1-1-17-42"));
  assert.ok(isReceipt("r1/1/17"));
  assert.ok(!isReceipt("TEE-BLK-S"));
  assert.ok(!isReceipt("9521234000013"));
});
