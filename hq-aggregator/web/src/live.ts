// A question that is asked again by itself while somebody looks. Owns when it is asked; what is shown meanwhile belongs to the page.
import { useCallback, useEffect, useRef, useState } from "react";

import { ask } from "./api.ts";

export type Live<T> = {
  /** The last answer, which stays while a later one fails. */
  answer: T | undefined;
  /** Why the last try failed. */
  error: unknown;
  /** When the shown answer came. */
  at: Date | undefined;
  again: () => void;
};

const SLOWEST_MS = 60_000;

type Held<T> = { path: string; answer: T | undefined; error: unknown; at: Date | undefined };

/** Asks `path` now and every `everyMs` while the page is seen (0: once). Each failure doubles the pause. `undefined` asks nothing. */
export function useLive<T>(path: string | undefined, everyMs = 0): Live<T> {
  const [held, setHeld] = useState<Held<T>>({ path: "", answer: undefined, error: undefined, at: undefined });
  const [round, setRound] = useState(0);
  const failures = useRef(0);

  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const plan = () => {
      if (everyMs === 0 || stop.signal.aborted) return;
      timer = setTimeout(look, Math.min(everyMs * 2 ** failures.current, Math.max(SLOWEST_MS, everyMs)));
    };
    const look = () => {
      if (document.hidden) {
        plan();
        return;
      }
      ask<T>("GET", path, undefined, {}, stop.signal)
        .then((answer) => {
          failures.current = 0;
          setHeld({ path, answer, error: undefined, at: new Date() });
        })
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          failures.current += 1;
          setHeld((before) => (before.path === path ? { ...before, error } : { path, answer: undefined, error, at: undefined }));
        })
        .finally(plan);
    };
    const seen = () => {
      if (document.hidden || everyMs === 0) return;
      clearTimeout(timer);
      look();
    };
    look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [path, everyMs, round]);

  const again = useCallback(() => setRound((before) => before + 1), []);
  const now = held.path === path;
  return { answer: now ? held.answer : undefined, error: now ? held.error : undefined, at: now ? held.at : undefined, again };
}

/** The time, anew every few seconds: for words such as "2 min ago". */
export function useNow(everyMs = 5_000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
