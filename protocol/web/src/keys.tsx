// Shortcuts, and the page that lists them on `?`. Owns who hears a key: never while somebody types, never with a dialog in front.
import { createContext, useContext, useLayoutEffect, useMemo, useState } from "react";
import type { ReactNode } from "react";

import { Dialog } from "./dialog.tsx";

export type Shortcut = {
  /** As the browser names it: `/`, `F2`, `Escape`; two after each other with a space: `g s`. */
  keys: string;
  /** What it does, as a person would say it. */
  does: string;
  run: () => void;
  /** Function keys work while somebody types; letters never do. */
  whileTyping?: boolean;
};

const KEY = "backroom.single-keys";
/** Two keys after each other must follow within this time. */
const SECOND_KEY_MS = 1_200;

type Listing = { add: (shortcuts: Shortcut[]) => () => void; openHelp: () => void };
const Listings = createContext<Listing>({ add: () => () => undefined, openHelp: () => undefined });

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function singleKeys(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** Around the page: hears keys, and shows the list on `?`. */
export function Shortcuts({ children }: { children: ReactNode }) {
  const [lists, setLists] = useState<Shortcut[][]>([]);
  const [help, setHelp] = useState(false);
  const [letters, setLetters] = useState(singleKeys);
  const listing = useMemo<Listing>(
    () => ({
      add: (shortcuts) => {
        setLists((before) => [...before, shortcuts]);
        return () => setLists((before) => before.filter((list) => list !== shortcuts));
      },
      openHelp: () => setHelp(true),
    }),
    [],
  );

  // Before the page is painted: a key pressed on what can be seen is never lost.
  useLayoutEffect(() => {
    let first: string | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const isLetter = event.key.length === 1;
      if (isLetter && !letters) return;
      if (event.key === "?" && !typing(event.target)) {
        event.preventDefault();
        setHelp(true);
        return;
      }
      // The page that came last speaks first.
      const all = lists.flat().reverse();
      const fits = (keys: string) => all.find((one) => one.keys === keys && (!typing(event.target) || one.whileTyping === true));
      const found = (first === undefined ? undefined : fits(`${first} ${event.key}`)) ?? fits(event.key);
      first = undefined;
      clearTimeout(timer);
      if (found !== undefined) {
        event.preventDefault();
        found.run();
      } else if (!typing(event.target) && all.some((one) => one.keys.startsWith(`${event.key} `))) {
        first = event.key;
        timer = setTimeout(() => (first = undefined), SECOND_KEY_MS);
      }
    };
    document.addEventListener("keydown", onKey);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("keydown", onKey);
    };
  }, [lists, letters]);

  const onLetters = (on: boolean) => {
    setLetters(on);
    try {
      localStorage.setItem(KEY, on ? "on" : "off");
    } catch {
      // Chosen for this visit only.
    }
  };

  return (
    <Listings value={listing}>
      {children}
      <Dialog title="Keys" open={help} onClose={() => setHelp(false)}>
        <dl className="divide-y divide-line">
          {lists.flat().map((one) => (
            <div key={one.keys} className="flex items-center justify-between gap-4 py-2">
              <dt>{one.does}</dt>
              <dd>
                <Key keys={one.keys} />
              </dd>
            </div>
          ))}
          <div className="flex items-center justify-between gap-4 py-2">
            <dt>Show this list</dt>
            <dd>
              <Key keys="?" />
            </dd>
          </div>
        </dl>
        <label className="mt-3 flex min-h-target items-center gap-3 text-sm text-quiet">
          <input type="checkbox" className="size-5 accent-accent" checked={letters} onChange={(event) => onLetters(event.target.checked)} />
          Keys of a single letter work. Switch this off if you speak to your computer.
        </label>
      </Dialog>
    </Listings>
  );
}

/** The page's shortcuts, while it is shown. Hand in a list that stays the same between renders. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const { add } = useContext(Listings);
  useLayoutEffect(() => add(shortcuts), [add, shortcuts]);
}

/** Opens the list, for a button that says so. */
export function useHelp(): () => void {
  return useContext(Listings).openHelp;
}

export function Key({ keys }: { keys: string }) {
  return (
    <span className="inline-flex gap-1">
      {keys.split(" ").map((key, place) => (
        <kbd key={`${key}-${place}`} className="min-w-7 rounded-md border border-edge/60 bg-sunken px-1.5 py-0.5 text-center font-mono text-sm">
          {key}
        </kbd>
      ))}
    </span>
  );
}
