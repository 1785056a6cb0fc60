// The register at `/`: who stands there, whether a shift is open, and then the counter. Owns the till of this page and its life.
import { useCallback, useEffect, useState } from "react";

import { Button, Notice, Waiting } from "@backroom/protocol";
import { boxClient, RegisterService } from "@backroom/protocol/clients";

import { Refused, untilAnswered, Way } from "../box/asking.ts";
import { AwayBanner } from "../box/shell.tsx";
import { Door, Gate } from "../gate/gate.tsx";
import type { Present } from "../gate/gate.tsx";
import { MustDialog } from "../gate/must-dialog.tsx";
import { SignIn } from "../gate/sign-in.tsx";
import { amountWords } from "./amount.tsx";
import { Counter } from "./counter.tsx";
import { OpenShift } from "./shift.tsx";
import { Till } from "./till.ts";
import type { Memory } from "./till.ts";
import { useTill } from "./use-till.ts";

export function RegisterPage() {
  return <Gate page="Register">{(session) => <Desk key={session.device.register} session={session} />}</Gate>;
}

/** Which ticket was in front, over a reload. Holds an id, nothing of the ticket. */
function memoryOf(register: string): Memory {
  const key = `backroom.ticket.${register}`;
  return {
    get: () => {
      try {
        return localStorage.getItem(key);
      } catch {
        return null;
      }
    },
    set: (ticket) => {
      try {
        if (ticket === null) localStorage.removeItem(key);
        else localStorage.setItem(key, ticket);
      } catch {
        // After a reload the list of open tickets has it.
      }
    },
  };
}

export type Ways = { way: Way; register: ReturnType<typeof boxClient<typeof RegisterService>>; till: Till };

function Desk({ session }: { session: Present }) {
  const [ways] = useState<Ways>(() => {
    const way = new Way();
    const register = boxClient(RegisterService);
    return { way, register, till: new Till(register, way, memoryOf(session.device.register), amountWords) };
  });
  const { way, register, till } = ways;
  const { signIn } = useTill(till);
  const [person, setPerson] = useState(session.person.name);
  const [shift, setShift] = useState<"asking" | "closed" | "open">("asking");
  const [trouble, setTrouble] = useState<string>();

  const readShift = useCallback(
    (signal?: AbortSignal) => {
      untilAnswered((options) => register.readShift({}, options), way, undefined, signal).then(
        () => setShift("open"),
        (error: unknown) => {
          if (signal?.aborted === true) return;
          if (!(error instanceof Refused)) throw error;
          if (error.trouble.kind === "sign_in") till.lock(error.message);
          else if (error.trouble.code === "no_shift") setShift("closed");
          else setTrouble(error.message);
        },
      );
    },
    [register, way, till],
  );
  useEffect(() => {
    const life = new AbortController();
    readShift(life.signal);
    till.run(life.signal);
    void till.begin(life.signal).catch(() => undefined);
    return () => life.abort();
  }, [till, readShift]);

  return (
    <>
      <AwayBanner way={way}>The box of this store does not answer. What is on the screen is kept, and what you scanned is asked again until it does.</AwayBanner>
      {trouble !== undefined ? (
        <Door title="Register" store={session.store_name}>
          <Notice tone="bad" action={<Button onClick={() => location.reload()}>Try again</Button>}>
            {trouble}
          </Notice>
        </Door>
      ) : shift === "asking" ? (
        <Door title="Register" store={session.store_name}>
          <Waiting what="Looking into the drawer" />
        </Door>
      ) : shift === "closed" ? (
        <OpenShift session={session} person={person} till={till} onOpen={() => setShift("open")} />
      ) : (
        <Counter session={session} person={person} ways={ways} onClosed={() => setShift("closed")} />
      )}
      {/* Whoever signs in finds the ticket where it was. */}
      <MustDialog title="Sign in" open={signIn !== undefined}>
        <p className="text-quiet">{signIn}</p>
        <SignIn
          staff={session.staff}
          onDone={(signed) => {
            setPerson(signed.staff_name);
            setShift(signed.shift_open ? "open" : "closed");
            till.resume();
          }}
        />
      </MustDialog>
    </>
  );
}
