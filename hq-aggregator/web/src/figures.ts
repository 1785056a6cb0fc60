// Figures of a day over several shops. Owns the sums, always one per currency, and how two of them compare; exact throughout.
import type { Hour, ShopToday, Trade } from "./api.ts";

export type Sum = { currency: string; due: bigint; net: bigint; tax: bigint; sold: bigint; sales: number; returns: number };

/** One sum per currency, the one with the most sales first. */
export function sums(trades: Trade[]): Sum[] {
  const byCurrency = new Map<string, Sum>();
  for (const one of trades) {
    const sum = byCurrency.get(one.currency) ?? { currency: one.currency, due: 0n, net: 0n, tax: 0n, sold: 0n, sales: 0, returns: 0 };
    byCurrency.set(one.currency, {
      currency: one.currency,
      due: sum.due + BigInt(one.due),
      net: sum.net + BigInt(one.net),
      tax: sum.tax + BigInt(one.tax),
      sold: sum.sold + BigInt(one.sold),
      sales: sum.sales + one.sales,
      returns: sum.returns + one.returns,
    });
  }
  return [...byCurrency.values()].sort((a, b) => b.sales - a.sales || a.currency.localeCompare(b.currency));
}

/** What one sale brought on average, to the nearest minor unit; undefined without sales. */
export function average(sum: Sum): bigint | undefined {
  if (sum.sales === 0) return undefined;
  return divided(sum.sold, BigInt(sum.sales));
}

/** Nearest whole number, halves away from zero. */
function divided(a: bigint, b: bigint): bigint {
  const sign = a < 0n ? -1n : 1n;
  return sign * ((2n * (sign * a) + b) / (2n * b));
}

/** By how many percent `now` is more (or less, below zero) than `before`; undefined when there is nothing to compare with. */
export function change(now: bigint | number, before: bigint | number): number | undefined {
  const [a, b] = [BigInt(now), BigInt(before)];
  if (b <= 0n) return undefined;
  return Number(divided((a - b) * 100n, b));
}

export function changeWords(percent: number | undefined, period: string): string {
  if (percent === undefined) return `nothing ${period} to compare with`;
  if (percent === 0) return `the same as ${period}`;
  return `${Math.abs(percent)} % ${percent > 0 ? "more" : "less"} than ${period}`;
}

/** One shop's sum in one currency. */
export function of(trades: Trade[], currency: string): Trade {
  return trades.find((one) => one.currency === currency) ?? { currency, sales: 0, returns: 0, due: 0, net: 0, tax: 0, sold: 0 };
}

export type HourPair = { hour: number; now: bigint; before: bigint; sales: number };

/**
 * The hours of one currency over all shops, today beside the day before. They run from the first to the last hour in which anything
 * happened, and at least over the usual opening hours, so that the picture does not jump through the day.
 */
export function hoursOf(shops: ShopToday[], currency: string): HourPair[] {
  const all = new Map<number, HourPair>();
  const at = (hour: number): HourPair => all.get(hour) ?? { hour, now: 0n, before: 0n, sales: 0 };
  const own = (hours: Hour[]) => hours.filter((one) => one.currency === currency);
  for (const shop of shops) {
    for (const one of own(shop.hours)) {
      const pair = at(one.hour);
      all.set(one.hour, { ...pair, now: pair.now + BigInt(one.due), sales: pair.sales + one.sales });
    }
    for (const one of own(shop.hours_before)) {
      const pair = at(one.hour);
      all.set(one.hour, { ...pair, before: pair.before + BigInt(one.due) });
    }
  }
  // A business day may end after midnight; its small hours then come last.
  const begins = Math.max(0, ...shops.map((shop) => shop.first_hour));
  const place = (hour: number) => (hour - begins + 24) % 24;
  const known = [...all.keys(), 9, 18].map(place);
  const [first, last] = [Math.min(...known), Math.max(...known)];
  return Array.from({ length: last - first + 1 }, (_, step) => at((first + step + begins) % 24));
}
