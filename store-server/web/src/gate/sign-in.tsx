// A person signs in with number and PIN, by keyboard or by finger. The PIN goes to the box and is kept nowhere.
import { useEffect, useRef, useState } from "react";
import type { SubmitEvent } from "react";

import { Button, Field, Notice } from "@backroom/protocol";

import { Saying, SessionError } from "../box/session.ts";
import type { Session, SignedIn } from "../box/session.ts";

const LAST = "backroom.staff";

function lastOne(): string {
  try {
    return localStorage.getItem(LAST) ?? "";
  } catch {
    return "";
  }
}

function rememberOne(staff: string): void {
  try {
    localStorage.setItem(LAST, staff);
  } catch {
    // Asked for again next time.
  }
}

export function SignIn({ staff, onDone }: { staff: Session["staff"]; onDone: (signed: SignedIn) => void }) {
  const [saying] = useState(() => new Saying());
  const [who, setWho] = useState(lastOne);
  const [pin, setPin] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  /** Another device was paired under this register's name. */
  const [replaced, setReplaced] = useState(false);
  const whoField = useRef<HTMLInputElement>(null);
  const pinField = useRef<HTMLInputElement>(null);
  const known = staff ?? [];
  // Who was here last types only the PIN.
  useEffect(() => (lastOne() === "" ? whoField : pinField).current?.focus(), []);

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = who.trim().toLowerCase();
    if (name === "") {
      setRefused("Say who you are first.");
      whoField.current?.focus();
      return;
    }
    setBusy(true);
    setRefused(undefined);
    saying
      .say<SignedIn>("/session/sign-in", { staff: name, pin })
      .then(
        (signed) => {
          rememberOne(name);
          onDone(signed);
        },
        (error: unknown) => {
          setRefused(error instanceof Error ? error.message : String(error));
          setReplaced(error instanceof SessionError && error.code === "not_enrolled");
          pinField.current?.focus();
        },
      )
      .finally(() => {
        setPin("");
        setBusy(false);
      });
  };

  return (
    <form className="grid gap-4" onSubmit={submit}>
      {refused !== undefined && <Notice tone="bad" {...(replaced ? { action: <Button onClick={() => location.reload()}>Pair it again</Button> } : {})}>{refused}</Notice>}
      {known.length > 0 && known.length <= 12 ? (
        <fieldset>
          <legend className="pb-1.5 text-sm font-medium">Who are you?</legend>
          <div className="grid grid-cols-2 gap-2">
            {known.map((person) => (
              <label
                key={person.id}
                className="flex min-h-target items-center gap-2 rounded-control border border-edge/60 px-3 font-medium has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent has-focus-visible:outline-3 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
              >
                <input type="radio" name="staff" value={person.id} checked={who === person.id} onChange={() => setWho(person.id)} className="size-4 shrink-0 accent-accent" />
                <span className="truncate">{person.name}</span>
              </label>
            ))}
          </div>
        </fieldset>
      ) : (
        <Field ref={whoField} label="Your number" value={who} onChange={(event) => setWho(event.target.value)} autoComplete="username" autoCapitalize="none" spellCheck={false} required />
      )}
      <Field
        ref={(field) => {
          pinField.current = field;
          // A dialog puts the focus where this mark is.
          field?.setAttribute("autofocus", "");
        }}
        label="PIN"
        type="password"
        inputMode="numeric"
        autoComplete="current-password"
        value={pin}
        onChange={(event) => setPin(event.target.value)}
        required
      />
      <div className="grid grid-cols-3 gap-2" role="group" aria-label="PIN pad">
        {["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((digit) => (
          <Button key={digit} size="tender" className="text-2xl" onClick={() => setPin((before) => before + digit)}>
            {digit}
          </Button>
        ))}
        <Button size="tender" aria-label="Delete the last digit" disabled={pin === ""} onClick={() => setPin((before) => before.slice(0, -1))}>
          <span aria-hidden="true">⌫</span>
        </Button>
        <Button size="tender" className="text-2xl" onClick={() => setPin((before) => `${before}0`)}>
          0
        </Button>
        <Button type="submit" kind="primary" size="tender" busy={busy} className="px-2">
          Enter
        </Button>
      </div>
    </form>
  );
}
