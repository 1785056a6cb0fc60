// What went wrong with a call, as the page acts on it: ask again, sign in, or tell the person. Owns no state and no retry.
import { Code, ConnectError } from "@connectrpc/connect";

export type Trouble = {
  /**
   * `away`: no answer of the box, so nobody knows whether it was done. `sign_in`: the box wants to know who is there.
   * `refused`: it was not done, and the sentence says why.
   */
  kind: "away" | "sign_in" | "refused";
  /** For the person at the page: begins with a capital, ends with a full stop. */
  sentence: string;
  /** The box's stable name of the reason, if it said one. */
  code: string;
};

const NO_ANSWER = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Unknown, Code.Internal, Code.Canceled, Code.Aborted, Code.DataLoss]);
/** Reasons with which the box itself says: ask again with the same id. */
const ASK_AGAIN = new Set(["busy", "unknown_outcome"]);

export function trouble(reason: unknown): Trouble {
  const error = ConnectError.from(reason);
  const code = error.metadata.get("backroom-code") ?? "";
  if (ASK_AGAIN.has(code) || (code === "" && NO_ANSWER.has(error.code))) {
    return { kind: "away", sentence: code === "" ? "The box of this store does not answer." : sentence(error.rawMessage), code };
  }
  if (code === "session_fenced" || (error.code === Code.Unauthenticated && code !== "wrong_pin")) {
    return { kind: "sign_in", sentence: sentence(error.rawMessage), code };
  }
  return { kind: "refused", sentence: sentence(error.rawMessage), code };
}

/** The box speaks in lower case without a full stop; a person reads a sentence. */
export function sentence(words: string): string {
  const bare = words.trim();
  if (bare === "") return "It was refused, and the box did not say why.";
  const begun = bare.charAt(0).toUpperCase() + bare.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
