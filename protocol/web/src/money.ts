// Money as people read and type it. Owns the way between whole minor units and text, exactly: no number with a fraction is ever made.

const formats = new Map<string, Intl.NumberFormat>();

function format(currency: string, locale: string | undefined): Intl.NumberFormat {
  const key = `${locale ?? ""}|${currency}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.NumberFormat(locale, { style: "currency", currency });
    formats.set(key, found);
  }
  return found;
}

/** How many digits of the currency are minor units: 2 for EUR, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  return format(currency, undefined).resolvedOptions().maximumFractionDigits ?? 2;
}

/** 123456 minor units of EUR as the plain text "1234.56": exact, the same everywhere, for inputs and CSV. */
export function plainMoney(minor: bigint | number, currency: string): string {
  const whole = BigInt(minor);
  const digits = minorDigits(currency);
  const text = (whole < 0n ? -whole : whole).toString().padStart(digits + 1, "0");
  const cut = text.length - digits;
  const sign = whole < 0n ? "-" : "";
  return digits === 0 ? sign + text : `${sign}${text.slice(0, cut)}.${text.slice(cut)}`;
}

/** As the reader's locale writes it: "€1,234.56", "1.234,56 €". Exact for any amount, because Intl reads the digits as text. */
export function shownMoney(minor: bigint | number, currency: string, locale?: string): string {
  // The text form keeps every digit where a number would round beyond 2^53.
  return format(currency, locale).format(plainMoney(minor, currency) as unknown as number);
}

/** Digits with one kind of mark between groups of three: "1.234.567", or no mark at all. */
function ungrouped(text: string, mark: string): string | undefined {
  const [first = "", ...groups] = text.split(mark);
  const fits = groups.length === 0 || (/^\d{1,3}$/.test(first) && groups.every((group) => /^\d{3}$/.test(group)));
  return fits ? [first, ...groups].join("") : undefined;
}

/**
 * What somebody typed ("12,5", "1 234.50", "1.234,50") as minor units. Undefined when it is not an amount, or could be two: "1,234" euros
 * may be a thousand or a little more than one, and a price is not guessed.
 */
export function parsedMoney(text: string, currency: string): bigint | undefined {
  const digits = minorDigits(currency);
  const bare = text.replace(/[\s\u00a0\u202f'’]/g, "").replace(/^(-?)\p{Sc}|\p{Sc}$/gu, "$1");
  const [, sign = "", amount = ""] = /^(-?)([\d.,]*\d[\d.,]*)$/.exec(bare) ?? [];
  const at = Math.max(amount.lastIndexOf("."), amount.lastIndexOf(","));
  const mark = at < 0 ? "" : amount.charAt(at);
  const other = mark === "." ? "," : ".";
  let whole: string | undefined = amount;
  let fraction = "";
  if (at >= 0) {
    const after = amount.slice(at + 1);
    const grouping = amount.indexOf(mark) !== at || (digits === 0 && after.length === 3);
    if (grouping) whole = ungrouped(amount, mark);
    else {
      whole = ungrouped(amount.slice(0, at), other);
      fraction = after;
    }
  }
  if (amount === "" || whole === undefined || !/^\d*$/.test(whole) || fraction.length > digits) return undefined;
  const minor = BigInt((whole === "" ? "0" : whole) + fraction.padEnd(digits, "0"));
  return sign === "-" ? -minor : minor;
}
