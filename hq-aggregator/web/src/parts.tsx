// Small parts that several pages of the portal show: page heads, how a shop stands, errors of a live question.
import type { ReactNode } from "react";

import { agoWords, Badge, Button, clockWords, Notice, spanWords } from "@backroom/protocol";
import type { Tone } from "@backroom/protocol";

import { said } from "./api.ts";

/** The first line of a page: its name, what it says of its freshness, and what can be done with all of it. */
export function Head({ title, children, actions }: { title: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-2xl font-semibold sm:text-[1.75rem]">{title}</h1>
        {children !== undefined && <div className="mt-1 text-quiet">{children}</div>}
      </div>
      {actions !== undefined && <div className="flex flex-wrap items-center gap-3">{actions}</div>}
    </div>
  );
}

/** Why a live question failed; what was answered before stays below it. */
export function Trouble({ error, again, at }: { error: unknown; again: () => void; at?: Date | undefined }) {
  if (error === undefined) return null;
  return (
    <div className="mb-5">
      <Notice tone="bad" action={<Button onClick={again}>Ask again</Button>}>
        {said(error)}
        {at !== undefined && ` The figures below are from ${clockWords(at, at)}.`}
      </Notice>
    </div>
  );
}

export type Standing = { tone: Tone; word: string; detail: string };

type Known = { connected: boolean; last_seen: string | null; waiting: number; quarantine: number; zone: string | null };

/** How a shop stands with head office, in words. A shop that is away sells on by itself; the words say so. */
export function standing(shop: Known, now: Date): Standing {
  if (shop.last_seen === null) return { tone: "quiet", word: "Not set up yet", detail: "It has never been heard of. Take its join file to the box in the shop." };
  const seen = new Date(shop.last_seen);
  const zone = shop.zone ?? undefined;
  const waits = shop.waiting === 1 ? "1 record waits" : `${shop.waiting.toLocaleString()} records wait`;
  if (!shop.connected) {
    return {
      tone: "warn",
      word: `Away for ${spanWords((now.getTime() - seen.getTime()) / 1000)}`,
      detail: `Last heard of at ${clockWords(seen, now, zone)}. The shop sells on by itself and sends everything once the line is back.`,
    };
  }
  if (shop.quarantine > 0) {
    const cases = shop.quarantine === 1 ? "1 record" : `${shop.quarantine} records`;
    return { tone: "bad", word: "Needs a look", detail: `${cases} could not be taken into the figures. Nothing is lost; the log of head office says which.` };
  }
  if (shop.waiting > 0) return { tone: "info", word: "Catching up", detail: `${waits} to arrive; heard of ${agoWords(seen, now)}.` };
  return { tone: "good", word: "Up to date", detail: `Everything has arrived; heard of ${agoWords(seen, now)}.` };
}

export function StandingBadge({ shop, now }: { shop: Known; now: Date }) {
  const { tone, word } = standing(shop, now);
  return <Badge tone={tone}>{word}</Badge>;
}

/** "Europe/Berlin" as "Berlin time". */
export function zoneWords(zone: string | null): string {
  if (zone === null) return "time not known yet";
  return `${zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone} time`;
}

/** A civil date ("2026-11-21") as people write it. */
export function dayWords(day: string, form: "long" | "short" = "long"): string {
  const options: Intl.DateTimeFormatOptions =
    form === "long" ? { weekday: "long", day: "numeric", month: "long" } : { day: "numeric", month: "short", year: "numeric" };
  return new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" }).format(new Date(`${day}T12:00:00Z`));
}
