// A count as it runs: one large number, what the readers do, and what differs from what should be there.
// Lists show the first few hundred; the file has everything the box named.
import { memo, useEffect, useState } from "react";
import type { ReactNode } from "react";

import { Badge, Button, Card, classes, Dialog, Empty, Link, Notice, useSay, Waiting } from "@backroom/protocol";
import type { Tone } from "@backroom/protocol";
import { CountState } from "@backroom/protocol/gen/backroom/clerk/v1/clerk_pb";
import type { CountLine, CountView, KeepCountResponse, TagView, WatchCountResponse } from "@backroom/protocol/gen/backroom/clerk/v1/clerk_pb";

import { Refused, untilAnswered } from "../box/asking.ts";
import { follow } from "../box/follow.ts";
import { newId } from "../box/ids.ts";
import { Segments } from "../box/segments.tsx";
import { Shell } from "../box/shell.tsx";
import { differenceCsv, pieces } from "./csv.ts";
import { ReaderBadge } from "./page.tsx";
import type { ClerkWays } from "./page.tsx";

const MOST_ROWS = 200;

type View = "items" | "missing" | "found" | "unknown" | "latest";
type Asking = "keep" | "drop";

const STATES: Record<CountState, { tone: Tone; words: string }> = {
  [CountState.UNSPECIFIED]: { tone: "quiet", words: "not known" },
  [CountState.READING]: { tone: "info", words: "reading" },
  [CountState.PAUSED]: { tone: "warn", words: "paused" },
  [CountState.KEPT]: { tone: "good", words: "kept" },
  [CountState.DROPPED]: { tone: "quiet", words: "dropped" },
};

