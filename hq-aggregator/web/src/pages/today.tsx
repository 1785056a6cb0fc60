// Today in all shops: what came in, beside yesterday by this time, by hour, shop by shop, and what needs a look.
import { useState } from "react";
import type { ReactNode } from "react";

import { Badge, Button, Card, classes, clockWords, Dialog, Empty, Link, Money, Waiting } from "@backroom/protocol";

import type { ShopToday, Today } from "../api.ts";
import { HourChart, HourLine } from "../chart.tsx";
import { average, change, changeWords, hoursOf, of, sums } from "../figures.ts";
import type { Sum } from "../figures.ts";
import { useLive, useNow } from "../live.ts";
import { dayWords, Head, standing, StandingBadge, Trouble, zoneWords } from "../parts.tsx";

const LOOK_EVERY_MS = 5_000;
const PERIOD = "yesterday by this time";

export function TodayPage() {
  const { answer, error, at, again } = useLive<Today>("/reports/today", LOOK_EVERY_MS);
  const now = useNow();
  const [help, setHelp] = useState(false);

  const days = [...new Set((answer?.stores ?? []).flatMap((shop) => shop.day ?? []))];
  return (
    <>
      <Head
        title="Today"
        actions={
          <Button kind="ghost" className="-mx-4" onClick={() => setHelp(true)}>
            How figures are counted
          </Button>
        }
      >
        {days.map((day) => dayWords(day)).join(" and ")}
        {at !== undefined && <span className="before:mx-2 before:content-['·']">asked at {clockWords(at, now)}, renewed by itself</span>}
      </Head>
      <Trouble error={error} again={again} at={at} />
      {answer === undefined ? error === undefined && <Waiting what="Adding up the day" /> : <Figures today={answer} now={now} />}
      <Dialog title="How figures are counted" open={help} onClose={() => setHelp(false)}>
        <Definitions />
      </Dialog>
    </>
  );
}

function Definitions() {
  const terms: [string, ReactNode][] = [
    ["Takings", "What customers paid, less what they got back: all sales minus all returns of the business day, with tax and the rounding of cash."],
    ["Without tax", "The same before tax: the sum of the net amounts of all receipts."],
    ["Average sale", "The sum of sales (without returns) divided by how many there were, to the nearest minor unit."],
    ["Yesterday by this time", "The business day before, up to the same time on the wall clock of each shop."],
    ["Business day", "Each shop ends its day at its own hour in its own time zone. A sale shortly after midnight can belong to the evening before."],
    ["Currencies", "Amounts in different currencies are never added. Each currency has its own figures."],
  ];
  return (
    <dl className="grid gap-3.5">
      {terms.map(([term, meaning]) => (
        <div key={term}>
          <dt className="font-medium">{term}</dt>
          <dd className="text-quiet">{meaning}</dd>
        </div>
      ))}
      <p className="text-sm text-quiet">Every figure is the sum of the receipts behind it; open Sales to see them and to take them along as a file.</p>
    </dl>
  );
}

