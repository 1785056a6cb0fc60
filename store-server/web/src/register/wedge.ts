// A scanner that pretends to be a keyboard: tells its bursts from a person's typing by their pace. Owns no element and no focus.

/** Longer between two keys than this, and it was a person. */
const SAME_BURST_MS = 60;
/** Enter may come a little later than the last digit. */
const ENTER_WITHIN_MS = 120;
/** Shorter bursts are a person's: the shortest barcodes have more. */
const SHORTEST_CODE = 4;

export type Heard =
  /** A person's key, or the first of a burst: nobody can know yet. */
  | { kind: "first" }
  /** Came so quickly that it belongs to a burst. */
  | { kind: "more" }
  /** Enter or Tab after a burst: this was scanned. */
  | { kind: "scan"; code: string }
  | { kind: "other" };

export class Burst {
  private text = "";
  private lastAtMs = Number.NEGATIVE_INFINITY;

  /** `key` as the browser names it, `atMs` from the event itself, so that a slow page does not slow the burst. */
  hear(key: string, atMs: number): Heard {
    const sinceMs = atMs - this.lastAtMs;
    if (key.length === 1) {
      this.lastAtMs = atMs;
      if (sinceMs <= SAME_BURST_MS) {
        this.text += key;
        return { kind: "more" };
      }
      this.text = key;
      return { kind: "first" };
    }
    // Scanners hold Shift for capitals.
    if (key === "Shift" || key === "CapsLock") return { kind: "other" };
    const code = this.text;
    this.forget();
    if ((key === "Enter" || key === "Tab") && sinceMs <= ENTER_WITHIN_MS && code.length >= SHORTEST_CODE) return { kind: "scan", code };
    return { kind: "other" };
  }

  forget(): void {
    this.text = "";
    this.lastAtMs = Number.NEGATIVE_INFINITY;
  }
}

/** The barcode of a receipt of ours, or its number as printed. */
export function isReceipt(code: string): boolean {
  return /^R-[a-z][a-z0-9-]*-\d+-\d+-\d{2}$/i.test(code) || /^[a-z][a-z0-9-]*\/\d+\/\d+$/i.test(code);
}
