// The console at `/console`: every supervised actor as it lives, the devices, and what exists on this box only.
// Shows and strikes; how actors come back is the box's business.
import { useEffect, useState } from "react";

import { Badge, Button, Card, classes, Dialog, Empty, Notice, spanWords, useSay, Waiting } from "@backroom/protocol";
import type { Tone } from "@backroom/protocol";
import { boxClient, ConsoleService } from "@backroom/protocol/clients";
import { ActorState } from "@backroom/protocol/gen/backroom/console/v1/console_pb";
import type { ActorView, DeviceLine, StoreLine, WatchResponse } from "@backroom/protocol/gen/backroom/console/v1/console_pb";

import { Way } from "../box/asking.ts";
import { follow } from "../box/follow.ts";
import { newId } from "../box/ids.ts";
import { useNowMs } from "../box/now.ts";
import { AwayBanner, Shell } from "../box/shell.tsx";
import { trouble } from "../box/trouble.ts";
import { Gate } from "../gate/gate.tsx";
import { actorInTrouble, deviceInTrouble, grouped, shortName } from "./tree.ts";
import type { Group } from "./tree.ts";

export default function ConsolePage() {
  const [closed, setClosed] = useState(false);
  // Whether somebody must be signed in to look is the box's decision.
  return closed ? <Gate page="Console">{() => <Console locked={() => undefined} />}</Gate> : <Console locked={() => setClosed(true)} />;
}

type Seen = { view: WatchResponse; atMs: number };

function Console({ locked }: { locked: () => void }) {
  const [ways] = useState(() => ({ way: new Way(), console: boxClient(ConsoleService) }));
  const [seen, setSeen] = useState<Seen>();
  const [refused, setRefused] = useState<string>();
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const [striking, setStriking] = useState<string>();
  const say = useSay();
  const nowMs = useNowMs();
  useEffect(() => {
    const life = new AbortController();
    const take = (view: WatchResponse) => {
      setSeen({ view, atMs: Date.now() });
      return true;
    };
    void follow((signal) => ways.console.watch({}, { signal }), take, ways.way, life.signal).then((what) => {
      if (what?.kind === "sign_in") locked();
      else if (what !== undefined) setRefused(what.sentence);
    });
    return () => life.abort();
  }, [ways, locked]);

  const strike = (name: string) => {
    setStriking(undefined);
    ways.console.strikeActor({ command: { commandId: newId() }, name }, { timeoutMs: 8_000 }).then(
      () => say(`${name} was struck down. Its supervisor brings it back.`, "warn"),
      (error: unknown) => say(trouble(error).sentence, "bad"),
    );
  };

  const store = seen?.view.store;
  const groups = grouped(seen?.view.actors ?? []);
  const all = seen?.view.actors ?? [];
  const devices = seen?.view.devices ?? [];
  const wrong = all.filter(actorInTrouble).length + devices.filter(deviceInTrouble).length;
  const shown = onlyTrouble ? groups.map((group) => ({ ...group, actors: group.actors.filter(actorInTrouble) })).filter((group) => group.actors.length > 0) : groups;
  const shownDevices = onlyTrouble ? devices.filter(deviceInTrouble) : devices;
  return (
    <>
      <AwayBanner way={ways.way}>The box does not answer. What is below is how it was; the page goes on by itself.</AwayBanner>
      <Shell
        title="Console"
        store={store?.storeName}
        here="/console"
        aside={
          <label className="inline-flex min-h-target items-center gap-2.5 font-medium">
            <input type="checkbox" className="size-5 accent-accent" checked={onlyTrouble} onChange={(event) => setOnlyTrouble(event.target.checked)} />
            Only trouble <span className="figures text-quiet">({wrong})</span>
          </label>
        }
      >
        {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
        {store !== undefined && store.trouble !== "" && <Notice tone="warn">{store.trouble}</Notice>}
        {seen === undefined ? (
          refused === undefined && <Waiting what="Asking the box who lives there" />
        ) : (
          <>
            {store !== undefined && <StoreFigures store={store} actors={all} />}
            <Card
              title="Actors"
              aside={<span className="text-sm text-quiet">{store?.faultsAllowed === true ? "Faults are allowed here: any of them can be struck down." : "Each is brought back by its supervisor when it falls."}</span>}
            >
              <Actors groups={shown} sinceMs={Math.max(0, nowMs - seen.atMs)} strike={store?.faultsAllowed === true ? setStriking : undefined} />
            </Card>
            <Card title="Devices">
              <Devices devices={shownDevices} onlyTrouble={onlyTrouble} />
            </Card>
          </>
        )}
      </Shell>
      <Dialog
        title={`Strike ${striking ?? ""} down?`}
        open={striking !== undefined}
        onClose={() => setStriking(undefined)}
        footer={
          <>
            <Button onClick={() => setStriking(undefined)}>Leave it alone</Button>
            <Button kind="danger" onClick={() => striking !== undefined && strike(striking)}>
              Strike it down
            </Button>
          </>
        }
      >
        <p>It panics in the middle of its work. Its supervisor starts it again, and what was written stays written. Registers that ask it meanwhile ask once more.</p>
      </Dialog>
    </>
  );
}

function StoreFigures({ store, actors }: { store: StoreLine; actors: ActorView[] }) {
  // Everything is held, and nothing is: there is nobody to hold it.
  const alone = !store.hqConnected && store.heldByHq === 0n && store.unheld === 0n && store.seq > 0n;
  const running = actors.filter((actor) => actor.state === ActorState.RUNNING).length;
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure name="Actors running" value={`${running} of ${actors.length}`} note={running === actors.length ? "all are well" : "some are being brought back"} tone={running === actors.length ? "good" : "warn"} />
      <Figure name="In the journal" value={store.seq.toLocaleString()} note={`epoch ${store.epoch}`} tone="quiet" />
      <Figure
        name="Only on this box"
        value={(alone ? store.seq : store.unheld).toLocaleString()}
        note={alone ? "there is no head office to hold them too" : store.unheld === 0n ? "head office holds everything" : `entries; head office holds ${store.heldByHq.toLocaleString()}`}
        tone={store.unheld === 0n && !alone ? "good" : "warn"}
      />
      <Figure name="Head office" value={alone ? "none" : store.hqConnected ? "connected" : "away"} note={alone ? "this store stands alone" : store.hqConnected ? "gets every entry as it is written" : "selling goes on; entries are kept here"} tone={store.hqConnected ? "good" : "warn"} />
    </dl>
  );
}

