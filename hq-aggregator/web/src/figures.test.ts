import assert from "node:assert/strict";
import { test } from "node:test";

import type { ShopToday, Trade } from "./api.ts";
import { average, change, changeWords, hoursOf, sums } from "./figures.ts";

const trade = (currency: string, due: number, sales: number, returns = 0): Trade => ({ currency, due, net: due, tax: 0, sold: due, sales, returns });
const shop = (hours: ShopToday["hours"], before: ShopToday["hours"] = []): ShopToday => ({
  store: "s",
  name: "Shop",
  connected: true,
  last_seen: null,
  waiting: 0,
  unread: 0,
  quarantine: 0,
  held_to: null,
  zone: "Europe/Berlin",
  currency: "EUR",
  day: "2026-11-21",
  day_before: "2026-11-20",
  first_hour: 2,
  today: [],
  before_by_now: [],
  before: [],
  hours,
  hours_before: before,
});

test("two currencies are never added", () => {
  const found = sums([trade("EUR", 1000, 2), trade("GBP", 500, 5), trade("EUR", 250, 1, 1)]);
  assert.deepEqual(
    found.map((sum) => [sum.currency, sum.due, sum.sales, sum.returns]),
    [
      ["GBP", 500n, 5, 0],
      ["EUR", 1250n, 3, 1],
    ],
  );
});

test("sums are exact beyond what a number holds", () => {
  const [sum] = sums([trade("IDR", Number.MAX_SAFE_INTEGER, 1), trade("IDR", Number.MAX_SAFE_INTEGER, 1)]);
  assert.equal(sum?.due, 18014398509481982n);
});

test("an average is rounded to the nearest minor unit", () => {
  const of = (due: number, sales: number) => {
    const [sum] = sums([trade("EUR", due, sales)]);
    return sum === undefined ? undefined : average(sum);
  };
  assert.deepEqual([of(1000, 3), of(1001, 2), of(0, 1), of(5, 0)], [333n, 501n, 0n, undefined]);
});

test("a change says how much more or less, or that nothing can be said", () => {
  assert.deepEqual([change(112, 100), change(50, 100), change(100, 100), change(5, 0), change(1n, 3n)], [12, -50, 0, undefined, -67]);
  assert.equal(changeWords(12, "yesterday by this time"), "12 % more than yesterday by this time");
  assert.equal(changeWords(-3, "yesterday"), "3 % less than yesterday");
  assert.equal(changeWords(undefined, "yesterday"), "nothing yesterday to compare with");
});

test("hours of several shops are put beside those of the day before", () => {
  const one = { currency: "EUR", sales: 1, returns: 0 };
  const pairs = hoursOf([shop([{ ...one, hour: 8, due: 100 }], [{ ...one, hour: 10, due: 70 }]), shop([{ ...one, hour: 8, due: 50 }])], "EUR");
  assert.deepEqual([pairs[0]?.hour, pairs.at(-1)?.hour], [8, 18]);
  const night = hoursOf([shop([{ ...one, hour: 1, due: 9 }])], "EUR");
  assert.deepEqual([night[0]?.hour, night.at(-1)?.hour, night.length], [9, 1, 17]);
  assert.deepEqual([pairs[0]?.now, pairs[0]?.sales, pairs[2]?.before], [150n, 2, 70n]);
});
