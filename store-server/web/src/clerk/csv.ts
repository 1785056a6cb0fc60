// The difference of a count as CSV (RFC 4180): items, then tags. Pure.
import type { CountView, TagView } from "@backroom/protocol/gen/backroom/clerk/v1/clerk_pb";

const HEAD = ["kind", "sku", "name", "on_hand", "counted", "difference", "epc", "uri", "last_seen", "explained"];

/** Quoted where it must be. A name that a spreadsheet would run as a formula gets a quote in front. */
export function field(text: string): string {
  const safe = /^[=+@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Thousandths as decimal text. */
export function pieces(milli: bigint): string {
  const sign = milli < 0n ? "-" : "";
  const text = (milli < 0n ? -milli : milli).toString().padStart(4, "0");
  const parts = text.slice(-3).replace(/0+$/, "");
  return `${sign}${text.slice(0, -3)}${parts === "" ? "" : `.${parts}`}`;
}

export function differenceCsv(count: CountView): string {
  const tag = (kind: string) => (one: TagView) => [kind, one.sku, one.name, "", "", "", one.epc, one.uri, one.lastSeen, one.explained];
  const rows = [
    HEAD,
    ...count.lines.filter((line) => line.difference !== 0n).map((line) => ["item", line.sku, line.name, pieces(line.onHandMilli), line.counted.toString(), line.difference.toString(), "", "", "", ""]),
    ...count.missingTags.map(tag("missing")),
    ...count.foundTags.map(tag("found")),
    ...count.unknownTags.map(tag("unknown")),
  ];
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}
