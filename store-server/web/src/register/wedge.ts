// A scanner that pretends to be a keyboard: tells its bursts from a person's typing by their pace. Owns no element and no focus.

/** The pace of a scanner. One late key, because the device was busy for a moment, does not make a person of it. */
const SCANNER_PACE_MS = 60;
/** After a pause like this, what comes is something new. */
const PAUSE_MS = 1_000;
/** Shorter bursts are a person's: the shortest barcodes have more. */
const SHORTEST_CODE = 4;

export type Heard =
  /** Begins something: a person's key or a burst, nobody can know yet. */
  | { kind: "first" }
  /** Goes on; `quick` when it came at a scanner's pace. */
  | { kind: "more"; quick: boolean }
  /** Enter or Tab after a burst: this was scanned. */
  | { kind: "scan"; code: string }
  | { kind: "other" };

export class Burst {
  private text = "";
  private gapsMs: number[] = [];
  private lastAtMs = Number.NEGATIVE_INFINITY;

  /** `key` as the browser names it, `atMs` from the event itself, so that a slow page does not slow the burst. */
  hear(key: string, atMs: number): Heard {
    const gapMs = atMs - this.lastAtMs;
    if (key.length === 1) {
      const first = this.text === "" || gapMs > PAUSE_MS;
      if (first) this.forget();
      else this.gapsMs.push(gapMs);
      this.text += key;
      this.lastAtMs = atMs;
      return first ? { kind: "first" } : { kind: "more", quick: gapMs <= SCANNER_PACE_MS };
    }
    // Scanners hold Shift for capitals.
    if (key === "Shift" || key === "CapsLock") return { kind: "other" };
    const { text, gapsMs } = this;
    this.forget();
    const scanned = (key === "Enter" || key === "Tab") && gapMs <= PAUSE_MS && text.length >= SHORTEST_CODE && median(gapsMs) <= SCANNER_PACE_MS;
    return scanned ? { kind: "scan", code: text } : { kind: "other" };
  }

  /** What was typed so far had a meaning of its own. */
  forget(): void {
    this.text = "";
    this.gapsMs = [];
    this.lastAtMs = Number.NEGATIVE_INFINITY;
  }
}

function median(of: number[]): number {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** The barcode of a receipt of ours, or its number as printed. */
export function isReceipt(code: string): boolean {
  return /^R-[a-z][a-z0-9-]*-\d+-\d+-\d{2}$/i.test(code) || /^[a-z][a-z0-9-]*\/\d+\/\d+$/i.test(code);
}
