// The counter: products, ticket and pad side by side, and which of selling, paying and handing out the change is going on.
// Owns what keys, scans and buttons mean; what they do is the till's.
import { useEffect, useMemo, useRef, useState } from "react";

import { classes, parsedMoney, useHelp, useSay, useShortcuts } from "@backroom/protocol";
import type { Shortcut } from "@backroom/protocol";
import { TenderKind } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { hex } from "../box/ids.ts";
import { refusedTone } from "../box/sound.ts";
import { useTitle } from "../box/shell.tsx";
import type { Present } from "../gate/gate.tsx";
import { moneyOf } from "./amount.tsx";
import { Cart } from "./cart.tsx";
import { CounterDialogs } from "./dialogs.tsx";
import type { DialogName } from "./dialogs.tsx";
import { DoneZone } from "./done.tsx";
import { EMPTY, isEmpty, typed } from "./entry.ts";
import { CounterHead } from "./head.tsx";
import { MainButton, PhoneBar } from "./main-button.tsx";
import type { NextStep, Zone } from "./main-button.tsx";
import { Pad } from "./pad.tsx";
import type { Ways } from "./page.tsx";
import { PayZone } from "./pay.tsx";
import { Products } from "./products.tsx";
import { useScanner } from "./scanner.ts";
import { isUnderWay, wantsReturn } from "./till.ts";
import { useTill } from "./use-till.ts";

/** While one of these is in front, a scan is not for the ticket. */
const DEAF: ReadonlySet<DialogName> = new Set<DialogName>(["cash", "close", "report"]);

