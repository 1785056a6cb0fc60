import assert from "node:assert/strict";
import { test } from "node:test";

import type { PriceOrder, Product } from "./api.ts";
import { priceIn, setBack, together } from "./prices.ts";

const product: Product = { sku: "MUG", name: "Mug", codes: [], tax_class: "A", price: 1000, currency: "EUR", changes: [] };
const now = new Date("2026-11-21T12:00:00Z");
const order = (store: string, directive: number, price: number, state: PriceOrder["state"], effective = "2026-11-21T11:00:00Z"): PriceOrder => ({
  store,
  directive,
  price,
  state,
  effective_at: effective,
  ordered_by: "mia",
  ordered_at: "2026-11-21T11:00:00Z",
  why: null,
});

test("a shop charges what its journal shows, not what was ordered", () => {
  const orders = [order("a", 3, 800, "pending"), order("a", 2, 900, "followed"), order("b", 1, 700, "refused")];
  const a = priceIn("a", product, orders, now);
  assert.equal(a.now, 900);
  assert.deepEqual(a.coming.map((one) => one.price), [800]);
  const b = priceIn("b", product, orders, now);
  assert.deepEqual([b.now, b.refused?.price, b.coming.length], [1000, 700, 0]);
  assert.equal(priceIn("c", product, orders, now).now, 1000);
});

test("a price that a shop has heard of waits for its hour", () => {
  const orders = [order("a", 2, 500, "followed", "2026-11-22T08:00:00Z"), order("a", 1, 900, "followed")];
  const shop = priceIn("a", product, orders, now);
  assert.deepEqual([shop.now, shop.coming[0]?.price], [900, 500]);
  assert.equal(priceIn("a", product, orders, new Date("2026-11-22T08:00:00Z")).now, 500);
});

test("what was ordered in one go is shown as one", () => {
  const groups = together([order("b", 4, 800, "pending"), order("a", 9, 800, "followed"), order("a", 8, 900, "followed", "2026-11-20T11:00:00Z")]);
  assert.deepEqual(
    groups.map((group) => [group.price, group.parts.map((part) => part.store)]),
    [
      [800, ["b", "a"]],
      [900, ["a"]],
    ],
  );
});

test("setting back gives each shop the price it had", () => {
  const orders = [order("a", 9, 800, "followed"), order("b", 4, 800, "followed"), order("c", 2, 800, "followed"), order("b", 3, 650, "followed", "2026-11-01T11:00:00Z")];
  const [newest] = together(orders);
  assert.ok(newest);
  assert.deepEqual(setBack(newest, product, orders), [
    { price: 1000, stores: ["a", "c"] },
    { price: 650, stores: ["b"] },
  ]);
});