const BARS: Partial<Record<Tone, string>> = { good: "bg-good", warn: "bg-warn", quiet: "bg-edge" };

function Figure({ name, value, note, tone }: { name: string; value: string; note: string; tone: Tone }) {
  return (
    <div className="card relative overflow-hidden p-4 ps-5">
      <span aria-hidden="true" className={classes("absolute inset-y-0 start-0 w-1", BARS[tone])} />
      <dt className="text-sm text-quiet">{name}</dt>
      <dd className="figures pt-0.5 text-2xl font-semibold">{value}</dd>
      <dd className="text-sm text-quiet">{note}</dd>
    </div>
  );
}

const STATES: Record<ActorState, { tone: Tone; words: string }> = {
  [ActorState.UNSPECIFIED]: { tone: "quiet", words: "not known" },
  [ActorState.RUNNING]: { tone: "good", words: "running" },
  [ActorState.RESTARTING]: { tone: "warn", words: "coming back" },
  [ActorState.QUARANTINED]: { tone: "bad", words: "given up" },
  [ActorState.STOPPED]: { tone: "bad", words: "stopped" },
};
/** So long after its return an actor is still marked. */
const BACK_FOR_MS = 6_000;

const CELL = "px-3 py-1.5 first:ps-5 last:pe-4";
const WIDE = "max-md:hidden";

