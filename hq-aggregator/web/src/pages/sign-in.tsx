// Signing in: company, user, password. Owns the form; who may enter is head office's to say.
import { useEffect, useRef, useState } from "react";
import type { SubmitEvent } from "react";

import { Button, Field, Notice, ThemeSwitch } from "@backroom/protocol";

import { ask, Refusal, said } from "../api.ts";
import type { Session } from "../api.ts";

const KEY = "backroom.portal.last";

/** The company and the user of last time; never a password. */
function last(): { tenant: string; user: string } {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as { tenant?: unknown; user?: unknown };
    return { tenant: typeof kept.tenant === "string" ? kept.tenant : "", user: typeof kept.user === "string" ? kept.user : "" };
  } catch {
    return { tenant: "", user: "" };
  }
}

export function SignIn({
  why,
  known,
  inside = false,
  onSignedIn,
}: {
  why?: string | undefined;
  known?: Session;
  /** Within a page that has its own heading and landmark. */
  inside?: boolean;
  onSignedIn: (session: Session) => void;
}) {
  const [form, setForm] = useState(() => ({ ...(known ?? last()), password: "" }));
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState(false);
  const [error, setError] = useState<string>();
  const [shown, setShown] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (!inside) document.title = "Sign in · Backroom head office";
    (last().user === "" ? first : password).current?.focus();
  }, [inside]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const empty = form.tenant.trim() === "" || form.user.trim() === "" || form.password === "";
    setMissing(empty);
    setError(undefined);
    if (empty) return;
    const question = { tenant: form.tenant.trim().toLowerCase(), user: form.user.trim(), password: form.password };
    setBusy(true);
    ask<Session>("POST", "/session", question)
      .then((session) => {
        try {
          localStorage.setItem(KEY, JSON.stringify({ tenant: session.tenant, user: session.user }));
        } catch {
          // Typed again next time.
        }
        onSignedIn(session);
      })
      .catch((refused: unknown) => {
        const wrong = refused instanceof Refusal && refused.code === "wrong_login";
        setError(wrong ? "Company, user and password do not fit together. Check each of them; capitals count in the password." : said(refused));
        setBusy(false);
        password.current?.focus();
        password.current?.select();
      });
  };

  const fields = (
    <form onSubmit={submit} noValidate className="grid gap-4">
      {why !== undefined && error === undefined && <Notice tone="info">{why}</Notice>}
      {error !== undefined && <Notice tone="bad">{error}</Notice>}
      <Field
        ref={first}
        label="Company"
        name="tenant"
        autoComplete="organization"
        autoCapitalize="none"
        spellCheck={false}
        value={form.tenant}
        error={missing && form.tenant.trim() === "" ? "Type the short name of your company, such as nord." : undefined}
        onChange={(event) => setForm({ ...form, tenant: event.target.value })}
      />
      <Field
        label="User"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={form.user}
        error={missing && form.user.trim() === "" ? "Type your user name." : undefined}
        onChange={(event) => setForm({ ...form, user: event.target.value })}
      />
      <Field
        ref={password}
        label="Password"
        name="password"
        type={shown ? "text" : "password"}
        autoComplete="current-password"
        value={form.password}
        error={missing && form.password === "" ? "Type your password." : undefined}
        onChange={(event) => setForm({ ...form, password: event.target.value })}
      />
      <label className="flex min-h-8 w-fit items-center gap-2.5 text-sm text-quiet">
        <input type="checkbox" className="size-5 accent-accent" checked={shown} onChange={(event) => setShown(event.target.checked)} />
        Show the password
      </label>
      <Button kind="primary" type="submit" busy={busy} className="mt-1 w-full">
        {busy ? "Signing in" : "Sign in"}
      </Button>
    </form>
  );

  if (inside) return <div className="mx-auto max-w-sm p-5">{fields}</div>;
  return (
    <div className="grid min-h-dvh grid-rows-[auto_1fr_auto] p-4">
      <div className="flex justify-end">
        <ThemeSwitch />
      </div>
      <main className="mx-auto grid w-full max-w-sm content-center gap-6 pb-16">
        <div className="grid justify-items-center gap-3 text-center">
          <img src="/favicon.svg" alt="" width="56" height="56" className="size-14" />
          <h1 className="text-2xl font-semibold">Backroom head office</h1>
          <p className="text-quiet">All your shops at a glance.</p>
        </div>
        <div className="card p-6">{fields}</div>
        <p className="text-center text-sm text-quiet">Forgotten your password? Whoever runs head office can give you a new one.</p>
      </main>
    </div>
  );
}
