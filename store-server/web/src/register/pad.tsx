// The number pad and what stands under it. It never moves: what a key means is said above it.
import { Button, classes } from "@backroom/protocol";

import { Amount, moneyOf } from "./amount.tsx";
import type { DialogName } from "./dialogs.tsx";
import type { Entry } from "./entry.ts";
import type { Mode } from "./main-button.tsx";

const MEANS: Record<Mode, string> = { sell: "Item number, or how many", pay: "Amount given", done: "Next item" };

export function Pad({
  entry,
  mode,
  amount,
  currency,
  digits,
  press,
  held,
  canHold,
  hold,
  open,
  help,
}: {
  entry: Entry;
  mode: Mode;
  amount: bigint | undefined;
  currency: string;
  digits: number;
  press: (key: string) => boolean;
  held: number;
  canHold: boolean;
  hold: () => void;
  open: (dialog: DialogName) => void;
  help: () => void;
}) {
  const key = (label: string, says?: string, className?: string) => (
    <Button key={label} size="tender" aria-label={says} onClick={() => void press(label)} className={classes("min-w-0! px-0! text-2xl", className)}>
      {label === "Backspace" ? <span aria-hidden="true">⌫</span> : label}
    </Button>
  );
  return (
    <div className="flex flex-1 flex-col gap-3">
      <div className="card flex min-h-20 flex-col justify-center px-4 py-1.5 text-end">
        <span className="text-sm text-quiet">{mode === "pay" && entry.text !== "" && amount === undefined ? "This is no amount" : MEANS[mode]}</span>
        <output aria-label="Typed" className="min-h-9 truncate text-3xl leading-9 font-semibold">
          {entry.times !== undefined && <span className="text-accent">{entry.times} × </span>}
          {mode === "pay" && amount !== undefined ? <Amount of={moneyOf(amount, currency)} /> : entry.text}
        </output>
      </div>
      <div role="group" aria-label="Number pad" className="grid flex-1 auto-rows-fr grid-cols-4 gap-2 max-lg:flex-none">
        {key("7")}
        {key("8")}
        {key("9")}
        {key("Backspace", "Delete the last key")}
        {key("4")}
        {key("5")}
        {key("6")}
        {key("×", "Times", "text-quiet")}
        {key("1")}
        {key("2")}
        {key("3")}
        <Button size="tender" kind="plain" onClick={() => void press("Enter")} className="row-span-2 min-w-0! px-0! text-lg">
          Enter
        </Button>
        {key(digits > 0 ? "00" : "000")}
        {key("0")}
        {key(".")}
      </div>
      <div role="group" aria-label="Actions" className="grid grid-cols-2 gap-2">
        {held > 0 && !canHold ? (
          <Button onClick={() => open("tickets")} aria-keyshortcuts="F6">
            Held <span className="figures rounded-full bg-accent px-2 text-sm text-on-accent">{held}</span>
          </Button>
        ) : (
          <Button onClick={hold} disabled={!canHold} aria-keyshortcuts="F4">
            Hold{held > 0 && <span className="figures text-sm text-quiet">({held})</span>}
          </Button>
        )}
        <Button onClick={() => open("return")} aria-keyshortcuts="F7">
          Return
        </Button>
        <Button onClick={() => open("cash")}>Drawer</Button>
        <Button onClick={help} aria-keyshortcuts="?">
          Keys <kbd className="rounded border border-edge/60 bg-sunken px-1.5 font-mono text-sm">?</kbd>
        </Button>
      </div>
    </div>
  );
}
