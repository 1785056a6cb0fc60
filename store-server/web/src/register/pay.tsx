// Taking money: what is due, cash in one press, the card step by step. A card that is being asked about is never called declined.
import { useEffect, useRef } from "react";
import type { ReactNode } from "react";

import { Button, classes, Notice } from "@backroom/protocol";
import { CardState, DeviceKind, DeviceState, TenderKind } from "@backroom/protocol/gen/backroom/register/v1/register_pb";
import type { CardView, GetStatusResponse, Money, TicketView } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { Amount, amountWords } from "./amount.tsx";
import { quickCash } from "./cash.ts";
import type { Refusal } from "./till.ts";
import { isUnderWay } from "./till.ts";

type Take = (kind: TenderKind.CASH | TenderKind.CARD, amount: bigint) => void;

export function PayZone({
  ticket,
  amount,
  status,
  busy,
  refusal,
  take,
  settle,
  giveUp,
  hold,
  back,
}: {
  ticket: TicketView;
  /** What was typed, if it is an amount. */
  amount: bigint | undefined;
  status: GetStatusResponse | undefined;
  busy: boolean;
  refusal: Refusal | undefined;
  take: Take;
  settle: () => void;
  giveUp: () => void;
  /** Puts the ticket aside while the terminal is being asked. */
  hold: () => void;
  back: () => void;
}) {
  const { remaining, remainingExact, card } = ticket;
  const underWay = isUnderWay(ticket);
  const paid = remaining?.minor === 0n && ticket.tenders.length > 0 && !underWay;
  return (
    <div className="card flex h-full min-h-0 flex-col gap-4 overflow-y-auto p-4 max-lg:overflow-visible">
      <header className="flex items-center justify-between gap-3">
        <h2 className="text-base font-semibold">Payment</h2>
        <Button kind="ghost" onClick={back} disabled={busy || underWay}>
          Back to selling
        </Button>
      </header>
      <dl className="grid gap-1">
        {ticket.tenders.map((tender, at) => (
          <Figure key={`${at}-${tender.attempt}`} name={tender.kind === TenderKind.CARD ? "Card, taken" : "Cash, taken"}>
            <Amount of={tender.amount} />
          </Figure>
        ))}
        <div className="flex items-baseline justify-between gap-3">
          <dt className="text-lg">{ticket.tenders.length > 0 ? "Still to pay" : "To pay"}</dt>
          <dd className="figures text-5xl font-semibold tracking-tight">
            <Amount of={remaining} />
          </dd>
        </div>
      </dl>
      {refusal !== undefined && <Notice tone="bad">{refusal.sentence}</Notice>}
      {underWay && card !== undefined ? (
        <CardSteps card={card} giveUp={giveUp} hold={hold} />
      ) : paid ? (
        <Button kind="primary" size="tender" busy={busy} onClick={settle}>
          Everything is paid: close the sale
        </Button>
      ) : (
        <>
          {card?.state === CardState.DECLINED && (
            <Notice tone="warn">
              <strong className="block font-semibold">No money was taken by card.</strong>
              {upper(card.words)}. The ticket is as it was: try again, or take cash.
            </Notice>
          )}
          <CashChoices remaining={remaining} busy={busy} take={take} />
          <CardChoice exact={remainingExact ?? remaining} amount={amount} status={status} busy={busy} take={take} />
        </>
      )}
    </div>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-3 text-quiet">
      <dt>{name}</dt>
      <dd className="figures">{children}</dd>
    </div>
  );
}

function CashChoices({ remaining, busy, take }: { remaining: Money | undefined; busy: boolean; take: Take }) {
  const exact = useRef<HTMLButtonElement>(null);
  // Enter takes the exact amount; what is typed before it wins.
  useEffect(() => exact.current?.focus(), []);
  if (remaining === undefined) return null;
  const { minor, currency } = remaining;
  const shown = (of: bigint) => amountWords({ ...remaining, minor: of });
  return (
    <section aria-label="Cash" className="grid gap-2">
      <h3 className="text-sm font-medium text-quiet">Cash: what the customer gives</h3>
      <Button ref={exact} kind="plain" size="tender" className="figures justify-between! text-2xl" disabled={busy || minor <= 0n} onClick={() => take(TenderKind.CASH, minor)}>
        <span className="text-lg">Exact</span>
        <Amount of={remaining} />
      </Button>
      <div className="grid grid-cols-2 gap-2">
        {quickCash(minor, currency).map((quick) => (
          <Button key={quick.toString()} size="tender" className="figures text-2xl" disabled={busy} onClick={() => take(TenderKind.CASH, quick)} aria-label={`Cash ${shown(quick)}`}>
            {shown(quick)}
          </Button>
        ))}
      </div>
    </section>
  );
}

