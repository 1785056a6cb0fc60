// The count at `/clerk`: choose a place and readers, then watch the shelf fill. Which count is open stands in the address, so a
// reload finds it again.
import { useCallback, useEffect, useState } from "react";
import type { SubmitEvent } from "react";

import { Badge, Button, Card, classes, Empty, Field, go, Notice, useAddress, Waiting } from "@backroom/protocol";
import type { Tone } from "@backroom/protocol";
import { boxClient } from "@backroom/protocol/clients";
import { ClerkService } from "@backroom/protocol/gen/backroom/clerk/v1/clerk_pb";
import type { ListReadersResponse, PlaceView, ReaderView } from "@backroom/protocol/gen/backroom/clerk/v1/clerk_pb";

import { Refused, untilAnswered, Way } from "../box/asking.ts";
import { fromHex, hex, newId } from "../box/ids.ts";
import { AwayBanner, Shell } from "../box/shell.tsx";
import { Gate } from "../gate/gate.tsx";
import { Count } from "./count.tsx";

const LOOK_AGAIN_MS = 3_000;

export type ClerkWays = { way: Way; clerk: ReturnType<typeof boxClient<typeof ClerkService>> };

export default function ClerkPage() {
  return (
    <Gate page="Count">
      {(session, readAgain) => <Clerk store={session.store_name} signIn={readAgain} />}
    </Gate>
  );
}

function Clerk({ store, signIn }: { store: string; signIn: () => void }) {
  const [ways] = useState<ClerkWays>(() => ({ way: new Way(), clerk: boxClient(ClerkService) }));
  const countId = fromHex(useAddress().searchParams.get("count") ?? "");
  return (
    <>
      <AwayBanner way={ways.way}>The box does not answer. What was counted is kept; the page goes on by itself.</AwayBanner>
      {countId === undefined ? (
        <Shell title="Count with a reader" store={store} here="/clerk">
          <Start ways={ways} signIn={signIn} />
        </Shell>
      ) : (
        <Count key={hex(countId)} countId={countId} ways={ways} store={store} signIn={signIn} leave={() => go("/clerk")} />
      )}
    </>
  );
}

function Start({ ways, signIn }: { ways: ClerkWays; signIn: () => void }) {
  const { way, clerk } = ways;
  const [list, setList] = useState<ListReadersResponse>();
  const [place, setPlace] = useState("");
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [refused, setRefused] = useState<string>();
  const [busy, setBusy] = useState(false);

  const failed = useCallback(
    (error: unknown) => {
      if (error instanceof Refused && error.trouble.kind === "sign_in") signIn();
      else setRefused(error instanceof Error ? error.message : String(error));
    },
    [signIn],
  );
  useEffect(() => {
    const life = new AbortController();
    const look = () => {
      untilAnswered((options) => clerk.listReaders({}, options), way, undefined, life.signal).then(setList, (error: unknown) => {
        if (!life.signal.aborted) failed(error);
      });
    };
    look();
    const timer = setInterval(look, LOOK_AGAIN_MS);
    return () => {
      clearInterval(timer);
      life.abort();
    };
  }, [clerk, way, failed]);

  const start = (where: string) => {
    if (list === undefined) return;
    const readers = list.readers.map((reader) => reader.name).filter((name) => !left.has(name));
    // Made once: asked again after a lost answer, it is the same command.
    const request = { command: { commandId: newId() }, place: where, readers: readers.length === list.readers.length ? [] : readers };
    setBusy(true);
    setRefused(undefined);
    untilAnswered((options) => clerk.startCount(request, options), way)
      .then((answer) => go(`/clerk?count=${hex(answer.countId)}`), failed)
      .finally(() => setBusy(false));
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    start(place.trim().toLowerCase());
  };
  const choose = (name: string, chosen: boolean) => {
    const next = new Set(left);
    if (chosen) next.delete(name);
    else next.add(name);
    setLeft(next);
  };

  if (list === undefined) return refused === undefined ? <Waiting what="Looking for readers" /> : <Notice tone="bad">{refused}</Notice>;
  const chosen = list.readers.length - left.size;
  return (
    <div className="grid gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <Card title="Where">
        <div className="grid gap-4 p-5 pt-2">
          {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
          {list.places.length > 0 && (
            <ul className="grid gap-2">
              {list.places.map((one) => (
                <li key={one.place}>
                  <Place place={one} busy={busy || chosen === 0} start={start} />
                </li>
              ))}
            </ul>
          )}
          <form onSubmit={submit} className="flex items-end gap-2">
            <Field
              className="flex-1"
              label={list.places.length > 0 ? "Another place" : "Name of the place"}
              placeholder="shelf-1"
              value={place}
              onChange={(event) => setPlace(event.target.value)}
              pattern="[a-zA-Z0-9\-]{1,16}"
              title="1 to 16 letters, digits and -"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              required
            />
            <Button type="submit" kind="primary" busy={busy} disabled={chosen === 0}>
              Start counting
            </Button>
          </form>
        </div>
      </Card>
      <Card title="Readers">
        {list.readers.length === 0 ? (
          <Empty title="No reader is set up">Whoever looks after the box names the readers of this store in its configuration.</Empty>
        ) : (
          <ul className="grid gap-2 p-5 pt-2">
            {list.readers.map((reader) => (
              <li key={reader.name}>
                <label className="flex min-h-14 items-center gap-3 rounded-control border border-edge/60 px-3 py-2 has-checked:border-accent has-checked:bg-accent-soft/50">
                  <input type="checkbox" className="size-5 shrink-0 accent-accent" checked={!left.has(reader.name)} onChange={(event) => choose(reader.name, event.target.checked)} />
                  <span className="min-w-0 flex-1">
                    <span className="block font-medium">{reader.name}</span>
                    <span className="block text-sm text-quiet">{reader.words}</span>
                  </span>
                  <ReaderBadge reader={reader} />
                </label>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </div>
  );
}

function Place({ place, busy, start }: { place: PlaceView; busy: boolean; start: (place: string) => void }) {
  const open = place.openCountId.length > 0;
  return (
    <button
      type="button"
      disabled={busy}
      onClick={() => (open ? go(`/clerk?count=${hex(place.openCountId)}`) : start(place.place))}
      className={classes("flex min-h-16 w-full items-center justify-between gap-4 rounded-control border px-4 py-2 text-start hover:border-edge disabled:opacity-60", open ? "border-accent bg-accent-soft/50" : "border-line")}
    >
      <span className="min-w-0">
        <span className="block text-lg font-medium">{place.place}</span>
        <span className="block text-sm text-quiet">{place.lastKept === "" ? "not kept yet" : `${place.tags.toLocaleString()} tags, ${place.lastKept}`}</span>
      </span>
      <span className="font-medium text-accent">{open ? "Go on" : "Count again"}</span>
    </button>
  );
}

const TONES: Record<string, Tone> = { connecting: "quiet", ready: "good", reading: "info", trouble: "bad", away: "warn" };

export function ReaderBadge({ reader }: { reader: ReaderView }) {
  return <Badge tone={TONES[reader.state] ?? "quiet"}>{reader.state}</Badge>;
}
