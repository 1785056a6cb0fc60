import assert from "node:assert/strict";
import { test } from "node:test";

import { minorDigits, parsedMoney, plainMoney, shownMoney } from "./money.ts";

test("amounts keep every digit, whatever their size", () => {
  assert.equal(plainMoney(123456, "EUR"), "1234.56");
  assert.equal(plainMoney(5, "EUR"), "0.05");
  assert.equal(plainMoney(-5, "EUR"), "-0.05");
  assert.equal(plainMoney(0, "KWD"), "0.000");
  assert.equal(plainMoney(1500n, "JPY"), "1500");
  assert.equal(shownMoney(900719925474099312n, "EUR", "en"), "€9,007,199,254,740,993.12");
});

test("each currency has its own number of digits", () => {
  assert.deepEqual(["EUR", "JPY", "KWD", "CHF"].map(minorDigits), [2, 0, 3, 2]);
  assert.equal(shownMoney(1234567, "KWD", "en").replace(/\s/, " "), "KWD 1,234.567");
  assert.equal(shownMoney(-250, "USD", "en"), "-$2.50");
});

const typed: [string, string, bigint | undefined][] = [
  ["12", "EUR", 1200n],
  ["12,5", "EUR", 1250n],
  ["12.50", "EUR", 1250n],
  [".5", "EUR", 50n],
  ["1 234,50", "EUR", 123450n],
  ["1.234,50", "EUR", 123450n],
  ["1,234.50", "EUR", 123450n],
  ["1,234", "EUR", undefined],
  ["1,234,567", "EUR", 123456700n],
  ["1.234", "KWD", 1234n],
  ["€ 3.20", "EUR", 320n],
  ["-3.20", "EUR", -320n],
  ["500", "JPY", 500n],
  ["5.5", "JPY", undefined],
  ["1.234.5,6", "EUR", undefined],
  ["12.345,678", "EUR", undefined],
  ["3.999", "EUR", undefined],
  ["1,234", "JPY", 1234n],
  ["12.", "EUR", 1200n],
  ["1,23,456", "EUR", undefined],
  ["-€3.20", "EUR", -320n],
  ["3.9999", "EUR", undefined],
  ["", "EUR", undefined],
  [".", "EUR", undefined],
  ["twelve", "EUR", undefined],
  ["1e3", "EUR", undefined],
];

test("typed amounts are read exactly, or not at all", () => {
  for (const [text, currency, expected] of typed) {
    assert.equal(parsedMoney(text, currency), expected, `${JSON.stringify(text)} ${currency}`);
  }
});
