import assert from "node:assert/strict";
import test from "node:test";

import { Code, ConnectError } from "@connectrpc/connect";

import { Refused, untilAnswered, Way } from "./asking.ts";

const atOnce = () => Promise.resolve();
const said = (code: Code, reason: string, words: string) => new ConnectError(words, code, { "backroom-code": reason });

test("a call that got no answer is made again until there is one, and the page knows meanwhile", async () => {
  const way = new Way();
  const seen: boolean[] = [];
  way.subscribe(() => seen.push(way.lostSince !== undefined));
  const outcomes = [new ConnectError("fetch failed", Code.Unknown), said(Code.Unavailable, "busy", "the till is busy"), "done"];
  const answer = await untilAnswered(
    () => {
      const next = outcomes.shift();
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    way,
    atOnce,
  );
  assert.equal(answer, "done");
  assert.deepEqual(seen, [true, true, false]);
});

test("a refusal is an answer: it is told once, as a sentence, and never repeated", async () => {
  let calls = 0;
  const asked = untilAnswered(
    () => {
      calls += 1;
      return Promise.reject(said(Code.NotFound, "unknown_code", "nothing carries this code"));
    },
    new Way(),
    atOnce,
  );
  await assert.rejects(asked, (error) => error instanceof Refused && error.trouble.kind === "refused" && error.message === "Nothing carries this code.");
  assert.equal(calls, 1);
});

test("who is no longer signed in is asked to sign in, not told that the box is away", async () => {
  for (const error of [said(Code.Unauthenticated, "not_signed_in", "sign in"), said(Code.PermissionDenied, "session_fenced", "somebody else took over")]) {
    await assert.rejects(
      untilAnswered(() => Promise.reject(error), new Way(), atOnce),
      (found) => found instanceof Refused && found.trouble.kind === "sign_in",
    );
  }
});