function CardChoice({
  exact,
  amount,
  status,
  busy,
  take,
}: {
  exact: Money | undefined;
  amount: bigint | undefined;
  status: GetStatusResponse | undefined;
  busy: boolean;
  take: Take;
}) {
  const terminal = status?.devices.find((device) => device.kind === DeviceKind.TERMINAL);
  if (exact === undefined) return null;
  // A typed amount below what is left is a part; more than that can not be taken by card.
  const part = amount !== undefined && amount > 0n && amount < exact.minor ? amount : exact.minor;
  const away = terminal !== undefined && (terminal.state === DeviceState.AWAY || terminal.state === DeviceState.TROUBLE);
  return (
    <section aria-label="Card" className="grid gap-2">
      <h3 className="text-sm font-medium text-quiet">Card{part !== exact.minor && ": a part, the rest as you like"}</h3>
      <Button size="tender" disabled={busy || terminal === undefined || exact.minor <= 0n} onClick={() => take(TenderKind.CARD, part)} className="figures justify-between! text-2xl">
        <span className="inline-flex items-center gap-3 text-lg">
          <CardSign /> Card
        </span>
        <Amount of={{ ...exact, minor: part }} />
      </Button>
      {terminal === undefined && <p className="text-sm text-quiet">No card terminal stands on this counter.</p>}
      {away && <p className="text-sm text-warn">The card terminal: {terminal.words}. Cash works as always.</p>}
    </section>
  );
}

function CardSign() {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className="size-7" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinejoin="round">
      <rect x="2.5" y="5" width="19" height="14" rx="2.5" />
      <path d="M2.5 9.5h19" strokeWidth="3" />
    </svg>
  );
}

/** What the terminal does, step by step, in its own words. */
function CardSteps({ card, giveUp, hold }: { card: CardView; giveUp: () => void; hold: () => void }) {
  const unknown = card.state === CardState.UNKNOWN;
  const steps = [
    { words: "The terminal was asked", state: "done" },
    unknown ? { words: "The line to it broke: asking the terminal what became of it", state: "now" } : { words: upper(card.words === "" ? "waiting for the customer" : card.words), state: "now" },
    { words: "The bank says yes", state: "next" },
  ];
  return (
    <section aria-label="Card payment" className={classes("grid gap-4 rounded-card p-5", unknown ? "bg-info-soft" : "bg-accent-soft")}>
      <header className={classes("flex items-center justify-between gap-3", unknown ? "text-info" : "text-accent")}>
        <h3 className="flex items-center gap-3 text-xl font-semibold">
          <CardSign /> {unknown ? "Asking the terminal" : "Card"}
        </h3>
        <Amount of={card.amount} className="figures text-2xl font-semibold" />
      </header>
      <ol className="grid gap-3">
        {steps.map((step) => (
          <li key={step.words} aria-current={step.state === "now" ? "step" : undefined} className={classes("flex items-center gap-3", step.state === "now" ? "text-lg font-medium" : "text-quiet")}>
            <span aria-hidden="true" className="grid size-6 shrink-0 place-content-center">
              {step.state === "done" ? (
                <svg viewBox="0 0 20 20" className="size-5" fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round">
                  <path d="m4 10.5 4 4 8-9" />
                </svg>
              ) : (
                <span className={classes("size-3 rounded-full border-2 border-current", step.state === "now" && "beating bg-current")} />
              )}
            </span>
            {step.words}
          </li>
        ))}
      </ol>
      {unknown ? (
        <>
          <p>Please wait, and do not take the money another way: it may have been taken. This page goes on by itself as soon as the terminal has answered.</p>
          <Button onClick={hold}>Hold this ticket, serve the next customer</Button>
        </>
      ) : (
        <Button size="tender" onClick={giveUp}>
          Cancel the card
        </Button>
      )}
    </section>
  );
}

function upper(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