export function Count({ countId, ways, store, signIn, leave }: { countId: Uint8Array<ArrayBuffer>; ways: ClerkWays; store: string; signIn: () => void; leave: () => void }) {
  const { way, clerk } = ways;
  const [count, setCount] = useState<CountView>();
  const [refused, setRefused] = useState<string>();
  const [asking, setAsking] = useState<Asking>();
  const [busy, setBusy] = useState(false);
  const [kept, setKept] = useState<KeepCountResponse>();
  const say = useSay();

  useEffect(() => {
    const life = new AbortController();
    const take = (news: WatchCountResponse) => {
      setCount(news.count);
      return news.count?.state !== CountState.KEPT && news.count?.state !== CountState.DROPPED;
    };
    void follow((signal) => clerk.watchCount({ countId }, { signal }), take, way, life.signal).then((what) => {
      if (what?.kind === "sign_in") signIn();
      else if (what !== undefined) setRefused(what.sentence);
    });
    return () => life.abort();
  }, [clerk, way, countId, signIn]);

  const act = <Answer,>(call: Promise<Answer>, then: (answer: Answer) => void = () => undefined) => {
    setBusy(true);
    setRefused(undefined);
    setAsking(undefined);
    call
      .then(then, (error: unknown) => {
        if (error instanceof Refused && error.trouble.kind === "sign_in") signIn();
        else setRefused(error instanceof Error ? error.message : String(error));
      })
      .finally(() => setBusy(false));
  };
  const pause = () => {
    const request = { command: { commandId: newId() }, countId };
    act(untilAnswered((options) => clerk.pauseCount(request, options), way));
  };
  const resume = () => {
    const request = { command: { commandId: newId() }, place: count?.place ?? "", readers: count?.readers.map((reader) => reader.name) ?? [] };
    act(untilAnswered((options) => clerk.startCount(request, options), way));
  };
  const keep = () => {
    const request = { command: { commandId: newId() }, countId };
    act(
      untilAnswered((options) => clerk.keepCount(request, options), way),
      (answer) => {
        setKept(answer);
        say(`Kept: ${answer.tags.toLocaleString()} tags.`, "good");
      },
    );
  };
  const drop = () => {
    const request = { command: { commandId: newId() }, countId };
    act(untilAnswered((options) => clerk.dropCount(request, options), way), leave);
  };

  if (count === undefined) {
    return (
      <Shell title="Count" store={store} here="/clerk">
        {refused === undefined ? (
          <Waiting what="Looking for the count" />
        ) : (
          <Notice tone="bad" action={<Button onClick={leave}>Other counts</Button>}>
            {refused}
          </Notice>
        )}
      </Shell>
    );
  }
  const open = count.state === CountState.READING || count.state === CountState.PAUSED;
  const { tone, words } = STATES[count.state];
  return (
    <Shell
      title={count.place}
      store={store}
      here="/clerk"
      aside={
        <div className="flex flex-wrap gap-2">
          {open ? (
            <>
              {count.state === CountState.READING ? (
                <Button onClick={pause} busy={busy}>
                  Pause
                </Button>
              ) : (
                <Button onClick={resume} busy={busy}>
                  Read on
                </Button>
              )}
              <Button kind="ghost" onClick={() => setAsking("drop")} disabled={busy} className="text-bad">
                Drop
              </Button>
              <Button kind="primary" onClick={() => setAsking("keep")} disabled={busy}>
                Keep the count
              </Button>
            </>
          ) : (
            <Button kind="primary" onClick={leave}>
              Next place
            </Button>
          )}
        </div>
      }
    >
      <p className="-mt-2 text-quiet">
        <Link href="/clerk" className="text-accent underline underline-offset-4">
          All places
        </Link>{" "}
        · begun {count.startedAt} · {count.comparedWith === "" ? "the first count of this place" : `compared with ${count.comparedWith}`}
      </p>
      {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
      {kept !== undefined && (
        <Notice tone={kept.missingUnexplained > 0n ? "warn" : "good"}>
          Kept with {kept.tags.toLocaleString()} tags. {kept.missing === 0n ? "Nothing is missing." : `${kept.missing.toLocaleString()} missing, ${kept.missingUnexplained.toLocaleString()} of them unexplained.`}
        </Notice>
      )}
      <p className="heard-only" role="status">
        {/* Said when it stops, not five times a second. */}
        {count.state === CountState.READING ? "Reading." : `${words}: ${count.tags} tags.`}
      </p>
      <Figures count={count} tone={tone} words={words} />
      <Lists count={count} />
      <Dialog
        title={`Keep the count of ${count.place}?`}
        open={asking === "keep"}
        onClose={() => setAsking(undefined)}
        footer={
          <>
            <Button onClick={() => setAsking(undefined)}>Go on counting</Button>
            <Button kind="primary" onClick={keep}>
              Keep {count.tags.toLocaleString()} tags
            </Button>
          </>
        }
      >
        <p>The next count of this place is compared with this one. {count.missing > 0n && `${count.missing.toLocaleString()} tags of the last one were not read; walk by once more if that is too many.`}</p>
      </Dialog>
      <Dialog
        title="Drop this count?"
        open={asking === "drop"}
        onClose={() => setAsking(undefined)}
        footer={
          <>
            <Button onClick={() => setAsking(undefined)}>Go on counting</Button>
            <Button kind="danger" onClick={drop}>
              Drop it
            </Button>
          </>
        }
      >
        <p>{count.tags.toLocaleString()} tags were read. They are forgotten, and the last kept count stays as it is.</p>
      </Dialog>
    </Shell>
  );
}

function Figures({ count, tone, words }: { count: CountView; tone: Tone; words: string }) {
  const explained = count.missingTags.filter((tag) => tag.explained !== "").length;
  const reading = count.state === CountState.READING;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3 lg:grid-cols-[minmax(0,1.1fr)_minmax(0,1fr)]">
      <section aria-label="Tags" className="card flex flex-wrap items-center justify-between gap-4 p-6">
        <div>
          <p className="figures text-[clamp(4rem,13vw,7.5rem)] leading-none font-semibold tracking-tight">{count.tags.toLocaleString()}</p>
          <p className="pt-2 text-lg text-quiet">different tags</p>
        </div>
        <div className="grid justify-items-end gap-2 text-end">
          <span className="inline-flex items-center gap-2">
            {reading && <span aria-hidden="true" className="beating size-2.5 rounded-full bg-info" />}
            <Badge tone={tone}>{words}</Badge>
          </span>
          <p className="figures text-2xl font-medium">
            {count.tagsPerSecond.toLocaleString()}
            <span className="block text-sm font-normal text-quiet">new per second</span>
          </p>
          <p className="figures text-sm text-quiet">{count.reads.toLocaleString()} reads</p>
        </div>
      </section>
      <dl className="grid grid-cols-2 gap-3">
        <Figure name="Missing" value={count.missing} tone={count.missing > BigInt(explained) ? "text-bad" : undefined}>
          {count.comparedWith === "" ? "nothing to compare with yet" : explained > 0 ? `${explained} of them explained` : "since the last kept count"}
        </Figure>
        <Figure name="Found" value={count.found}>
          not there last time
        </Figure>
        <Figure name="Unknown" value={count.unknown} tone={count.unknown > 0n ? "text-warn" : undefined}>
          no item of this shop; they change nothing
        </Figure>
        <div className="card p-4">
          <dt className="text-sm text-quiet">{count.readers.length === 1 ? "Reader" : "Readers"}</dt>
          {count.readers.map((reader) => (
            <dd key={reader.name} className="pt-1.5">
              <span className="flex flex-wrap items-center justify-between gap-x-2 gap-y-1">
                <span className="font-medium">{reader.name}</span>
                <ReaderBadge reader={reader} />
              </span>
              <span className="block text-sm text-quiet">
                {reader.antennas.length > 0 && `${reader.antennas.length === 1 ? "antenna" : "antennas"} ${reader.antennas.join(", ")}`}
                {(reader.state === "trouble" || reader.state === "away") && ` ${reader.words}`}
              </span>
            </dd>
          ))}
        </div>
      </dl>
    </div>
  );
}

