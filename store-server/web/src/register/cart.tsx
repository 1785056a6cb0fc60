// The ticket: what is on it, what is on its way, what was refused, and the total. Everything shown is the box's.
import { useEffect, useRef } from "react";

import { Button, classes, Notice, Spinner } from "@backroom/protocol";
import type { LineView } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { Amount, amountWords, moneyOf, quantityWords } from "./amount.tsx";
import type { TillState } from "./till.ts";

export function Cart({
  state,
  currency,
  again,
  voidLine,
  dropRefusal,
  find,
}: {
  state: TillState;
  currency: string;
  again: (line: LineView) => void;
  voidLine: (line: number) => void;
  dropRefusal: () => void;
  find: () => void;
}) {
  const { ticket, underWay, refusal, newest } = state;
  const lines = ticket?.lines ?? [];
  const pieces = lines.filter((line) => !line.voided).length;
  const end = useRef<HTMLLIElement>(null);
  const length = lines.length + underWay.length;
  useEffect(() => {
    // Newer browsers answer with a promise, which an effect must not hand on.
    end.current?.scrollIntoView({ block: "nearest" });
  }, [length]);
  return (
    <div className="card flex h-full min-h-0 flex-col overflow-hidden">
      <h2 className="flex items-baseline justify-between px-4 pt-3 pb-2 text-base font-semibold">
        Ticket
        <span className="text-sm font-normal text-quiet">{pieces === 1 ? "1 line" : `${pieces} lines`}</span>
      </h2>
      {refusal !== undefined && (
        <div key={refusal.count} className="px-3 pb-2">
          <Notice
            tone="bad"
            action={
              <span className="flex gap-2">
                {refusal.code === "unknown_code" && <Button onClick={find}>Find it</Button>}
                <Button onClick={dropRefusal}>OK</Button>
              </span>
            }
          >
            {refusal.sentence}
          </Notice>
        </div>
      )}
      {length === 0 ? (
        <div className="grid flex-1 place-content-center justify-items-center gap-3 p-6 text-center">
          <svg aria-hidden="true" viewBox="0 0 64 40" className="h-14 text-edge" fill="none" stroke="currentColor" strokeWidth="3">
            <path d="M6 4v32M12 4v32M17 4v32M25 4v32M30 4v32M38 4v32M43 4v32M51 4v32M58 4v32" />
            <path d="M0 20h64" className="text-accent" stroke="currentColor" strokeWidth="2" />
          </svg>
          <p className="text-lg font-medium">Scan the first item</p>
          <p className="max-w-56 text-quiet">or tap one, or key its number in.</p>
        </div>
      ) : (
        // Focusable, so that the arrow keys scroll a long ticket.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="min-h-0 flex-1 overflow-y-auto border-t border-line max-lg:overflow-visible" tabIndex={0} role="region" aria-label="Lines">
          <ol className="divide-y divide-line">
            {lines.map((line) => (
              <Line key={line.line} line={line} fresh={line.line === newest} again={again} voidLine={voidLine} />
            ))}
            {underWay.map((scan) => (
              <li key={`scan-${scan.key}`} className="flex min-h-14 items-center gap-3 px-4 text-quiet">
                <Spinner />
                <span className="min-w-0 flex-1 truncate">
                  {scan.times > 1 && `${scan.times} × `}
                  {scan.code}
                </span>
              </li>
            ))}
            <li ref={end} aria-hidden="true" />
          </ol>
        </div>
      )}
      <dl className="grid gap-0.5 border-t border-line bg-sunken/50 px-4 py-3">
        {ticket?.taxes.map((tax) => (
          <div key={tax.taxClass} className="flex justify-between text-sm text-quiet">
            <dt>
              Tax {tax.taxClass} {percent(tax.rate)}
            </dt>
            <dd>
              <Amount of={tax.tax} className="figures" />
            </dd>
          </div>
        ))}
        {ticket?.given !== undefined && ticket.given.minor > 0n && (
          <div className="flex justify-between text-[0.9375rem]">
            <dt>Paid so far</dt>
            <dd>
              <Amount of={ticket.given} className="figures" />
            </dd>
          </div>
        )}
        <div className="flex items-baseline justify-between gap-3">
          <dt className="text-xl font-medium">Total</dt>
          <dd>
            <output className="text-[2.75rem] leading-tight font-semibold tracking-tight" aria-label={`Total ${amountWords(ticket?.due)}`}>
              <Amount of={ticket?.due ?? moneyOf(0n, currency)} />
            </output>
          </dd>
        </div>
      </dl>
    </div>
  );
}

/** "0.19" as "19 %", without making a fraction of it. */
function percent(rate: string): string {
  const [, whole = "0", parts = ""] = /^(\d+)(?:\.(\d+))?$/.exec(rate) ?? [];
  const digits = parts.padEnd(2, "0");
  const tenths = digits.slice(2).replace(/0+$/, "");
  return `${Number(whole + digits.slice(0, 2))}${tenths === "" ? "" : `.${tenths}`} %`;
}

function Line({ line, fresh, again, voidLine }: { line: LineView; fresh: boolean; again: (line: LineView) => void; voidLine: (line: number) => void }) {
  const many = quantityWords(line.quantityMilli);
  return (
    <li className={classes("flex min-h-14 items-center gap-2 py-1 ps-2 pe-1", fresh && !line.voided && "just-now")}>
      {line.voided ? (
        <span className="min-w-target text-center text-sm text-quiet">off</span>
      ) : (
        <button
          type="button"
          onClick={() => again(line)}
          aria-label={`One more ${line.name}; now ${many}`}
          title="One more"
          className="figures min-h-target min-w-target rounded-control px-1 font-medium text-quiet hover:bg-accent-soft hover:text-accent"
        >
          {many} ×
        </button>
      )}
      <span className={classes("min-w-0 flex-1 leading-snug", line.voided && "text-quiet line-through")}>
        <span className="line-clamp-2 font-medium">{line.name}</span>
        {line.quantityMilli !== 1000n && (
          <span className="block text-sm text-quiet">
            at <Amount of={line.unitPrice} className="figures" />
          </span>
        )}
      </span>
      <Amount of={line.amount} className={classes("figures text-lg font-medium", line.voided && "text-quiet line-through")} />
      {line.voided ? (
        <span className="w-target" />
      ) : (
        <button
          type="button"
          onClick={() => voidLine(line.line)}
          aria-label={`Take off ${line.name}`}
          className="grid min-h-target min-w-target place-content-center rounded-control text-quiet hover:bg-bad-soft hover:text-bad"
        >
          <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
            <path d="m5 5 10 10M15 5 5 15" />
          </svg>
        </button>
      )}
    </li>
  );
}
