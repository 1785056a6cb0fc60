import assert from "node:assert/strict";
import { test } from "node:test";

import { agoWords, clockWords, spanWords } from "./time.ts";

test("a span is said in its largest unit", () => {
  assert.deepEqual([0, 59, 60, 130, 3599, 7300, 200_000].map(spanWords), ["1 s", "59 s", "1 min", "2 min", "59 min", "2 h", "2 d"]);
});

test("what just happened is not counted in seconds", () => {
  const now = new Date("2026-11-21T12:00:00Z");
  assert.equal(agoWords(new Date("2026-11-21T11:59:58Z"), now), "just now");
  assert.equal(agoWords(new Date("2026-11-21T12:00:09Z"), now), "just now");
  assert.equal(agoWords(new Date("2026-11-21T11:40:00Z"), now), "20 min ago");
});

test("a time is told by the clock of its shop", () => {
  const now = new Date("2026-11-21T12:00:00Z");
  assert.equal(clockWords(new Date("2026-11-21T11:05:00Z"), now, "Europe/Berlin", "en-GB"), "12:05");
  assert.equal(clockWords(new Date("2026-11-20T23:30:00Z"), now, "Asia/Tokyo", "en-GB"), "08:30");
  assert.equal(clockWords(new Date("2026-11-19T11:05:00Z"), now, "Europe/Berlin", "en-GB"), "19 Nov 2026, 12:05");
});
