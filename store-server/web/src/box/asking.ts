// Asking the box until it answers. A command keeps its id over every repetition, so saying it twice does it once.
// Owns the repetition and what is known about the way to the box; what a call means belongs to whoever asks.
import type { CallOptions } from "@connectrpc/connect";

import { trouble } from "./trouble.ts";
import type { Trouble } from "./trouble.ts";

/** Longer than any honest answer; then the same is asked again. */
const ANSWER_WITHIN_MS = 8_000;
const FIRST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 3_000;

/** The box said no, or wants a person to sign in: it was not done. */
export class Refused extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble.sentence);
    this.trouble = trouble;
  }
}

/** Whether the box answers. One of these per page. */
export class Way {
  /** Undefined while the box answers. */
  lostSince: Date | undefined;
  words = "";
  private readonly told = new Set<() => void>();

  subscribe = (changed: () => void): (() => void) => {
    this.told.add(changed);
    return () => this.told.delete(changed);
  };
  lost(words: string): void {
    const fresh = this.lostSince === undefined || this.words !== words;
    this.lostSince ??= new Date();
    this.words = words;
    if (fresh) this.told.forEach((tell) => tell());
  }
  found(): void {
    if (this.lostSince === undefined) return;
    this.lostSince = undefined;
    this.told.forEach((tell) => tell());
  }
}

/** Whether nobody waits any more; asked anew each time, since it changes while something is awaited. */
export const ended = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

export type Pause = (milliseconds: number) => Promise<void>;
export const pause: Pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/**
 * Makes the call again and again, with the very same request, until the box has answered. Throws `Refused` when the answer is no.
 * `signal` ends the asking when the page no longer wants to know.
 */
export async function untilAnswered<Answer>(
  call: (options: CallOptions) => Promise<Answer>,
  way: Way,
  wait: Pause = pause,
  signal?: AbortSignal,
): Promise<Answer> {
  for (let next = FIRST_PAUSE_MS; ; next = Math.min(next * 2, LONGEST_PAUSE_MS)) {
    try {
      const answer = await call({ timeoutMs: ANSWER_WITHIN_MS, ...(signal === undefined ? {} : { signal }) });
      way.found();
      return answer;
    } catch (error) {
      const what = trouble(error);
      if (ended(signal)) throw new Refused({ ...what, kind: "refused" });
      if (what.kind !== "away") {
        way.found();
        throw new Refused(what);
      }
      way.lost(what.sentence);
      await wait(next);
    }
  }
}