function Figure({ name, value, tone, children }: { name: string; value: bigint; tone?: string | undefined; children: ReactNode }) {
  return (
    <div className="card p-4">
      <dt className="text-sm text-quiet">{name}</dt>
      <dd className={classes("figures text-4xl font-semibold", tone)}>{value.toLocaleString()}</dd>
      <dd className="text-sm text-quiet">{children}</dd>
    </div>
  );
}

function save(count: CountView): void {
  const file = URL.createObjectURL(new Blob([differenceCsv(count)], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = file;
  link.download = `count-${count.place}.csv`;
  link.click();
  URL.revokeObjectURL(file);
}

function Lists({ count }: { count: CountView }) {
  const [view, setView] = useState<View>("items");
  const [onlyDifferences, setOnlyDifferences] = useState(true);
  const lines = onlyDifferences ? count.lines.filter((line) => line.difference !== 0n) : count.lines;
  const unexplained = count.missingTags.filter((tag) => tag.explained === "");
  const explained = count.missingTags.filter((tag) => tag.explained !== "");
  return (
    <Card
      title="What differs"
      aside={
        <Button onClick={() => save(count)} kind="ghost">
          Save as CSV
        </Button>
      }
    >
      <div className="grid gap-3 p-4 pt-2">
        <Segments
          name="Which list"
          value={view}
          choose={setView}
          of={[
            { value: "items", words: "Items" },
            { value: "missing", words: `Missing ${count.missing.toLocaleString()}` },
            { value: "found", words: `Found ${count.found.toLocaleString()}` },
            { value: "unknown", words: `Unknown ${count.unknown.toLocaleString()}` },
            { value: "latest", words: "Just read" },
          ]}
        />
        {view === "items" && (
          <>
            <label className="inline-flex min-h-target items-center gap-2.5 font-medium">
              <input type="checkbox" className="size-5 accent-accent" checked={onlyDifferences} onChange={(event) => setOnlyDifferences(event.target.checked)} />
              Only differences
            </label>
            <Lines lines={lines} only={onlyDifferences} />
          </>
        )}
        {view === "missing" && (
          <>
            <Tags name="Missing, and nobody knows why" tags={unexplained} all={count.missing - BigInt(explained.length)} empty="Nothing is missing unexplained" />
            {explained.length > 0 && <Tags name="Missing, explained" tags={explained} all={BigInt(explained.length)} empty="" />}
          </>
        )}
        {view === "found" && <Tags name="Found: not there last time" tags={count.foundTags} all={count.found} empty="Nothing new was found" />}
        {view === "unknown" && <Tags name="Unknown: no item of this shop" tags={count.unknownTags} all={count.unknown} empty="Every tag belongs to an item of this shop" />}
        {view === "latest" && <Tags name="Read last" tags={count.latest} all={BigInt(count.latest.length)} empty="Nothing was read yet" />}
      </div>
    </Card>
  );
}

const CELL = "px-2 py-2 first:ps-0 last:pe-0 sm:px-3";

function Lines({ lines, only }: { lines: CountLine[]; only: boolean }) {
  if (lines.length === 0) return <Empty title={only ? "Everything is as it should be" : "No item was counted yet"} />;
  return (
    // Focusable, so that the arrow keys scroll it when it is wider than the screen.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto" role="region" aria-label="Items" tabIndex={0}>
      <table className="w-full border-collapse text-[0.9375rem]">
        <caption className="heard-only">Items: what the box believes is in the shop, and how many tags were read</caption>
        <thead>
          <tr className="border-b border-line text-sm text-quiet">
            <th scope="col" className={classes(CELL, "w-full text-start font-medium")}>
              Item
            </th>
            <th scope="col" className={classes(CELL, "text-end font-medium")}>
              Expected
            </th>
            <th scope="col" className={classes(CELL, "text-end font-medium")}>
              Counted
            </th>
            <th scope="col" className={classes(CELL, "text-end font-medium")}>
              Difference
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.slice(0, MOST_ROWS).map((line) => (
            <LineRow key={line.sku} sku={line.sku} name={line.name} onHand={pieces(line.onHandMilli)} counted={line.counted.toLocaleString()} difference={line.difference} />
          ))}
        </tbody>
      </table>
      <More shown={MOST_ROWS} all={BigInt(lines.length)} />
    </div>
  );
}

/** Drawn again only when its own figures changed, not with each of five updates a second. */
const LineRow = memo(function LineRow({ sku, name, onHand, counted, difference }: { sku: string; name: string; onHand: string; counted: string; difference: bigint }) {
  return (
    <tr className="border-b border-line/70 last:border-0">
      <th scope="row" className={classes(CELL, "text-start font-medium")}>
        {name}
        <span className="block font-mono text-sm font-normal text-quiet">{sku}</span>
      </th>
      <td className={classes(CELL, "figures text-end")}>{onHand}</td>
      <td className={classes(CELL, "figures text-end")}>{counted}</td>
      <td className={classes(CELL, "figures text-end font-semibold", difference < 0n ? "text-bad" : difference > 0n ? "text-info" : "text-quiet")}>
        {difference > 0n ? "+" : difference < 0n ? "−" : ""}
        {(difference < 0n ? -difference : difference).toLocaleString()}
      </td>
    </tr>
  );
});

function Tags({ name, tags, all, empty }: { name: string; tags: TagView[]; all: bigint; empty: string }) {
  if (tags.length === 0) return empty === "" ? null : <Empty title={empty} />;
  return (
    <section aria-label={name}>
      <h3 className="pb-1 text-sm font-medium text-quiet">{name}</h3>
      <ul className="divide-y divide-line/70">
        {tags.slice(0, MOST_ROWS).map((tag) => (
          <TagRow key={tag.epc} epc={tag.epc} name={tag.name} explained={tag.explained} seen={tag.lastSeen} antenna={tag.antenna} rssi={tag.rssiTenths} />
        ))}
      </ul>
      <More shown={Math.min(tags.length, MOST_ROWS)} all={all} />
    </section>
  );
}

const TagRow = memo(function TagRow({ epc, name, explained, seen, antenna, rssi }: { epc: string; name: string; explained: string; seen: string; antenna: number; rssi: number }) {
  return (
    <li className="flex flex-wrap items-baseline justify-between gap-x-4 py-2">
      <span className="min-w-0">
        <span className="font-medium">{name === "" ? "No item of this shop" : name}</span>
        <span className="block font-mono text-sm break-all text-quiet">{epc}</span>
      </span>
      <span className="text-sm text-quiet sm:text-end">
        {explained !== "" && <Badge tone="good">{explained}</Badge>}
        <span className="figures block">
          {seen}
          {antenna > 0 && ` · antenna ${antenna}`}
          {rssi !== 0 && ` · ${(rssi / 10).toFixed(1)} dBm`}
        </span>
      </span>
    </li>
  );
});

function More({ shown, all }: { shown: number; all: bigint }) {
  return all > BigInt(shown) ? <p className="pt-2 text-sm text-quiet">… and {(all - BigInt(shown)).toLocaleString()} more.</p> : null;
}
