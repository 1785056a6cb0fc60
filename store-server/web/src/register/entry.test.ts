import assert from "node:assert/strict";
import test from "node:test";

import { EMPTY, isEmpty, typed } from "./entry.ts";
import type { Entry } from "./entry.ts";

const after = (keys: string[], from: Entry = EMPTY) => keys.reduce(typed, from);

test("a number and times is how many of what comes next", () => {
  assert.deepEqual(after(["1", "2", "*"]), { text: "", times: 12 });
  assert.deepEqual(after(["3", "×", "4", "0"]), { text: "40", times: 3 });
});

test("times without a number, or with a price, means nothing", () => {
  assert.deepEqual(after(["*"]), EMPTY);
  assert.deepEqual(after(["1", ".", "5", "*"]), { text: "1.5", times: undefined });
  assert.deepEqual(after(["0", "*"]), { text: "0", times: undefined });
});

test("backspace takes back one key at a time, the times too", () => {
  const entry = after(["3", "*", "7", "Backspace", "Backspace", "Backspace"]);
  assert.ok(isEmpty(entry));
});