function Figures({ today, now }: { today: Today; now: Date }) {
  const shops = today.stores;
  if (shops.length === 0) {
    return (
      <Card>
        <Empty title="There are no shops yet">
          Add the first one at head office with <code>hq-aggregator store add</code>, then take its join file to the box in the shop.
        </Empty>
      </Card>
    );
  }
  const byNow = sums(shops.flatMap((shop) => shop.before_by_now));
  const found = sums(shops.flatMap((shop) => shop.today));
  // A currency that a shop uses is shown from the first minute of the day.
  const quiet = [...new Set(shops.flatMap((shop) => shop.currency ?? []))].filter((currency) => found.every((sum) => sum.currency !== currency));
  const all = [...found, ...quiet.map((currency): Sum => ({ currency, due: 0n, net: 0n, tax: 0n, sold: 0n, sales: 0, returns: 0 }))];
  return (
    <div className="grid grid-cols-1 gap-6">
      <Attention shops={shops} now={now} />
      {all.map((sum) => (
        <Currency key={sum.currency} sum={sum} before={byNow.find((one) => one.currency === sum.currency)} shops={shops} named={all.length > 1} />
      ))}
      <section aria-labelledby="shops">
        <h2 id="shops" className="mb-3 text-lg font-semibold">
          Shops
        </h2>
        <ul className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          {shops.map((shop) => (
            <li key={shop.store}>
              <Tile shop={shop} now={now} />
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

function Currency({ sum, before, shops, named }: { sum: Sum; before: Sum | undefined; shops: ShopToday[]; named: boolean }) {
  const { currency } = sum;
  const mean = average(sum);
  const then = before === undefined ? undefined : average(before);
  // The same rows of which this is the sum, as long as all shops have the same business day.
  const days = [...new Set(shops.flatMap((shop) => shop.day ?? []))];
  const rows = days.length === 1 ? `/sales?day=${days[0] ?? ""}` : "/sales";
  return (
    <section aria-label={`Today in ${currency}`} className="card grid grid-cols-1 lg:grid-cols-[minmax(0,21rem)_minmax(0,1fr)]">
      <div className="border-line p-6 max-lg:border-b lg:border-e">
        <h2 className="text-sm font-medium text-quiet">Takings{named && ` in ${currency}`}</h2>
        <p className="mt-1 text-[2.5rem] leading-tight font-semibold tracking-tight">
          <Money minor={sum.due} currency={currency} />
        </p>
        <Change percent={change(sum.due, before?.due ?? 0n)} />
        <dl className="mt-6 grid grid-cols-2 gap-x-4 gap-y-5">
          <Small name="Sales" value={sum.sales.toLocaleString()} percent={change(sum.sales, before?.sales ?? 0)} />
          <Small name="Returns" value={sum.returns.toLocaleString()} />
          <Small
            name="Average sale"
            value={mean === undefined ? "–" : <Money minor={mean} currency={currency} />}
            percent={mean === undefined || then === undefined ? undefined : change(mean, then)}
          />
          <Small name="Without tax" value={<Money minor={sum.net} currency={currency} />} />
        </dl>
        <Link href={rows} className="mt-6 inline-flex min-h-8 items-center font-medium text-accent hover:underline">
          See all receipts
        </Link>
      </div>
      <div className="min-w-0 p-6">
        <h3 className="mb-3 text-sm font-medium text-quiet">By hour, on the clock of each shop</h3>
        <HourChart hours={hoursOf(shops, currency)} currency={currency} before="yesterday" />
      </div>
    </section>
  );
}

function Change({ percent }: { percent: number | undefined }) {
  const more = percent !== undefined && percent > 0;
  const less = percent !== undefined && percent < 0;
  return (
    <p className={classes("mt-1 flex items-center gap-1.5 text-[0.9375rem]", more ? "text-good" : less ? "text-warn" : "text-quiet")}>
      {(more || less) && <Arrow up={more} />}
      {changeWords(percent, PERIOD)}
    </p>
  );
}

function Arrow({ up }: { up: boolean }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 12 12" className="size-3 shrink-0" fill="currentColor">
      <path d={up ? "M6 2l5 8H1z" : "M6 10l5-8H1z"} />
    </svg>
  );
}

function Small({ name, value, percent }: { name: string; value: ReactNode; percent?: number | undefined }) {
  return (
    <div>
      <dt className="text-sm text-quiet">{name}</dt>
      <dd className="figures text-lg font-medium">
        {value}
        {percent !== undefined && percent !== 0 && (
          <span className={classes("ms-2 inline-flex items-center gap-1 text-sm font-normal", percent > 0 ? "text-good" : "text-warn")}>
            <Arrow up={percent > 0} />
            <span className="heard-only">{percent > 0 ? "more" : "less"} than {PERIOD}: </span>
            {Math.abs(percent)} %
          </span>
        )}
      </dd>
    </div>
  );
}

function Tile({ shop, now }: { shop: ShopToday; now: Date }) {
  const currencies = [...new Set([...shop.today.map((one) => one.currency), ...(shop.currency === null ? [] : [shop.currency])])];
  const rows = `/sales?store=${shop.store}${shop.day === null ? "" : `&day=${shop.day}`}`;
  return (
    <article className="card flex h-full flex-col p-5">
      <div className="flex flex-wrap items-start justify-between gap-x-3 gap-y-1">
        <h3 className="font-semibold">
          <Link href={rows} className="hover:underline">
            {shop.name}
          </Link>
        </h3>
        <StandingBadge shop={shop} now={now} />
      </div>
      {currencies.length === 0 && <p className="mt-3 text-sm text-quiet">{standing(shop, now).detail}</p>}
      {currencies.map((currency) => {
        const trade = of(shop.today, currency);
        return (
          <div key={currency} className="mt-3 flex items-end justify-between gap-3">
            <div>
              <p className="text-2xl font-semibold tracking-tight">
                <Money minor={trade.due} currency={currency} />
              </p>
              <p className="text-sm text-quiet">
                {trade.sales === 1 ? "1 sale" : `${trade.sales.toLocaleString()} sales`}
                {trade.returns > 0 && `, ${trade.returns === 1 ? "1 return" : `${trade.returns} returns`}`}
              </p>
            </div>
            <HourLine hours={hoursOf([shop], currency)} />
          </div>
        );
      })}
      {currencies.map((currency) => (
        <div key={currency} className="mt-1 text-sm">
          <Change percent={change(of(shop.today, currency).due, of(shop.before_by_now, currency).due)} />
        </div>
      ))}
      {shop.zone !== null && (
        <p className="mt-auto pt-4 text-sm text-quiet">
          {clockWords(now, now, shop.zone)} {zoneWords(shop.zone)}
          {shop.held_to !== null && <> · figures to {clockWords(new Date(shop.held_to), now, shop.zone)}</>}
        </p>
      )}
    </article>
  );
}

/** Shops that need somebody, each with what to do. It empties itself when they are well again. */
function Attention({ shops, now }: { shops: ShopToday[]; now: Date }) {
  const needy = shops.filter((shop) => shop.last_seen === null || !shop.connected || shop.quarantine > 0);
  if (needy.length === 0) return null;
  return (
    <section aria-labelledby="attention" className="card overflow-hidden">
      <h2 id="attention" className="flex items-center gap-2.5 px-5 pt-4 pb-1 font-semibold">
        Needs a look <Badge tone="warn">{needy.length}</Badge>
      </h2>
      <ul className="divide-y divide-line">
        {needy.map((shop) => {
          const { tone, word, detail } = standing(shop, now);
          return (
            <li key={shop.store} className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-5 py-3">
              <span className="font-medium">{shop.name}</span>
              <Badge tone={tone}>{word}</Badge>
              <span className="min-w-0 flex-1 basis-72 text-[0.9375rem] text-quiet">{detail}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
