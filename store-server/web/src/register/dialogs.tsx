// What comes in front of the counter for a moment: menu, open tickets, returns, the drawer, reports. One at a time.
import { useState } from "react";
import type { ReactNode, SubmitEvent } from "react";

import { Button, Dialog, Empty, Field, go, Notice, parsedMoney, ThemeSwitch, useHelp, useSay } from "@backroom/protocol";
import { CashMoveKind } from "@backroom/protocol/gen/backroom/register/v1/register_pb";
import type { TicketView } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { hex } from "../box/ids.ts";
import { signOut } from "../box/session.ts";
import { trouble } from "../box/trouble.ts";
import type { Present } from "../gate/gate.tsx";
import { Amount, moneyOf } from "./amount.tsx";
import { firstFocus } from "./first-focus.ts";
import { StatusDialog } from "./head.tsx";
import type { Ways } from "./page.tsx";
import { Paper } from "./paper.tsx";
import { CloseShift, ShiftReport } from "./shift.tsx";
import { isUnderWay } from "./till.ts";
import type { TillState } from "./till.ts";

export type DialogName = "menu" | "status" | "cancel" | "tickets" | "return" | "cash" | "report" | "close";

type Props = {
  name: DialogName | undefined;
  open: (name: DialogName | undefined) => void;
  session: Present;
  ways: Ways;
  state: TillState;
  /** The receipt that was scanned or typed for a return. */
  receipt: string;
  setReceipt: (receipt: string) => void;
  /** The shift was closed. */
  onClosed: () => void;
};

export function CounterDialogs({ name, open, session, ways, state, receipt, setReceipt, onClosed }: Props) {
  const { till, way, register } = ways;
  const [counted, setCounted] = useState(false);
  const closeZ = () => {
    close();
    if (counted) onClosed();
  };
  const close = () => {
    open(undefined);
    setReceipt("");
  };
  return (
    <>
      <Menu shown={name === "menu"} open={open} close={close} ways={ways} held={state.held.length} />
      <StatusDialog shown={name === "status"} close={close} status={state.status} way={way} />
      <Dialog
        title="Give this ticket up?"
        open={name === "cancel"}
        onClose={close}
        footer={
          <>
            <Button
              kind="danger"
              onClick={() => {
                close();
                void till.cancelTicket();
              }}
              disabled={isUnderWay(state.ticket)}
            >
              Cancel the ticket
            </Button>
            <Button
              onClick={() => {
                till.hold();
                close();
              }}
            >
              Hold it
            </Button>
            <Button kind="primary" ref={firstFocus} onClick={close}>
              Keep selling
            </Button>
          </>
        }
      >
        <p>
          <Amount of={state.ticket?.due} className="font-semibold" /> are on it. A cancelled ticket stays in the journal; nothing is sold.
        </p>
      </Dialog>
      <Dialog title="Open tickets" open={name === "tickets"} onClose={close}>
        <OpenTickets
          held={state.held}
          recall={(ticket) => {
            till.recall(ticket.ticketId);
            close();
          }}
        />
      </Dialog>
      <Dialog title="Take a receipt back" open={name === "return"} onClose={close}>
        <TakeBack key={receipt} register={register} receipt={receipt} state={state} takeBack={(what) => till.takeBack(what)} close={close} />
      </Dialog>
      <Dialog title="Drawer" open={name === "cash"} onClose={close}>
        <MoveCash currency={session.currency} ways={ways} close={close} />
      </Dialog>
      <Dialog title="The shift so far (X)" open={name === "report"} onClose={close}>
        <ShiftReport ways={ways} />
      </Dialog>
      <Dialog title="Close the shift (Z)" open={name === "close"} onClose={closeZ}>
        <CloseShift
          session={session}
          ways={ways}
          open={state.held.length + (state.ticket === undefined ? 0 : 1)}
          onCounted={() => setCounted(true)}
          onDone={closeZ}
        />
      </Dialog>
    </>
  );
}

function Menu({ shown, open, close, ways, held }: { shown: boolean; open: (name: DialogName) => void; close: () => void; ways: Ways; held: number }) {
  const help = useHelp();
  const say = useSay();
  const lock = () => {
    close();
    signOut().then(
      () => ways.till.lock("The register is locked; the ticket stays as it is."),
      (error: unknown) => say(error instanceof Error ? error.message : String(error), "bad"),
    );
  };
  const item = (words: string, run: () => void, note?: ReactNode) => (
    <li key={words}>
      <button type="button" onClick={run} className="flex min-h-14 w-full items-center justify-between gap-3 rounded-control px-3 text-start font-medium hover:bg-sunken">
        {words}
        <span className="text-sm font-normal text-quiet">{note}</span>
      </button>
    </li>
  );
  return (
    <Dialog title="Menu" open={shown} onClose={close}>
      <ul className="-mx-3 grid sm:grid-cols-2">
        {item("Open tickets", () => open("tickets"), held > 0 ? `${held} held` : "F6")}
        {item("Take a receipt back", () => open("return"), "F7")}
        {item("Cash in, out or to the safe", () => open("cash"))}
        {item("The shift so far (X)", () => open("report"))}
        {item("Close the shift (Z)", () => open("close"))}
        {item("Lock, or change the person", lock)}
        {item(
          "Keys",
          () => {
            close();
            help();
          },
          "?",
        )}
        {item("How all is", () => open("status"))}
        {item("Count with a reader", () => go("/clerk"))}
        {item("Console of the box", () => go("/console"))}
      </ul>
      <div className="flex items-center justify-between pt-2">
        <span className="text-sm text-quiet">Light or dark</span>
        <ThemeSwitch />
      </div>
    </Dialog>
  );
}

