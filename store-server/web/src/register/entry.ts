// What is typed on the pad or the keyboard before it means something: a number of pieces, a code, an amount. Pure.

export type Entry = {
  /** As typed. */
  text: string;
  /** "3 ×" before the next item; undefined for one. */
  times: number | undefined;
};

export const EMPTY: Entry = { text: "", times: undefined };
const LONGEST = 48;
const MOST_PIECES = 999;

/** The entry after a key; the same entry when the key means nothing to it. */
export function typed(entry: Entry, key: string): Entry {
  if (key === "Backspace") {
    if (entry.text !== "") return { ...entry, text: entry.text.slice(0, -1) };
    return entry.times === undefined ? entry : { text: String(entry.times), times: undefined };
  }
  if (key === "*" || key === "×") {
    const times = Number(entry.text);
    const counts = /^\d{1,3}$/.test(entry.text) && times >= 1 && times <= MOST_PIECES;
    return counts ? { text: "", times } : entry;
  }
  if (/^([A-Za-z0-9.,/_-]|000?)$/.test(key) && entry.text.length + key.length <= LONGEST) return { ...entry, text: entry.text + key };
  return entry;
}

export const isEmpty = (entry: Entry): boolean => entry.text === "" && entry.times === undefined;