function Actors({ groups, sinceMs, strike }: { groups: Group[]; sinceMs: number; strike: ((name: string) => void) | undefined }) {
  if (groups.length === 0) return <Empty title="No trouble">Nobody fell within the last hour.</Empty>;
  return (
    // Focusable, so that the arrow keys scroll it when it is wider than the screen.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto pb-2" role="region" aria-label="Actors" tabIndex={0}>
      <table className="w-full border-collapse text-[0.9375rem]">
        <caption className="heard-only">The supervised actors of this box, and how each of them is</caption>
        <thead>
          <tr className="border-b border-line text-sm whitespace-nowrap text-quiet">
            <th scope="col" className={classes(CELL, "text-start font-medium")}>
              Name
            </th>
            <th scope="col" className={classes(CELL, "text-start font-medium")}>
              State
            </th>
            <th scope="col" className={classes(CELL, WIDE, "text-end font-medium")}>
              Up for
            </th>
            <th scope="col" className={classes(CELL, WIDE, "text-end font-medium")}>
              Restarts
            </th>
            <th scope="col" className={classes(CELL, WIDE, "text-end font-medium")}>
              Waiting
            </th>
            <th scope="col" className={classes(CELL, WIDE, "text-start font-medium")}>
              Last words
            </th>
            {strike !== undefined && (
              <th scope="col" className={CELL}>
                <span className="heard-only">Strike down</span>
              </th>
            )}
          </tr>
        </thead>
        {groups.map((group) => (
          <tbody key={group.name}>
            <tr>
              <th scope="rowgroup" colSpan={strike === undefined ? 6 : 7} className="px-5 pt-4 pb-1 text-start text-sm font-semibold text-quiet">
                {group.name}
              </th>
            </tr>
            {group.actors.map((actor, at) => (
              <ActorRow key={actor.name} actor={actor} last={at === group.actors.length - 1} sinceMs={sinceMs} strike={strike} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function ActorRow({ actor, last, sinceMs, strike }: { actor: ActorView; last: boolean; sinceMs: number; strike: ((name: string) => void) | undefined }) {
  const running = actor.state === ActorState.RUNNING;
  const upMs = Number(actor.upMs) + sinceMs;
  const back = running && actor.restarts > 0n && upMs < BACK_FOR_MS;
  const { tone, words } = back ? { tone: "warn" as Tone, words: "back again" } : STATES[actor.state];
  return (
    // A new key whenever it fell or came back: the row breathes once.
    <tr key={`${actor.restarts}-${actor.state}`} className={classes("group", actor.restarts > 0n && (running ? back && "just-now" : "just-fell"))} data-actor={actor.name}>
      <th scope="row" className={classes(CELL, "relative text-start font-medium whitespace-nowrap")}>
        {/* The branch it hangs on. */}
        <span aria-hidden="true" className={classes("absolute start-6 top-0 border-s-2 border-line", last ? "h-1/2" : "h-full")} />
        <span aria-hidden="true" className="absolute start-6 top-1/2 w-3 border-t-2 border-line" />
        <span className="ps-6">{shortName(actor.name)}</span>
      </th>
      <td className={CELL}>
        <Badge tone={tone}>{words}</Badge>
        {/* On a narrow screen the other columns are words under the state. */}
        <span className="figures block pt-0.5 text-sm text-quiet md:hidden">
          {running && `up ${spanWords(upMs / 1000)}`}
          {actor.restarts > 0n && `, restarts: ${actor.restarts}`}
          {actor.waiting > 0n && `, waiting: ${actor.waiting}`}
          {actor.lastError !== "" && `, ${actor.lastError}`}
        </span>
      </td>
      <td className={classes(CELL, WIDE, "figures text-end whitespace-nowrap")}>{running ? spanWords(upMs / 1000) : "–"}</td>
      <td className={classes(CELL, WIDE, "figures text-end whitespace-nowrap")}>
        {actor.restarts.toString()}
        {actor.restartsLastHour > 0n && <span className="text-quiet"> ({actor.restartsLastHour.toString()} this hour)</span>}
      </td>
      <td className={classes(CELL, WIDE, "figures text-end")}>{actor.waiting.toString()}</td>
      <td className={classes(CELL, WIDE, "min-w-48 text-sm text-quiet")}>
        <span className="line-clamp-2">{actor.lastError === "" ? "–" : actor.lastError}</span>
      </td>
      {strike !== undefined && (
        <td className={classes(CELL, "text-end")}>
          <Button kind="ghost" className="text-bad hover:bg-bad-soft" onClick={() => strike(actor.name)} disabled={!running} aria-label={`Strike ${actor.name} down`}>
            Strike
          </Button>
        </td>
      )}
    </tr>
  );
}

const DEVICE_TONES: Record<string, Tone> = { connecting: "quiet", ready: "good", attention: "warn", trouble: "bad", away: "warn" };

function Devices({ devices, onlyTrouble }: { devices: DeviceLine[]; onlyTrouble: boolean }) {
  if (devices.length === 0) {
    return onlyTrouble ? <Empty title="No trouble">Every device that is set up works.</Empty> : <Empty title="No device is set up">Printers, terminals, scanners and readers of this store appear here.</Empty>;
  }
  return (
    <ul className="grid gap-3 p-4 pt-3 sm:grid-cols-2 lg:grid-cols-3">
      {devices.map((device) => (
        <li key={device.name} className="grid content-start gap-1 rounded-control border border-line p-4" data-device={device.name}>
          <span className="flex items-center justify-between gap-3">
            <span className="font-medium">{device.name}</span>
            <Badge tone={DEVICE_TONES[device.state] ?? "quiet"}>{device.state}</Badge>
          </span>
          <span className="text-sm text-quiet">
            {device.kind}
            {device.register !== "" && ` on ${device.register}`}
            {device.address !== "" && ` · ${device.address}`}
          </span>
          {device.words !== "" && <span>{device.words}</span>}
          {device.waiting > 0 && <span className="text-sm text-warn">{device.waiting} waiting</span>}
        </li>
      ))}
    </ul>
  );
}
