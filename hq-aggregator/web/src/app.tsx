// The portal as a whole: who is signed in, which page is shown, and the way between pages. Pages own what is on them.
import { useEffect, useMemo, useRef, useState } from "react";
import type { ReactNode } from "react";

import { Button, classes, go, Key, Link, Notice, ThemeSwitch, useAddress, useHelp, useShortcuts, Waiting } from "@backroom/protocol";

import { ask, onSignedOut, Refusal, said } from "./api.ts";
import type { Session } from "./api.ts";
import { useNow } from "./live.ts";
import { Fence } from "./fence.tsx";
import { HelpPage } from "./pages/help.tsx";
import { ProductPage } from "./pages/product.tsx";
import { ProductsPage } from "./pages/products.tsx";
import { SalesPage } from "./pages/sales.tsx";
import { ShopifyPage } from "./pages/shopify.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { StoresPage } from "./pages/stores.tsx";
import { TodayPage } from "./pages/today.tsx";

type Place = { href: string; name: string; keys: string; sign: string };

/** The server answers the same first parts; see `src/pages.rs`. */
const PLACES: readonly Place[] = [
  { href: "/", name: "Today", keys: "g t", sign: "M3 17V9m5 8V4m5 13v-6m5 6V7" },
  { href: "/sales", name: "Sales", keys: "g a", sign: "M5 2.5h10V18l-2.5-1.500L10 18l-2.500-1.500L5 18zM8 7h4M8 10.500h4" },
  { href: "/products", name: "Products", keys: "g p", sign: "M3 10.500V3.500h7L17.500 11l-7 7zM6.700 7.200h.01" },
  { href: "/stores", name: "Stores", keys: "g s", sign: "M3 8l1.500-4.500h11L17 8M3.500 8v8.500h13V8M3 8c0 3 4.500 3 4.700 0 .2 3 4.400 3 4.600 0 .2 3 4.700 3 4.700 0" },
  { href: "/shopify", name: "Shopify", keys: "g o", sign: "M4 6.500h12l1 11H3zM7 9V5a3 3 0 0 1 6 0v4" },
];

/** How long before the end of a session the page says so. */
const WARN_BEFORE_MS = 15 * 60_000;

type Who = { state: "asking" } | { state: "out"; why?: string } | { state: "in"; session: Session } | { state: "error"; why: string };

export function App() {
  const [who, setWho] = useState<Who>({ state: "asking" });
  useEffect(() => {
    onSignedOut(() => setWho((before) => (before.state === "in" ? { state: "out", why: "Your session has ended. Sign in to go on where you were." } : before)));
    ask<Session>("GET", "/session")
      .then((session) => setWho({ state: "in", session }))
      .catch((error: unknown) => setWho(error instanceof Refusal && error.status === 401 ? { state: "out" } : { state: "error", why: said(error) }));
  }, []);

  if (who.state === "asking") return <Centre><Waiting what="One moment" /></Centre>;
  if (who.state === "error") {
    return (
      <Centre>
        <Notice tone="bad" action={<Button onClick={() => location.reload()}>Try again</Button>}>{who.why}</Notice>
      </Centre>
    );
  }
  if (who.state === "out") return <SignIn why={who.why} onSignedIn={(session) => setWho({ state: "in", session })} />;
  return <Portal session={who.session} onSession={(session) => setWho({ state: "in", session })} onLeave={() => setWho({ state: "out" })} />;
}

function Centre({ children }: { children: ReactNode }) {
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center p-6">
      <h1 className="heard-only">Backroom head office</h1>
      {children}
    </main>
  );
}

