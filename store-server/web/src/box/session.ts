// Who is at this page: the device and the person, as the box's cookie says. Owns the three plain HTTP calls; the token never gets here.
import { newId, uuidText } from "./ids.ts";
import { sentence } from "./trouble.ts";

export type Session = {
  store: string;
  store_name: string;
  currency: string;
  currency_decimals: number;
  device: { register: string; till: string } | null;
  person: { staff: string; name: string; session: number } | null;
  /** Who may sign in here, if the box tells. */
  staff?: { id: string; name: string }[];
  faults_allowed: boolean;
};

/** A refusal of the session calls; `message` is a sentence for the person. */
export class SessionError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

async function ask<Answer>(path: string, body?: object): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      credentials: "same-origin",
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(8_000),
    });
  } catch {
    throw new SessionError("The box of this store does not answer. Look whether it is on, then try again.", "away");
  }
  const text = await response.text();
  let said: unknown;
  try {
    said = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new SessionError(`The box answered with something else than expected (status ${response.status}).`, "away");
  }
  if (!response.ok) {
    // RFC 9457; parsed here, at the edge.
    const problem = said as { title?: unknown; code?: unknown };
    throw new SessionError(
      sentence(typeof problem.title === "string" ? problem.title : `The box refused with status ${response.status}`),
      typeof problem.code === "string" ? problem.code : String(response.status),
    );
  }
  return said as Answer;
}

export const readSession = () => ask<Session>("/session");

/** A command whose id is kept until it was answered: repeated after a lost answer, it is still the same command. */
export class Saying {
  private id: string | undefined;
  private body = "";

  async say<Answer>(path: string, body: object): Promise<Answer> {
    const words = JSON.stringify(body);
    if (this.id === undefined || this.body !== words) {
      this.id = uuidText(newId());
      this.body = words;
    }
    try {
      const answer = await ask<Answer>(path, { command_id: this.id, ...body });
      this.id = undefined;
      return answer;
    } catch (error) {
      if (!(error instanceof SessionError && error.code === "away")) this.id = undefined;
      throw error;
    }
  }
}

export type SignedIn = { staff_name: string; shift_open: boolean };
export const signOut = () => ask<unknown>("/session/sign-out", {});
