// Following a stream of the box: it is opened again whenever it ends, until the page leaves. Owns no view of what comes.
import { ended, pause } from "./asking.ts";
import type { Pause, Way } from "./asking.ts";
import { trouble } from "./trouble.ts";
import type { Trouble } from "./trouble.ts";

const AGAIN_MS = 700;

/** Ends with what the box refused, or with nothing when the page left. `take` answers false when it has seen the last it wants. */
export async function follow<News>(
  open: (signal: AbortSignal) => AsyncIterable<News>,
  take: (news: News) => boolean,
  way: Way,
  signal: AbortSignal,
  wait: Pause = pause,
): Promise<Trouble | undefined> {
  while (!ended(signal)) {
    try {
      for await (const news of open(signal)) {
        way.found();
        if (!take(news)) return undefined;
      }
    } catch (error) {
      if (ended(signal)) return undefined;
      const what = trouble(error);
      if (what.kind !== "away") return what;
      way.lost(what.sentence);
    }
    await wait(AGAIN_MS);
  }
  return undefined;
}
