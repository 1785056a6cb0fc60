// Short words about what just happened, seen in a corner and heard politely. What somebody must act on is a Notice, not a toast.
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import type { ReactNode } from "react";

import { classes } from "./classes.ts";
import { Button } from "./controls.tsx";
import type { Tone } from "./surfaces.tsx";

export type ToastAction = { label: string; run: () => void };
type Toast = { id: number; text: string; tone: Tone; action?: ToastAction | undefined };

/** Long enough to read and to reach an action; a toast under the pointer or with the focus stays. */
const STAYS_MS = 8_000;

const Say = createContext<(text: string, tone?: Tone, action?: ToastAction) => void>(() => undefined);

/** Says something once: `say("Price saved", "good")`. */
export function useSay() {
  return useContext(Say);
}

const EDGES: Record<Tone, string> = {
  quiet: "border-s-edge",
  good: "border-s-good",
  warn: "border-s-warn",
  bad: "border-s-bad",
  info: "border-s-info",
  training: "border-s-training",
};

export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(1);
  const say = useCallback((text: string, tone: Tone = "info", action?: ToastAction) => {
    const id = next.current++;
    setToasts((before) => [...before.slice(-3), { id, text, tone, action }]);
  }, []);
  const drop = useCallback((id: number) => setToasts((before) => before.filter((toast) => toast.id !== id)), []);
  return (
    <Say value={useMemo(() => say, [say])}>
      {children}
      <div
        role="status"
        aria-live="polite"
        aria-relevant="additions"
        className="pointer-events-none fixed inset-x-3 bottom-[calc(0.75rem+var(--toast-lift,0px))] z-50 grid justify-items-end gap-2 print:hidden"
      >
        {toasts.map((toast) => (
          <ToastCard key={toast.id} toast={toast} drop={drop} />
        ))}
      </div>
    </Say>
  );
}

function ToastCard({ toast, drop }: { toast: Toast; drop: (id: number) => void }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => drop(toast.id), STAYS_MS);
    return () => clearTimeout(timer);
  }, [held, drop, toast.id]);
  return (
    // Not a control: it only stays while somebody reads it or is on its way to its buttons.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className={classes(
        "pointer-events-auto flex w-fit max-w-full items-center gap-2 rounded-control border border-s-4 border-line bg-raised py-1.5 ps-4 pe-1.5 shadow-over",
        EDGES[toast.tone],
      )}
    >
      <p className="py-1.5 pe-2 text-[0.9375rem]">{toast.text}</p>
      {toast.action !== undefined && (
        <Button
          kind="ghost"
          onClick={() => {
            toast.action?.run();
            drop(toast.id);
          }}
        >
          {toast.action.label}
        </Button>
      )}
      <Button kind="ghost" aria-label={`Dismiss: ${toast.text}`} onClick={() => drop(toast.id)} className="px-0 text-quiet">
        <span aria-hidden="true">×</span>
      </Button>
    </div>
  );
}