function Portal({ session, onSession, onLeave }: { session: Session; onSession: (session: Session) => void; onLeave: () => void }) {
  const address = useAddress();
  const help = useHelp();
  useShortcuts(useMemo(() => PLACES.map(({ keys, name, href }) => ({ keys, does: `Go to ${name}`, run: () => go(href) })), []));

  const leave = () => {
    void ask("DELETE", "/session").catch(() => undefined).finally(onLeave);
  };
  return (
    <div className="min-h-dvh pb-20 md:pb-0">
      <a
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("content")?.focus();
        }}
        className="fixed start-3 top-3 z-50 -translate-y-20 rounded-control bg-accent px-4 py-2.5 font-medium text-on-accent opacity-0 focus-visible:translate-y-0 focus-visible:opacity-100"
      >
        Skip to the page
      </a>
      <header className="sticky top-0 z-30 border-b border-line bg-ground/95 backdrop-blur">
        <div className="mx-auto flex min-h-16 max-w-6xl items-center gap-x-6 px-4 sm:px-6">
          <Link href="/" className="flex min-h-target min-w-0 items-center gap-3 font-semibold" aria-label={`Backroom, ${session.company}: today`}>
            <img src="/favicon.svg" alt="" width="32" height="32" className="size-8 shrink-0" />
            <span className="max-w-48 min-w-0 truncate">{session.company}</span>
          </Link>
          <nav aria-label="Pages" className="hidden flex-1 md:block">
            <Places path={address.pathname} />
          </nav>
          <div className="ms-auto flex items-center">
            <Button kind="ghost" aria-label="Keys (?)" title="Keys" className="px-0 text-quiet max-md:hidden" onClick={help}>
              <Key keys="?" />
            </Button>
            <ThemeSwitch />
            <Button kind="ghost" className="whitespace-nowrap text-quiet max-sm:px-2" onClick={leave} title={`Signed in as ${session.user}`}>
              Sign out
            </Button>
          </div>
        </div>
      </header>
      <SessionEnd session={session} onSession={onSession} />
      <main id="content" tabIndex={-1} className="mx-auto max-w-6xl px-4 py-6 sm:px-6 sm:py-8">
        <Fence key={address.pathname}>
          <Page address={address} />
        </Fence>
      </main>
      <nav aria-label="Pages" className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface md:hidden">
        <Places path={address.pathname} small />
      </nav>
    </div>
  );
}

function Places({ path, small = false }: { path: string; small?: boolean }) {
  const here = (href: string) => (href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`));
  return (
    <ul className={small ? "grid grid-cols-5" : "flex gap-1"}>
      {PLACES.map(({ href, name, sign }) => (
        <li key={href}>
          <Link
            href={href}
            aria-current={here(href) ? "page" : undefined}
            className={classes(
              "flex items-center font-medium transition-colors",
              small ? "min-h-16 flex-col justify-center gap-1 text-xs" : "min-h-target gap-2 rounded-control px-3 text-[0.9375rem]",
              here(href) ? "text-accent" : "text-quiet hover:text-ink",
              here(href) && !small && "bg-accent-soft",
            )}
          >
            <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round">
              <path d={sign} />
            </svg>
            {name}
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** The page of an address; its heading gets the focus after a move, so that those who listen hear where they are. */
function Page({ address }: { address: URL }) {
  const [, first = "", second] = address.pathname.split("/");
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) document.getElementById("content")?.focus({ preventScroll: true });
    moved.current = true;
  }, [address.pathname]);
  useEffect(() => {
    const name = PLACES.find((place) => place.href === `/${first}`)?.name;
    document.title = name === undefined ? "Backroom head office" : `${name} · Backroom head office`;
  }, [first]);

  const query = address.searchParams;
  switch (first) {
    case "":
      return <TodayPage />;
    case "sales":
      return <SalesPage store={query.get("store") ?? ""} day={query.get("day") ?? ""} />;
    case "products":
      return second === undefined || second === "" ? <ProductsPage search={query.get("q") ?? ""} /> : <ProductPage sku={decodeURIComponent(second)} />;
    case "stores":
      return <StoresPage />;
    case "shopify":
      return <ShopifyPage />;
    default:
      return <HelpPage />;
  }
}

/** Nobody is thrown out without a word: a while before the end the page says when it is. */
function SessionEnd({ session, onSession }: { session: Session; onSession: (session: Session) => void }) {
  const now = useNow(30_000);
  const [again, setAgain] = useState(false);
  if (session.expires_at === null) return null;
  const ends = new Date(session.expires_at);
  if (ends.getTime() - now.getTime() > WARN_BEFORE_MS) return null;
  const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(ends);
  return (
    <div className="mx-auto max-w-6xl px-4 pt-4 sm:px-6">
      <Notice tone="warn" action={<Button onClick={() => setAgain(true)}>Sign in again</Button>}>
        Your session ends at {time}. Sign in again to go on without a break.
      </Notice>
      {again && (
        <div className="card mt-4">
          <SignIn
            inside
            known={session}
            onSignedIn={(fresh) => {
              setAgain(false);
              onSession(fresh);
            }}
          />
        </div>
      )}
    </div>
  );
}
