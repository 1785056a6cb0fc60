// The drawer's day: it is opened with a float, looked at, and counted blind. What should be in it is said only after the count.
import { useEffect, useState } from "react";
import type { ReactNode, SubmitEvent } from "react";

import { Button, classes, Field, Notice, parsedMoney, plainMoney, shownMoney, Waiting } from "@backroom/protocol";
import type { CloseShiftResponse, ReadShiftResponse } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { trouble } from "../box/trouble.ts";
import { Door } from "../gate/gate.tsx";
import type { Present } from "../gate/gate.tsx";
import { Amount, moneyOf } from "./amount.tsx";
import { countedCash, denominations } from "./cash.ts";
import { firstFocus } from "./first-focus.ts";
import type { Ways } from "./page.tsx";
import { Paper } from "./paper.tsx";
import type { Till } from "./till.ts";

export function OpenShift({ session, person, till, onOpen }: { session: Present; person: string; till: Till; onOpen: () => void }) {
  const [float, setFloat] = useState("");
  const [wrong, setWrong] = useState<string>();
  const [refused, setRefused] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const minor = parsedMoney(float, session.currency);
    if (minor === undefined || minor < 0n) {
      setWrong("Write an amount such as 100 or 85.50; 0 when the drawer is empty.");
      return;
    }
    setWrong(undefined);
    setRefused(undefined);
    setBusy(true);
    till
      .openShift(moneyOf(minor, session.currency))
      .then(onOpen, (error: unknown) => setRefused(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Door title={`Good to see you, ${person}`} store={`${session.store_name} · ${session.device.register}`}>
      <form onSubmit={submit} className="grid gap-4">
        <p className="text-quiet">Count what is in the drawer to begin with. Then the register sells.</p>
        {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
        <Field
          ref={(field) => field?.focus()}
          label="Cash in the drawer"
          inputMode="decimal"
          autoComplete="off"
          value={float}
          onChange={(event) => setFloat(event.target.value)}
          error={wrong}
          after={session.currency}
          required
        />
        <Button type="submit" kind="primary" size="tender" busy={busy}>
          Open the shift
        </Button>
      </form>
    </Door>
  );
}

export function ShiftReport({ ways }: { ways: Ways }) {
  const [report, setReport] = useState<ReadShiftResponse>();
  const [refused, setRefused] = useState<string>();
  useEffect(() => {
    ways.register.readShift({}, { timeoutMs: 8_000 }).then(setReport, (error: unknown) => setRefused(trouble(error).sentence));
  }, [ways]);
  if (refused !== undefined) return <Notice tone="bad">{refused}</Notice>;
  if (report === undefined) return <Waiting what="Adding up" />;
  return (
    <dl className="divide-y divide-line">
      <Row name="Sales">{report.sales.toString()}</Row>
      <Row name="Returns">{report.returns.toString()}</Row>
      <Row name="Tickets given up">{report.cancelled.toString()}</Row>
      <Row name="Sold">
        <Amount of={report.salesDue} />
      </Row>
      <Row name="Taken back">
        <Amount of={report.returnsDue} />
      </Row>
      <Row name="Net">
        <Amount of={report.net} />
      </Row>
      <Row name="Tax">
        <Amount of={report.tax} />
      </Row>
    </dl>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="figures flex min-h-target items-center justify-between gap-4">
      <dt className="text-quiet">{name}</dt>
      <dd className="font-medium">{children}</dd>
    </div>
  );
}

export function CloseShift({
  session,
  ways,
  open,
  onCounted,
  onDone,
}: {
  session: Present;
  ways: Ways;
  /** How many tickets are open on this register. */
  open: number;
  /** The shift is closed; the report is in front. */
  onCounted: () => void;
  onDone: () => void;
}) {
  const { currency } = session;
  const [counts, setCounts] = useState<ReadonlyMap<bigint, number>>(new Map());
  const [sum, setSum] = useState("");
  const [wrong, setWrong] = useState<string>();
  const [refused, setRefused] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [closed, setClosed] = useState<CloseShiftResponse>();

  const count = (piece: bigint, text: string) => {
    const next = new Map(counts);
    if (/^\d{1,5}$/.test(text)) next.set(piece, Number(text));
    else next.delete(piece);
    setCounts(next);
    setSum(next.size === 0 ? "" : plainMoney(countedCash(next), currency));
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const minor = parsedMoney(sum, currency);
    if (minor === undefined || minor < 0n) {
      setWrong("Write what was counted, such as 312.50.");
      return;
    }
    setWrong(undefined);
    setRefused(undefined);
    setBusy(true);
    ways.till
      .closeShift(moneyOf(minor, currency))
      .then(
        (answer) => {
          setClosed(answer);
          onCounted();
        },
        (error: unknown) => setRefused(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setBusy(false));
  };

  if (closed !== undefined) return <Closed closed={closed} onDone={onDone} />;
  return (
    <form onSubmit={submit} className="grid gap-4">
      <p className="text-quiet">Count the drawer. What should be in it is said afterwards.</p>
      {open > 0 && <Notice tone="warn">{open === 1 ? "One ticket is" : `${open} tickets are`} still open on this register: settle or cancel it first, or it waits for the next shift.</Notice>}
      {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
      <details>
        <summary className="min-h-target py-2.5 font-medium text-accent">Count by notes and coins</summary>
        <div className="grid grid-cols-2 gap-x-4 gap-y-2 pt-2 sm:grid-cols-3">
          {denominations(currency).map((piece) => (
            <label key={piece.toString()} className="figures grid grid-cols-[1fr_4.5rem] items-center gap-2">
              <span className="text-end text-quiet">{shownMoney(piece, currency)} ×</span>
              <input
                inputMode="numeric"
                autoComplete="off"
                className="min-h-target w-full rounded-control border border-edge/70 bg-raised px-2"
                value={counts.get(piece)?.toString() ?? ""}
                onChange={(event) => count(piece, event.target.value.trim())}
              />
            </label>
          ))}
        </div>
      </details>
      <Field
        ref={firstFocus}
        label="Counted"
        inputMode="decimal"
        autoComplete="off"
        value={sum}
        onChange={(event) => {
          setSum(event.target.value);
          setCounts(new Map());
        }}
        error={wrong}
        after={currency}
        required
      />
      <Button type="submit" kind="primary" size="tender" busy={busy}>
        Close the shift
      </Button>
    </form>
  );
}

function Closed({ closed, onDone }: { closed: CloseShiftResponse; onDone: () => void }) {
  const difference = closed.overShort;
  const tone = difference === undefined || difference.minor === 0n ? "good" : "warn";
  const words = difference === undefined || difference.minor === 0n ? "The drawer is right" : difference.minor < 0n ? "Too little in the drawer" : "Too much in the drawer";
  return (
    <div className="grid gap-4">
      <div className={classes("grid justify-items-center gap-1 rounded-card p-4", tone === "good" ? "bg-good-soft text-good" : "bg-warn-soft text-warn")} role="status">
        <span className="font-medium">{words}</span>
        {tone === "warn" && <Amount of={difference} className="figures text-4xl font-semibold" />}
        <span className="figures text-sm">
          counted <Amount of={closed.counted} />, expected <Amount of={closed.expected} />
        </span>
      </div>
      <div className="max-h-80 overflow-y-auto rounded-control bg-sunken p-3">
        <Paper text={closed.report} name={`Z report ${closed.zNumber}`} />
      </div>
      <Button kind="primary" size="tender" onClick={onDone}>
        Done
      </Button>
    </div>
  );
}