export function Counter({ session, person, ways, onClosed }: { session: Present; person: string; ways: Ways; onClosed: () => void }) {
  const { till, register } = ways;
  const state = useTill(till);
  const { ticket, done, refusal, signIn } = state;
  /** The ticket that is being paid: with another one in front, paying is over. */
  const [paying, setPaying] = useState<string>();
  const [entry, setEntry] = useState(EMPTY);
  const [dialog, setDialog] = useState<DialogName>();
  const [receipt, setReceipt] = useState("");
  const [zone, setZone] = useState<Zone>("ticket");
  const search = useRef<HTMLInputElement>(null);
  const entryBefore = useRef(EMPTY);
  const say = useSay();
  const help = useHelp();
  useTitle(`Register ${session.device.register}`);

  const items = ticket?.lines.filter((line) => !line.voided).length ?? 0;
  const canPay = items > 0 && state.underWay.length === 0;
  const mode = done !== undefined ? "done" : ticket !== undefined && items > 0 && paying === hex(ticket.ticketId) ? "pay" : "sell";
  const amount = mode === "pay" && entry.text !== "" ? parsedMoney(entry.text, session.currency) : undefined;

  useEffect(() => {
    if (refusal !== undefined) refusedTone();
  }, [refusal]);

  const add = (code: string) => {
    till.scan(code, entry.times ?? 1);
    setEntry(EMPTY);
    if (mode === "done") setZone("ticket");
  };
  const onScan = (code: string) => {
    if (signIn !== undefined || (dialog !== undefined && DEAF.has(dialog))) {
      refusedTone();
      say(signIn === undefined ? "Not scanned: finish what is open first." : "Not scanned: sign in first.", "warn");
    } else if (isUnderWay(ticket)) {
      refusedTone();
      say("Not scanned: a card is being asked for this total. Finish or cancel it first.", "warn");
    } else if (wantsReturn(code)) {
      setReceipt(code.trim());
      setDialog("return");
    } else {
      if (dialog !== undefined) setDialog(undefined);
      add(code);
    }
  };
  useEffect(() => till.hearScans(onScan));
  useEffect(() => till.hearEnds((words) => say(words, "good")), [till, say]);
  const pay = () => {
    if (!canPay || ticket === undefined) return;
    setEntry((now) => ({ ...now, times: undefined }));
    setPaying(hex(ticket.ticketId));
    setZone("products");
  };
  const nextSale = () => {
    if (!till.nextSale()) return;
    setEntry(EMPTY);
    setZone("ticket");
  };
  const take = (kind: TenderKind.CASH | TenderKind.CARD, given: bigint) => {
    setEntry(EMPTY);
    void till.pay(kind, given);
  };
  const enter = (): boolean => {
    if (mode === "done") nextSale();
    else if (mode === "pay" && amount !== undefined && amount > 0n && !isUnderWay(ticket)) take(TenderKind.CASH, amount);
    else if (mode === "sell" && entry.text !== "") add(entry.text);
    else return false;
    return true;
  };
  const press = (key: string): boolean => {
    if (key === "Enter") return enter();
    if (mode === "done" && !/^[0-9]$/.test(key)) return false;
    if (mode === "pay" && !/^([0-9.,]+|Backspace)$/.test(key)) return false;
    const next = typed(entry, key);
    if (next === entry) return false;
    if (mode === "done" && !till.nextSale()) return true;
    setEntry(next);
    return true;
  };
  useScanner({
    onScan,
    onKey: press,
    remember: () => {
      entryBefore.current = entry;
    },
    takeBack: () => setEntry(entryBefore.current),
  });

  const escape = () => {
    if (!isEmpty(entry)) setEntry(EMPTY);
    else if (mode === "pay") {
      setPaying(undefined);
      setZone("ticket");
    } else if (mode === "done") nextSale();
    else if (items > 0) setDialog("cancel");
    else till.dropRefusal();
  };

  const nextStep: NextStep =
    mode === "done"
      ? { words: "Next sale", run: nextSale, ready: true }
      : mode === "pay"
        ? {
            words: amount === undefined || amount <= 0n ? "Take cash" : "Cash",
            amount: amount === undefined || amount <= 0n ? undefined : moneyOf(amount, session.currency),
            run: enter,
            ready: amount !== undefined && amount > 0n && !state.busy && !isUnderWay(ticket),
          }
        : { words: "Pay", amount: items > 0 ? ticket?.due : undefined, run: pay, ready: canPay };

  // The list of keys stays the same; what they do is always the newest.
  const doing = useRef({ escape, pay });
  useEffect(() => {
    doing.current = { escape, pay };
  });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "F2", does: "Find an item by name", run: () => search.current?.focus(), whileTyping: true },
      { keys: "F4", does: "Hold the ticket", run: () => till.hold(), whileTyping: true },
      { keys: "F6", does: "Open tickets", run: () => setDialog("tickets"), whileTyping: true },
      { keys: "F7", does: "Take a receipt back", run: () => setDialog("return"), whileTyping: true },
      { keys: "F8", does: "Pay", run: () => doing.current.pay(), whileTyping: true },
      { keys: "F9", does: "Menu: drawer, reports, sign out", run: () => setDialog("menu"), whileTyping: true },
      { keys: "+", does: "Pay, on the number pad of a keyboard", run: () => doing.current.pay() },
      { keys: "*", does: "So many of the next item: 3 * and scan", run: () => undefined },
      { keys: "Enter", does: "Take what was typed: an item number, an amount of cash; or the next sale", run: () => undefined },
      { keys: "Escape", does: "Back; asks before a ticket is given up", run: () => doing.current.escape(), whileTyping: true },
    ],
    [till],
  );
  useShortcuts(shortcuts);

  return (
    <div className="flex min-h-dvh flex-col lg:h-dvh lg:min-h-0">
      <CounterHead session={session} person={person} state={state} way={ways.way} open={setDialog} />
      {/* One voice for those who listen: what was added, what is due, how the card ended. */}
      <p className="heard-only" role="status">
        {state.said}
      </p>
      <main className="flex min-h-0 flex-1 flex-col lg:grid lg:grid-cols-[minmax(0,1.12fr)_minmax(0,1.08fr)_19rem] lg:gap-3 lg:p-3 lg:pt-1">
        <h1 className="heard-only">
          Register {session.device.register}, {session.store_name}
        </h1>
        <section
          aria-label={mode === "sell" ? "Products" : mode === "pay" ? "Payment" : "Sale done"}
          className={classes("min-h-0 min-w-0 max-lg:flex-1 max-lg:p-3", mode === "done" && "lg:col-span-2", mode !== "done" && zone !== "products" && "max-lg:hidden")}
        >
          {mode === "done" && done !== undefined ? (
            <DoneZone done={done} busy={state.busy} print={() => void till.printCopy(done.ticket.receipt)} />
          ) : mode === "pay" && ticket !== undefined ? (
            <PayZone
              ticket={ticket}
              amount={amount}
              status={state.status}
              busy={state.busy}
              refusal={refusal}
              take={take}
              settle={() => void till.settle()}
              giveUp={() => void till.giveUpCard()}
              hold={() => till.hold()}
              back={escape}
            />
          ) : (
            <Products register={register} status={state.status} searchRef={search} add={add} />
          )}
        </section>
        {mode !== "done" && (
          <section aria-label="Ticket" className={classes("min-h-0 min-w-0 max-lg:flex-1 max-lg:p-3", zone !== "ticket" && "max-lg:hidden")}>
            <Cart
              state={state}
              currency={session.currency}
              again={(line) => till.scan(line.code === "" ? line.sku : line.code)}
              voidLine={(line) => void till.voidLine(line)}
              dropRefusal={() => till.dropRefusal()}
              find={() => {
                setPaying(undefined);
                setZone("products");
                requestAnimationFrame(() => search.current?.focus());
              }}
            />
          </section>
        )}
        <section aria-label="Number pad and actions" className={classes("flex min-h-0 min-w-0 flex-col max-lg:p-3", (mode === "done" || zone !== "pad") && "max-lg:hidden")}>
          <Pad
            entry={entry}
            mode={mode}
            amount={amount}
            currency={session.currency}
            digits={session.currency_decimals}
            press={press}
            held={state.held.length}
            canHold={items > 0 && mode === "sell"}
            hold={() => till.hold()}
            open={setDialog}
            help={help}
          />
          <MainButton next={nextStep} className="mt-3 w-full max-lg:hidden" />
        </section>
      </main>
      <PhoneBar zone={zone} setZone={setZone} mode={mode} next={nextStep} items={items} />
      <CounterDialogs
        name={dialog}
        open={setDialog}
        session={session}
        ways={ways}
        state={state}
        receipt={receipt}
        setReceipt={setReceipt}
        onClosed={onClosed}
      />
    </div>
  );
}
