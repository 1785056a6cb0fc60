// One of a few views, side by side. A pressed button, not a link: nothing is left by it.
import type { ReactNode } from "react";

import { classes } from "@backroom/protocol";

export type Segment<Value> = { value: Value; words: ReactNode };

export function Segments<Value extends string>({ name, of, value, choose }: { name: string; of: Segment<Value>[]; value: Value; choose: (value: Value) => void }) {
  return (
    <div role="group" aria-label={name} className="flex flex-wrap gap-1 rounded-control bg-sunken p-1">
      {of.map((one) => (
        <button
          key={one.value}
          type="button"
          aria-pressed={value === one.value}
          onClick={() => choose(one.value)}
          className={classes(
            "figures inline-flex min-h-target flex-1 items-center justify-center gap-2 rounded-lg px-3 font-medium whitespace-nowrap",
            value === one.value ? "bg-raised text-ink shadow-card" : "text-quiet hover:text-ink",
          )}
        >
          {one.words}
        </button>
      ))}
    </div>
  );
}
