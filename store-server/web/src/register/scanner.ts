// Keys of the whole page: a scanner's burst is a scan whatever has the focus, a person's typing stays where it is.
// Owns the listener; what a scan or a key means is told by whoever listens.
import { useEffect, useRef } from "react";

import { Burst } from "./wedge.ts";

/** After typing, Enter belongs to what was typed and not to the button that happens to have the focus. */
const ENTER_IS_OURS_MS = 1_500;

export type Listener = {
  onScan: (code: string) => void;
  /** A person's key outside of any field, and no dialog in front. True when it meant something. */
  onKey: (key: string) => boolean;
  /** A burst turned out to be a scan: take back what its keys did. */
  takeBack: () => void;
  /** A burst may begin: remember how things stand. */
  remember: () => void;
};

type TextField = HTMLInputElement | HTMLTextAreaElement;

function textField(target: EventTarget | null): TextField | undefined {
  if (target instanceof HTMLTextAreaElement) return target;
  return target instanceof HTMLInputElement && !/^(checkbox|radio|button|submit|range)$/.test(target.type) ? target : undefined;
}

/** As if a person had typed it, so that React hears of it. */
function write(field: TextField, value: string): void {
  const kind = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, "value")?.set?.call(field, value);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

export function useScanner(listener: Listener): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const burst = new Burst();
    let before: { field: TextField; value: string } | undefined;
    let typedAtMs = Number.NEGATIVE_INFINITY;

    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const field = textField(event.target);
      const heard = burst.hear(event.key, event.timeStamp);
      if (heard.kind === "first") {
        before = field === undefined ? undefined : { field, value: field.value };
        latest.current.remember();
      }
      if (heard.kind === "scan") {
        event.preventDefault();
        event.stopPropagation();
        if (before !== undefined) write(before.field, before.value);
        else latest.current.takeBack();
        latest.current.onScan(heard.code);
        return;
      }
      if (field !== undefined || event.target instanceof HTMLSelectElement || document.querySelector("dialog[open]") !== null) return;
      // Inside a burst no letter is a shortcut and no blank presses a button.
      const quick = heard.kind === "more" && heard.quick;
      if (quick) event.stopPropagation();
      if (quick && event.key === " ") event.preventDefault();
      const onControl = event.target instanceof Element && event.target.closest("button, a, summary, [tabindex='0']") !== null;
      if (event.key === "Enter" && (event.repeat || (onControl && event.timeStamp - typedAtMs > ENTER_IS_OURS_MS))) return;
      if (latest.current.onKey(event.key)) {
        if (event.key === "*") burst.forget();
        event.preventDefault();
        event.stopPropagation();
        typedAtMs = event.key === "Enter" ? Number.NEGATIVE_INFINITY : event.timeStamp;
      }
    };
    // First in line: a button must not see the Enter of a scan.
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  }, []);
}
