// Makes this device a register of the store, with the code from the box.
import { useState } from "react";
import type { SubmitEvent } from "react";

import { Button, Field, Notice } from "@backroom/protocol";

import { Saying } from "../box/session.ts";

export function Pair({ onDone }: { onDone: () => void }) {
  const [saying] = useState(() => new Saying());
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const word = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value.trim() : "";
    };
    const till = word("till");
    setBusy(true);
    setRefused(undefined);
    saying
      .say("/session/pair", { pairing_code: word("code"), register: word("register").toLowerCase(), ...(till === "" ? {} : { till: till.toLowerCase() }) })
      .then(onDone, (error: unknown) => setRefused(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return (
    <form className="grid gap-4" onSubmit={submit}>
      <p className="text-quiet">
        Whoever looks after the box makes a code with <code className="rounded bg-sunken px-1.5 py-0.5 font-mono text-[0.8125rem] text-ink">store-server pair</code>. It works once, for ten minutes.
      </p>
      {refused !== undefined && <Notice tone="bad">{refused}</Notice>}
      <Field label="Pairing code" name="code" required autoComplete="off" autoCapitalize="characters" spellCheck={false} />
      <Field label="Name of this register" name="register" required defaultValue="r1" pattern="[a-zA-Z][a-zA-Z0-9\-]{0,15}" autoComplete="off" spellCheck={false} hint="Such as r1: it stands on every receipt." />
      <details>
        <summary className="min-h-target py-3 text-sm text-quiet">It shares a drawer with another register</summary>
        <Field label="Name of the drawer" name="till" autoComplete="off" spellCheck={false} hint="Empty: a drawer of its own." />
      </details>
      <Button type="submit" kind="primary" size="tender" busy={busy}>
        Pair
      </Button>
    </form>
  );
}
