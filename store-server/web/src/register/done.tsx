// The sale is done: the change as large as it can be, and the receipt. Leaves with the next scan, with Enter or with the button.
import { useEffect, useRef } from "react";

import { Button, Waiting } from "@backroom/protocol";
import { TenderKind, TicketState } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { Amount } from "./amount.tsx";
import { Paper } from "./paper.tsx";
import type { Done } from "./till.ts";

export function DoneZone({ done, busy, print }: { done: Done; busy: boolean; print: () => void }) {
  const { ticket, give, paper } = done;
  const heading = useRef<HTMLHeadingElement>(null);
  // Nothing has the focus, so Enter is the next sale and a blank presses nothing.
  useEffect(() => heading.current?.focus(), []);
  const returned = ticket.state === TicketState.RETURNED;
  const byCard = ticket.tenders.some((tender) => tender.kind === TenderKind.CARD);
  const none = give === undefined || give.minor === 0n;
  return (
    <div className="grid h-full min-h-0 gap-3 lg:grid-cols-[minmax(0,1.12fr)_minmax(0,1.08fr)]">
      <div className="card grid content-center justify-items-center gap-4 p-6 text-center">
        <svg aria-hidden="true" viewBox="0 0 48 48" className="size-14 text-good" fill="none" stroke="currentColor" strokeWidth="3.5" strokeLinecap="round" strokeLinejoin="round">
          <circle cx="24" cy="24" r="20" className="fill-good-soft" stroke="none" />
          <path d="m14 25 7 7 13-15" />
        </svg>
        <h2 ref={heading} tabIndex={-1} className="text-2xl font-medium">
          {returned ? "Give back" : none ? (byCard ? "Paid by card" : "Paid, no change") : "Change"}
        </h2>
        <p className="figures text-[clamp(3.25rem,9vw,6rem)] leading-none font-semibold tracking-tight">
          <Amount of={none ? ticket.due : give} />
        </p>
        <dl className="figures grid grid-cols-[auto_auto] gap-x-6 gap-y-1 pt-2 text-start text-quiet">
          {!returned && !none && (
            <>
              <dt>Due</dt>
              <dd className="text-end">
                <Amount of={ticket.due} />
              </dd>
              <dt>Given</dt>
              <dd className="text-end">
                <Amount of={ticket.given} />
              </dd>
            </>
          )}
          <dt>Receipt</dt>
          <dd className="text-end">{ticket.receipt}</dd>
          {returned && (
            <>
              <dt>Takes back</dt>
              <dd className="text-end">{ticket.original}</dd>
            </>
          )}
        </dl>
        <div className="flex flex-wrap justify-center gap-2 pt-2">
          <Button busy={busy} onClick={print}>
            Print a copy
          </Button>
        </div>
        <p className="text-sm text-quiet">Scan the next item, or press Enter.</p>
      </div>
      <div className="min-h-0 overflow-y-auto px-1 pb-2">{paper === undefined ? <Waiting what="Fetching the receipt" /> : <Paper text={paper} name={`Receipt ${ticket.receipt}`} />}</div>
    </div>
  );
}
