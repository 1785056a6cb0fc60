// The one large button: always in the same place, always the next step. On a phone it stands in a bar with the ways to the zones.
import { Button, classes } from "@backroom/protocol";
import type { Money } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { Amount } from "./amount.tsx";

export type Zone = "products" | "ticket" | "pad";
export type Mode = "sell" | "pay" | "done";

export type NextStep = {
  words: string;
  amount?: Money | undefined;
  run: () => void;
  ready: boolean;
};

export function MainButton({ next, className }: { next: NextStep; className: string }) {
  return (
    <Button kind="primary" size="tender" disabled={!next.ready} onClick={next.run} className={classes("min-h-18 justify-between! px-5 text-2xl font-semibold lg:min-h-20", className)}>
      <span>{next.words}</span>
      {next.amount !== undefined && <Amount of={next.amount} className="figures" />}
    </Button>
  );
}

const ZONES: { zone: Zone; words: string; sign: string }[] = [
  { zone: "products", words: "Items", sign: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z" },
  { zone: "ticket", words: "Ticket", sign: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6" },
  { zone: "pad", words: "Keys", sign: "M6 6h.01M12 6h.01M18 6h.01M6 12h.01M12 12h.01M18 12h.01M6 18h.01M12 18h.01M18 18h.01" },
];

export function PhoneBar({ zone, setZone, mode, next, items }: { zone: Zone; setZone: (zone: Zone) => void; mode: Mode; next: NextStep; items: number }) {
  return (
    <div className="sticky bottom-0 grid gap-2 border-t border-line bg-surface p-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] lg:hidden">
      {mode !== "done" && (
        <div role="group" aria-label="Show" className="grid grid-cols-3 gap-1 rounded-control bg-sunken p-1">
          {ZONES.map(({ zone: one, words, sign }) => (
            <button
              key={one}
              type="button"
              aria-pressed={zone === one}
              onClick={() => setZone(one)}
              className={classes("inline-flex min-h-target items-center justify-center gap-2 rounded-lg font-medium", zone === one ? "bg-raised text-ink shadow-card" : "text-quiet")}
            >
              <svg aria-hidden="true" viewBox="0 0 24 24" className="size-5" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
                <path d={sign} />
              </svg>
              {one === "products" && mode === "pay" ? "Payment" : words}
              {one === "ticket" && items > 0 && <span className="figures">({items})</span>}
            </button>
          ))}
        </div>
      )}
      <MainButton next={next} className="w-full" />
    </div>
  );
}
