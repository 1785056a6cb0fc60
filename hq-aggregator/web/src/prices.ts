// What each shop charges for an item, and what a price order was: worked out from the orders that head office keeps.
import type { PriceOrder, Product } from "./api.ts";

/** What was ordered in one go, for one shop or several. */
export type Ordered = {
  key: string;
  price: number;
  effectiveAt: Date;
  orderedAt: Date;
  by: string | null;
  parts: PriceOrder[];
};

/** Orders that were given together, newest first. */
export function together(orders: PriceOrder[]): Ordered[] {
  const groups = new Map<string, Ordered>();
  for (const order of orders) {
    // One order gives all its shops the same price, instant and name; two that agree in all three to the microsecond are one.
    const key = `${order.effective_at} ${order.price} ${order.ordered_by ?? ""}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, {
        key,
        price: order.price,
        effectiveAt: new Date(order.effective_at),
        orderedAt: new Date(order.ordered_at),
        by: order.ordered_by,
        parts: [order],
      });
    } else group.parts.push(order);
  }
  return [...groups.values()];
}

/** In a shop: what it charges now, and what it will. */
export type ShopPrice = {
  store: string;
  /** As its journal shows: of the orders it followed the newest that is in force, else the catalogue's. */
  now: number;
  /** Ordered and not in force yet, soonest first: still on its way, or waiting for its hour. */
  coming: PriceOrder[];
  /** The newest order, if it was refused. */
  refused: PriceOrder | undefined;
  /** It was never told a price of its own: it charges what the catalogue says. */
  untouched: boolean;
};

export function priceIn(store: string, product: Product, orders: PriceOrder[], at: Date): ShopPrice {
  const own = orders.filter((order) => order.store === store).sort((a, b) => b.directive - a.directive);
  const inForce = own
    .filter((order) => order.state === "followed" && new Date(order.effective_at) <= at)
    .sort((a, b) => b.effective_at.localeCompare(a.effective_at) || b.directive - a.directive);
  const coming = own
    .filter((order) => order.state === "pending" || (order.state === "followed" && new Date(order.effective_at) > at))
    .sort((a, b) => a.effective_at.localeCompare(b.effective_at) || a.directive - b.directive);
  const newest = own[0];
  return { store, now: inForce[0]?.price ?? product.price, coming, refused: newest?.state === "refused" ? newest : undefined, untouched: newest === undefined };
}

/** What to order so that an order is as if it had never been: the price each of its shops had before, shops with one price together. */
export function setBack(ordered: Ordered, product: Product, orders: PriceOrder[]): { price: number; stores: string[] }[] {
  const back = new Map<number, string[]>();
  for (const part of ordered.parts) {
    const before = orders
      .filter((order) => order.store === part.store && order.directive < part.directive && order.state !== "refused")
      .sort((a, b) => b.directive - a.directive)[0];
    const price = before?.price ?? product.price;
    back.set(price, [...(back.get(price) ?? []), part.store]);
  }
  return [...back].map(([price, stores]) => ({ price, stores }));
}
