// What stands around every page of the box: its name, the way to the others, and the word when the box does not answer.
import { useEffect, useSyncExternalStore } from "react";
import type { ReactNode } from "react";

import { classes, Link, ThemeSwitch } from "@backroom/protocol";

import type { Way } from "./asking.ts";

const PAGES = [
  { at: "/", name: "Register" },
  { at: "/clerk", name: "Count" },
  { at: "/console", name: "Console" },
];

export function Mark() {
  return (
    <svg aria-hidden="true" viewBox="0 0 32 32" className="size-8 shrink-0">
      <rect width="32" height="32" rx="9" className="fill-accent" />
      <path d="M8 9v14M12 9v14M15 9v14M20 9v14M24 9v14" className="stroke-on-accent" strokeWidth="2" />
    </svg>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Backroom`;
  }, [title]);
}

/** A page for somebody who is not in a hurry: a head with the ways to the other pages, and room to scroll. */
export function Shell({ title, store, here, aside, children }: { title: string; store: string | undefined; here: string; aside?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <div className="mx-auto max-w-6xl px-4 pb-16 sm:px-6">
      <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1 py-3">
        <p className="flex items-center gap-3 text-[0.9375rem]">
          <Mark />
          <span className="font-semibold">{store ?? "Backroom"}</span>
        </p>
        <div className="flex items-center gap-1">
          <nav aria-label="Pages of this box" className="flex">
            {PAGES.map((page) => (
              <Link
                key={page.at}
                href={page.at}
                aria-current={page.at === here ? "page" : undefined}
                className={classes(
                  "inline-flex min-h-target items-center rounded-control px-3 text-[0.9375rem] font-medium",
                  page.at === here ? "bg-accent-soft text-accent" : "text-quiet hover:bg-sunken hover:text-ink",
                )}
              >
                {page.name}
              </Link>
            ))}
          </nav>
          <ThemeSwitch />
        </div>
      </header>
      <main className="grid grid-cols-[minmax(0,1fr)] gap-4">
        <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-2 pt-3">
          <h1 className="text-3xl font-semibold">{title}</h1>
          {aside}
        </div>
        {children}
      </main>
    </div>
  );
}

/** Comes when the box does not answer and goes by itself. Says what is kept; lies over the head, so that nothing moves under a finger. */
export function AwayBanner({ way, children }: { way: Way; children: ReactNode }) {
  const lost = useSyncExternalStore(way.subscribe, () => way.lostSince);
  return (
    <div role="alert" className={classes(lost !== undefined && "fixed inset-x-0 top-0 z-40")}>
      {lost !== undefined && (
        <p className="flex min-h-14 items-center gap-3 border-b border-warn/40 bg-warn-soft px-4 py-2 font-medium text-warn">
          <span aria-hidden="true" className="beating size-2.5 shrink-0 rounded-full bg-warn" />
          <span>{children}</span>
        </p>
      )}
    </div>
  );
}
