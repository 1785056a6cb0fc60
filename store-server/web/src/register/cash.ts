// Notes and coins of a currency: which amounts a customer is likely to hand over, and what a drawer is counted by.
// The only sums these pages make themselves; every other amount comes from the box.
import { minorDigits } from "@backroom/protocol";

type Pieces = { coins: number[]; notes: number[] };

/** In minor units. */
const KNOWN: Record<string, Pieces> = {
  EUR: { coins: [1, 2, 5, 10, 20, 50, 100, 200], notes: [500, 1000, 2000, 5000, 10_000, 20_000] },
  GBP: { coins: [1, 2, 5, 10, 20, 50, 100, 200], notes: [500, 1000, 2000, 5000] },
  USD: { coins: [1, 5, 10, 25], notes: [100, 500, 1000, 2000, 5000, 10_000] },
  CHF: { coins: [5, 10, 20, 50, 100, 200, 500], notes: [1000, 2000, 5000, 10_000, 20_000] },
  JPY: { coins: [1, 5, 10, 50, 100, 500], notes: [1000, 5000, 10_000] },
  KWD: { coins: [5, 10, 20, 50, 100], notes: [250, 500, 1000, 5000, 10_000, 20_000] },
  INR: { coins: [100, 200, 500, 1000, 2000], notes: [1000, 2000, 5000, 10_000, 20_000, 50_000] },
};

function pieces(currency: string): Pieces {
  const known = KNOWN[currency];
  if (known !== undefined) return known;
  const unit = 10 ** minorDigits(currency);
  return { coins: [unit, 2 * unit], notes: [5, 10, 20, 50, 100, 200].map((many) => many * unit) };
}

/** Up to `most` amounts above what is due, the nearest first: what one gets by rounding up to each note. */
export function quickCash(due: bigint, currency: string, most = 4): bigint[] {
  if (due <= 0n) return [];
  const up = pieces(currency).notes.map((note) => {
    const whole = BigInt(note);
    return ((due + whole - 1n) / whole) * whole;
  });
  return [...new Set(up)]
    .filter((amount) => amount > due)
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, most);
}

/** Everything a drawer holds, the largest first. */
export function denominations(currency: string): bigint[] {
  const { coins, notes } = pieces(currency);
  return [...new Set([...coins, ...notes])].sort((a, b) => b - a).map(BigInt);
}

/** What so many of each are worth. */
export function countedCash(counts: ReadonlyMap<bigint, number>): bigint {
  let sum = 0n;
  for (const [piece, many] of counts) sum += piece * BigInt(many);
  return sum;
}
