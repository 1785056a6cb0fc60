// Sales by hour as bars, drawn by the page itself: today filled, the day before behind it. The same figures stand below as a table.
import { useEffect, useRef, useState } from "react";

import { minorDigits, shownMoney } from "@backroom/protocol";

import type { HourPair } from "./figures.ts";

const HEIGHT = 220;
const FOOT = 26;
const HEAD = 10;

/** Lines at round amounts: at most four, the top one above the highest bar. */
function marks(highest: bigint, currency: string): bigint[] {
  const least = 10n ** BigInt(minorDigits(currency));
  const wanted = highest < least ? least : highest;
  let step = least;
  for (let size = least; step * 4n < wanted; size *= 10n) {
    const found = [1n, 2n, 5n].map((times) => size * times).find((candidate) => candidate * 4n >= wanted);
    step = found ?? size * 10n;
  }
  const lines: bigint[] = [];
  for (let at = step; at < wanted + step; at += step) lines.push(at);
  return lines;
}

function short(minor: bigint, currency: string): string {
  const whole = Number(minor / 10n ** BigInt(minorDigits(currency)));
  return new Intl.NumberFormat(undefined, { style: "currency", currency, notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 }).format(whole);
}

const hourName = (hour: number) => String(hour).padStart(2, "0");

export function HourChart({ hours, currency, before }: { hours: HourPair[]; currency: string; before: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const highest = hours.reduce((most, { now, before }) => [now, before].reduce((a, b) => (b > a ? b : a), most), 0n);
  const lines = marks(highest, currency);
  const top = lines.at(-1) ?? 1n;
  const left = 52;
  const room = Math.max(0, width - left);
  const step = room / hours.length;
  // Drawn in thousandths of a pixel, so that amounts stay whole numbers until they are heights.
  const tall = (minor: bigint) => (minor <= 0n ? 0 : Number((minor * BigInt((HEIGHT - FOOT - HEAD) * 1000)) / top) / 1000);
  const base = HEIGHT - FOOT;
  const bar = Math.min(30, Math.max(4, step * 0.56));
  const every = step < 22 ? 3 : step < 34 ? 2 : 1;

  return (
    <div ref={frame} className="min-w-0 overflow-hidden">
      <svg width={width} height={HEIGHT} aria-hidden="true" className="block">
        {lines.map((at) => (
          <g key={String(at)}>
            <line x1={left} x2={width} y1={base - tall(at)} y2={base - tall(at)} className="stroke-line" />
            <text x={left - 8} y={base - tall(at) + 4} textAnchor="end" className="fill-quiet text-xs">
              {short(at, currency)}
            </text>
          </g>
        ))}
        <line x1={left} x2={width} y1={base} y2={base} className="stroke-edge" />
        {width > 0 &&
          hours.map(({ hour, now, before: then }, place) => {
            const middle = left + step * (place + 0.5);
            return (
              <g key={hour}>
                <title>{`${hourName(hour)}:00: ${shownMoney(now, currency)}, ${before} ${shownMoney(then, currency)}`}</title>
                <rect x={middle - step / 2} y={0} width={step} height={base} fill="transparent" />
                <rect x={middle - bar / 2 - 3} y={base - tall(then)} width={bar + 6} height={tall(then)} rx="4" className="fill-edge/30" />
                <rect x={middle - bar / 2} y={base - tall(now)} width={bar} height={tall(now)} rx="3" className="fill-accent" />
                {place % every === 0 && (
                  <text x={middle} y={HEIGHT - 7} textAnchor="middle" className="fill-quiet text-xs">
                    {hourName(hour)}
                  </text>
                )}
              </g>
            );
          })}
      </svg>
      <p className="mt-1 flex flex-wrap gap-x-5 gap-y-1 text-sm text-quiet">
        <span className="flex items-center gap-2">
          <span aria-hidden="true" className="size-3 rounded-sm bg-accent" /> Today
        </span>
        <span className="flex items-center gap-2">
          <span aria-hidden="true" className="size-3 rounded-sm bg-edge/40" /> Yesterday
        </span>
      </p>
      <details className="mt-2 text-sm">
        <summary className="w-fit rounded py-1.5 text-accent">As a table</summary>
        <table className="mt-2 w-full max-w-xl">
          <caption className="heard-only">Sales by hour in {currency}</caption>
          <thead>
            <tr className="border-b border-line text-quiet">
              <th scope="col" className="py-1.5 text-start font-medium">Hour</th>
              <th scope="col" className="py-1.5 text-end font-medium">Sales</th>
              <th scope="col" className="py-1.5 text-end font-medium">Today</th>
              <th scope="col" className="py-1.5 text-end font-medium">Yesterday</th>
            </tr>
          </thead>
          <tbody>
            {hours.map(({ hour, now, before: then, sales }) => (
              <tr key={hour} className="border-b border-line/60 last:border-0">
                <th scope="row" className="py-1.5 text-start font-normal">{hourName(hour)}:00</th>
                <td className="py-1.5 text-end">{sales}</td>
                <td className="py-1.5 text-end">{shownMoney(now, currency)}</td>
                <td className="py-1.5 text-end text-quiet">{shownMoney(then, currency)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}

/** The same in a few pixels, for a tile; its figures stand beside it. */
export function HourLine({ hours }: { hours: HourPair[] }) {
  const highest = hours.reduce((most, { now }) => (now > most ? now : most), 1n);
  return (
    <svg aria-hidden="true" viewBox={`0 0 ${hours.length * 8} 28`} className="h-7 w-28" preserveAspectRatio="none">
      {hours.map(({ hour, now }, place) => {
        const tall = now <= 0n ? 1 : Math.max(2, Number((now * 28n) / highest));
        return <rect key={hour} x={place * 8 + 1} y={28 - tall} width="6" height={tall} rx="1" className={now > 0n ? "fill-accent" : "fill-line"} />;
      })}
    </svg>
  );
}