function OpenTickets({ held, recall }: { held: TicketView[]; recall: (ticket: TicketView) => void }) {
  if (held.length === 0) return <Empty title="No ticket waits here">Hold a ticket with F4, and find it again here.</Empty>;
  return (
    <ul className="grid gap-2">
      {held.map((ticket) => {
        const lines = ticket.lines.filter((line) => !line.voided);
        return (
          <li key={hex(ticket.ticketId)}>
            <button type="button" onClick={() => recall(ticket)} className="card flex w-full items-center justify-between gap-4 p-4 text-start hover:border-edge">
              <span className="min-w-0">
                <span className="block truncate font-medium">{lines.map((line) => line.name).join(", ")}</span>
                <span className="text-sm text-quiet">
                  {lines.length === 1 ? "1 line" : `${lines.length} lines`}
                  {isUnderWay(ticket) && ", a card is being asked for"}
                </span>
              </span>
              <Amount of={ticket.due} className="figures text-xl font-semibold" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

type Found = { receipt: string; ticket: TicketView | undefined; text: string };

function TakeBack({
  register,
  receipt,
  state,
  takeBack,
  close,
}: {
  register: Ways["register"];
  receipt: string;
  state: TillState;
  takeBack: (receipt: string) => Promise<boolean>;
  close: () => void;
}) {
  const [number, setNumber] = useState(receipt);
  const [found, setFound] = useState<Found>();
  const [refused, setRefused] = useState<string>();
  const [busy, setBusy] = useState(false);
  const find = (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefused(undefined);
    register
      .getReceipt({ receipt: number.trim() }, { timeoutMs: 8_000 })
      .then(
        (answer) => setFound({ receipt: number.trim(), ticket: answer.ticket, text: answer.text }),
        (error: unknown) => setRefused(trouble(error).sentence),
      )
      .finally(() => setBusy(false));
  };
  const take = () => {
    if (found === undefined) return;
    void takeBack(found.receipt).then((done) => {
      if (done) close();
    });
  };
  return (
    <div className="grid gap-4">
      <form onSubmit={find} className="flex items-end gap-2">
        <Field
          ref={firstFocus}
          className="flex-1"
          label="Receipt"
          value={number}
          onChange={(event) => {
            setNumber(event.target.value);
            setFound(undefined);
          }}
          placeholder="r1/1/17"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <Button type="submit" kind={found === undefined ? "primary" : "plain"} busy={busy}>
          Find
        </Button>
      </form>
      {found === undefined && refused === undefined && <p className="text-sm text-quiet">Scan the barcode at the foot of the receipt, or key its number in.</p>}
      {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
      {found !== undefined && (
        <>
          {state.refusal !== undefined && <Notice tone="bad">{state.refusal.sentence}</Notice>}
          <div className="max-h-72 overflow-y-auto rounded-control bg-sunken p-3">
            <Paper text={found.text} name={`Receipt ${found.receipt}`} />
          </div>
          <Button kind="primary" size="tender" busy={state.busy} onClick={take} className="justify-between!">
            <span>Take all back, pay out</span>
            <Amount of={found.ticket?.due} />
          </Button>
        </>
      )}
    </div>
  );
}

const MOVES = [
  { kind: CashMoveKind.PAID_IN, words: "Cash in", hint: "Such as change from the bank" },
  { kind: CashMoveKind.PAID_OUT, words: "Cash out", hint: "Such as stamps or milk" },
  { kind: CashMoveKind.DROP, words: "To the safe", hint: "Taken out of the drawer for the night" },
] as const;

function MoveCash({ currency, ways, close }: { currency: string; ways: Ways; close: () => void }) {
  const [kind, setKind] = useState<CashMoveKind>(CashMoveKind.PAID_IN);
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState<string>();
  const [refused, setRefused] = useState<string>();
  const [busy, setBusy] = useState(false);
  const say = useSay();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const minor = parsedMoney(amount, currency);
    if (minor === undefined || minor <= 0n) {
      setWrong("Write an amount such as 20 or 12.50.");
      return;
    }
    setWrong(undefined);
    setRefused(undefined);
    setBusy(true);
    ways.till
      .moveCash(kind, moneyOf(minor, currency), reason.trim())
      .then(
        () => {
          say(`${MOVES.find((one) => one.kind === kind)?.words ?? "Cash"}: written down.`, "good");
          close();
        },
        (error: unknown) => setRefused(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      <fieldset>
        <legend className="heard-only">What is done</legend>
        <div className="grid grid-cols-3 gap-2">
          {MOVES.map((one) => (
            <label
              key={one.kind}
              className="grid min-h-tender place-content-center rounded-control border border-edge/60 px-2 text-center font-medium has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent has-focus-visible:outline-3 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
            >
              <input type="radio" name="kind" className="heard-only" checked={kind === one.kind} onChange={() => setKind(one.kind)} />
              {one.words}
            </label>
          ))}
        </div>
      </fieldset>
      {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
      <Field ref={firstFocus} label="Amount" inputMode="decimal" autoComplete="off" value={amount} onChange={(event) => setAmount(event.target.value)} error={wrong} after={currency} required />
      <Field label="Reason" autoComplete="off" value={reason} onChange={(event) => setReason(event.target.value)} hint={MOVES.find((one) => one.kind === kind)?.hint} required maxLength={80} />
      <Button type="submit" kind="primary" size="tender" busy={busy}>
        Write it down
      </Button>
    </form>
  );
}
