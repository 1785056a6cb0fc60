// The receipts behind the figures: of one shop or all, of one business day or all, with their sums, each to be opened, all to be taken along.
import { useMemo, useState } from "react";
import type { ReactNode } from "react";

import { Badge, Button, Card, Choice, clockWords, Empty, Field, go, Money, plainMoney, Table, useSay, useShortcuts, Waiting } from "@backroom/protocol";
import type { Column } from "@backroom/protocol";

import { ask, said } from "../api.ts";
import type { Daily, Sale, Sales, Store } from "../api.ts";
import { useLive, useNow } from "../live.ts";
import { dayWords, Head, Trouble } from "../parts.tsx";
import { ReceiptDialog } from "./receipt.tsx";

const LOOK_EVERY_MS = 10_000;

type Filter = { store: string; day: string };

function query({ store, day }: Filter): string {
  const words = new URLSearchParams();
  if (store !== "") words.set("store", store);
  if (day !== "") words.set("day", day);
  return words.toString();
}

function choose(filter: Filter): void {
  const words = query(filter);
  go(words === "" ? "/sales" : `/sales?${words}`, "replace");
}

function dayBefore(day: string, by: number): string {
  const date = new Date(`${day}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() + by);
  return date.toISOString().slice(0, 10);
}

export function SalesPage({ store, day }: Filter) {
  const filter = useMemo(() => ({ store, day }), [store, day]);
  const words = query(filter);
  const newest = useLive<Sales>(`/sales?${words}`, LOOK_EVERY_MS);
  const totals = useLive<Daily>(day === "" ? undefined : `/reports/daily?${words}`, LOOK_EVERY_MS);
  const stores = useLive<{ stores: Store[] }>("/stores");
  const [opened, setOpened] = useState<Sale>();
  const now = useNow(60_000);
  const names = new Map((stores.answer?.stores ?? []).map((one) => [one.store, one]));

  useShortcuts(
    useMemo(
      () => [
        { keys: "[", does: "The day before", run: () => choose({ store, day: dayBefore(day === "" ? new Date().toISOString().slice(0, 10) : day, -1) }) },
        { keys: "]", does: "The day after", run: () => choose({ store, day: dayBefore(day === "" ? new Date().toISOString().slice(0, 10) : day, 1) }) },
      ],
      [store, day],
    ),
  );

  return (
    <>
      <Head
        title="Sales"
        actions={
          <a
            href={`/api/v1/sales.csv?${words}`}
            download
            className="inline-flex min-h-target items-center gap-2 rounded-control border border-edge/60 bg-raised px-4 text-[0.9375rem] font-medium shadow-xs hover:bg-sunken"
          >
            Take along as CSV
          </a>
        }
      >
        {day === "" ? "All business days, newest first" : dayWords(day)}
      </Head>
      <div className="mb-5 grid gap-4 sm:flex sm:items-end">
        <Choice label="Shop" value={store} onChange={(event) => choose({ store: event.target.value, day })} className="sm:w-56">
          <option value="">All shops</option>
          {[...names.values()].map((one) => (
            <option key={one.store} value={one.store}>
              {one.name}
            </option>
          ))}
          {store !== "" && !names.has(store) && <option value={store}>{store}</option>}
        </Choice>
        <Field type="date" label="Business day" value={day} onChange={(event) => choose({ store, day: event.target.value })} className="sm:w-48" />
        {(store !== "" || day !== "") && (
          <Button kind="ghost" onClick={() => choose({ store: "", day: "" })}>
            Show all
          </Button>
        )}
      </div>
      <Trouble error={newest.error ?? totals.error} again={newest.again} at={newest.at} />
      {day !== "" && totals.answer !== undefined && totals.answer.totals.length > 0 && <Totals daily={totals.answer} />}
      {newest.answer === undefined ? (
        newest.error === undefined && <Waiting what="Looking for receipts" />
      ) : (
        <Rows key={words} first={newest.answer} words={words} names={names} now={now} onOpen={setOpened} />
      )}
      <ReceiptDialog sale={opened} onClose={() => setOpened(undefined)} />
    </>
  );
}

function Totals({ daily }: { daily: Daily }) {
  return (
    <div className="mb-5 grid gap-4">
      {daily.totals.map((one) => (
        <section key={one.currency} aria-label={`The day in ${one.currency}`} className="card flex flex-wrap gap-x-10 gap-y-4 px-5 py-4">
          <Figure name="Takings" strong>
            <Money minor={one.due} currency={one.currency} />
          </Figure>
          <Figure name="Without tax">
            <Money minor={one.net} currency={one.currency} />
          </Figure>
          {one.taxes.map((tax) => (
            <Figure key={`${tax.tax_class} ${tax.rate}`} name={`Tax ${tax.tax_class}, ${percent(tax.rate)}`}>
              <Money minor={tax.tax} currency={one.currency} />
            </Figure>
          ))}
          {one.cash_rounding !== 0 && (
            <Figure name="Cash rounding">
              <Money minor={one.cash_rounding} currency={one.currency} />
            </Figure>
          )}
          <Figure name="Sales and returns">
            {one.sales.toLocaleString()} and {one.returns.toLocaleString()}
          </Figure>
        </section>
      ))}
    </div>
  );
}

/** "0.19" as "19 %", exactly. */
export function percent(rate: string): string {
  const [whole = "0", fraction = ""] = rate.split(".");
  const shifted = fraction.padEnd(2, "0");
  const digits = BigInt(whole + shifted.slice(0, 2)).toString();
  const rest = shifted.slice(2).replace(/0+$/, "");
  return `${digits}${rest === "" ? "" : `.${rest}`} %`;
}

function Figure({ name, strong = false, children }: { name: string; strong?: boolean; children: ReactNode }) {
  return (
    <div>
      <p className="text-sm text-quiet">{name}</p>
      <p className={strong ? "text-xl font-semibold" : "figures text-xl"}>{children}</p>
    </div>
  );
}

function Rows({
  first,
  words,
  names,
  now,
  onOpen,
}: {
  first: Sales;
  words: string;
  names: Map<string, Store>;
  now: Date;
  onOpen: (sale: Sale) => void;
}) {
  const [more, setMore] = useState<{ sales: Sale[]; next: string | null }>();
  const [busy, setBusy] = useState(false);
  const say = useSay();
  // What is new at the top pushes the rest down; a row that is on both pages is shown once.
  const seen = new Set(first.sales.map(key));
  // If so much is new that the pages do not meet any more, what was loaded before would hide a gap.
  const meet = more?.sales.some((sale) => seen.has(key(sale))) === true;
  const rows = [...first.sales, ...(meet ? more.sales : []).filter((sale) => !seen.has(key(sale)))];
  const next = meet ? more.next : first.next_cursor;

  const load = () => {
    if (next === null) return;
    setBusy(true);
    ask<Sales>("GET", `/sales?${words}${words === "" ? "" : "&"}cursor=${encodeURIComponent(next)}&limit=200`)
      .then((page) => setMore({ sales: [...rows, ...page.sales], next: page.next_cursor }))
      .catch((error: unknown) => say(said(error), "bad"))
      .finally(() => setBusy(false));
  };

  const columns: Column<Sale>[] = [
    {
      key: "receipt",
      head: "Receipt",
      rowHead: true,
      cell: (sale) => (
        <button type="button" onClick={() => onOpen(sale)} className="min-h-8 rounded text-start font-medium text-accent hover:underline">
          {sale.receipt}
          <span className="block text-sm font-normal text-quiet md:hidden">{names.get(sale.store)?.name ?? sale.store}</span>
        </button>
      ),
    },
    { key: "store", head: "Shop", wideOnly: true, cell: (sale) => names.get(sale.store)?.name ?? sale.store },
    { key: "at", head: "Time in the shop", cell: (sale) => clockWords(new Date(sale.at), now, names.get(sale.store)?.zone ?? undefined) },
    { key: "till", head: "Till", wideOnly: true, cell: (sale) => sale.till },
    { key: "kind", head: "Kind", wideOnly: true, cell: (sale) => (sale.end === "return" ? <Badge tone="warn">Return</Badge> : "Sale") },
    { key: "tax", head: "Tax", figures: true, wideOnly: true, cell: (sale) => <Money minor={sale.tax} currency={sale.currency} /> },
    { key: "due", head: "Total", figures: true, cell: (sale) => <Money minor={sale.due} currency={sale.currency} className={sale.due < 0 ? "text-warn" : "font-medium"} /> },
  ];
  return (
    <Card>
      {rows.length === 0 ? (
        <Empty title="No receipts here">Nothing was sold in this shop on this day, or it has not arrived yet.</Empty>
      ) : (
        <>
          <Table caption="Receipts, newest first" columns={columns} rows={rows} rowKey={key} />
          <div className="flex items-center justify-between gap-4 border-t border-line px-5 py-3 text-sm text-quiet">
            <output>{rows.length.toLocaleString()} shown</output>
            {next !== null && (
              <Button busy={busy} onClick={load}>
                Show more
              </Button>
            )}
          </div>
        </>
      )}
    </Card>
  );
}

const key = (sale: Sale) => `${sale.store}:${sale.epoch}:${sale.seq}:${plainMoney(sale.due, sale.currency)}`;
