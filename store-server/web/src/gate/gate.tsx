// The door of a page: first the device becomes a register of this store, then a person signs in. Behind it both are known.
import { useCallback, useEffect, useState } from "react";
import type { ReactNode } from "react";

import { Button, Notice, Waiting } from "@backroom/protocol";

import { readSession } from "../box/session.ts";
import type { Session } from "../box/session.ts";
import { Mark, useTitle } from "../box/shell.tsx";
import { Pair } from "./pair.tsx";
import { SignIn } from "./sign-in.tsx";

export type Present = Session & { device: NonNullable<Session["device"]>; person: NonNullable<Session["person"]> };

export function Gate({ page, children }: { page: string; children: (session: Present, readAgain: () => void) => ReactNode }) {
  const [session, setSession] = useState<Session>();
  const [trouble, setTrouble] = useState<string>();
  const read = useCallback(() => {
    readSession().then(
      (found) => {
        setSession(found);
        setTrouble(undefined);
      },
      (error: unknown) => setTrouble(error instanceof Error ? error.message : String(error)),
    );
  }, []);
  useEffect(read, [read]);
  // A box that is being started is found by itself.
  useEffect(() => {
    if (trouble === undefined) return;
    const again = setInterval(read, 2_000);
    return () => clearInterval(again);
  }, [trouble, read]);

  if (session?.device != null && session.person != null) return children({ ...session, device: session.device, person: session.person }, read);
  if (trouble !== undefined) {
    return (
      <Door title={page} store={undefined}>
        <Notice tone="bad" action={<Button onClick={read}>Try now</Button>}>
          {trouble} The page tries again by itself.
        </Notice>
      </Door>
    );
  }
  if (session === undefined) {
    return (
      <Door title={page} store={undefined}>
        <Waiting what="Asking the box who is here" />
      </Door>
    );
  }
  if (session.device === null) {
    return (
      <Door title="Pair this device" store={session.store_name}>
        <Pair onDone={read} />
      </Door>
    );
  }
  return (
    <Door title="Sign in" store={`${session.store_name} · ${session.device.register}`}>
      <SignIn staff={session.staff} onDone={read} />
    </Door>
  );
}

/** One card in the middle: nothing else is to be done now. */
export function Door({ title, store, children }: { title: string; store: string | undefined; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="grid min-h-dvh grid-cols-[minmax(0,26rem)] place-content-center p-4">
      <section className="card grid grid-cols-[minmax(0,1fr)] gap-5 p-6 sm:p-8">
        <header className="flex items-center gap-4">
          <Mark />
          <div className="min-w-0">
            <h1 className="text-2xl leading-tight font-semibold">{title}</h1>
            {store !== undefined && <p className="truncate text-quiet">{store}</p>}
          </div>
        </header>
        {children}
      </section>
    </main>
  );
}
