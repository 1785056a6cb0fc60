import assert from "node:assert/strict";
import test from "node:test";

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";

import { CardState, CardViewSchema, LineViewSchema, MoneySchema, RegisterService, TenderKind, TicketState, TicketViewSchema } from "@backroom/protocol/gen/backroom/register/v1/register_pb";
import type { TicketView } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { Way } from "../box/asking.ts";
import { hex } from "../box/ids.ts";
import { Till } from "./till.ts";
import type { Memory, TillState } from "./till.ts";

const EUR = (minor: bigint) => create(MoneySchema, { minor, currency: "EUR" });
const atOnce = () => new Promise<void>((go) => setImmediate(go));

/** A ticket of so many lines of 5.00. */
function ticket(ticketId: Uint8Array, version: bigint, more: Omit<Partial<TicketView>, "$typeName"> = {}): TicketView {
  const lines = Array.from({ length: Number(version) - 1 }, (_, at) => create(LineViewSchema, { line: at + 1, name: `Item ${at + 1}`, amount: EUR(500n) }));
  const due = EUR(500n * BigInt(lines.length));
  return create(TicketViewSchema, { ticketId, version, state: TicketState.OPEN, lines, due, remaining: due, remainingExact: due, ...more });
}

function memory(kept: string | null = null): Memory & { kept: string | null } {
  const it = { kept, get: () => it.kept, set: (next: string | null) => void (it.kept = next) };
  return it;
}

function till(box: Partial<ServiceImpl<typeof RegisterService>>, remembered = memory()): Till {
  const transport = createRouterTransport(({ service }) => void service(RegisterService, box));
  return new Till(createClient(RegisterService, transport), new Way(), remembered, (money) => String(money?.minor ?? ""), atOnce);
}

async function until(it: Till, what: string, so: (state: TillState) => boolean): Promise<TillState> {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (so(it.snapshot())) return it.snapshot();
    await atOnce();
  }
  return assert.fail(`${what} did not come about`);
}

const away = () => new ConnectError("fetch failed", Code.Unknown);
const refused = (code: string, words: string) => new ConnectError(words, Code.FailedPrecondition, { "backroom-code": code });

test("scans go one after another, each with the version the one before left, and a lost answer repeats the very same command", async () => {
  const asked: { id: string; version: bigint; code: string }[] = [];
  let lost = 1;
  const it = till({
    scan: (request) => {
      asked.push({ id: hex(request.command?.commandId ?? new Uint8Array()), version: request.ticket?.expectedVersion ?? -1n, code: request.code });
      if (request.code === "two" && lost-- > 0) throw away();
      return { ticket: ticket(request.ticket?.ticketId ?? new Uint8Array(), (request.ticket?.expectedVersion ?? 0n) + (request.ticket?.expectedVersion === 0n ? 2n : 1n)), line: 1 };
    },
  });
  for (const code of ["one", "two", "three"]) it.scan(code);
  assert.equal(it.snapshot().underWay.length, 3);
  const state = await until(it, "three lines", (now) => now.underWay.length === 0);
  assert.equal(state.ticket?.lines.length, 3);
  assert.deepEqual(
    asked.map(({ version, code }) => [code, version]),
    [
      ["one", 0n],
      ["two", 2n],
      ["two", 2n],
      ["three", 3n],
    ],
  );
  assert.equal(asked[1]?.id, asked[2]?.id);
  assert.equal(new Set(asked.map((one) => one.id)).size, 3);
});

test("a ticket that moved on by itself is read and the scan is said once more", async () => {
  let asked = 0;
  const it = till({
    scan: (request) => {
      asked += 1;
      const { ticketId = new Uint8Array(), expectedVersion = 0n } = request.ticket ?? {};
      if (expectedVersion === 2n) throw refused("version_conflict", "the ticket is at version 5, not 2");
      return { ticket: ticket(ticketId, expectedVersion === 0n ? 2n : expectedVersion + 1n), line: 1 };
    },
    getTicket: (request) => ({ ticket: ticket(request.ticketId, 5n) }),
  });
  it.scan("one");
  it.scan("two");
  const state = await until(it, "the second scan", (now) => now.underWay.length === 0 && now.ticket?.version === 6n);
  assert.equal(state.refusal, undefined);
  assert.equal(asked, 3);
});

test("who must sign in first does so, and what waited goes on with its own id", async () => {
  let session = false;
  const ids = new Set<string>();
  const it = till({
    scan: (request) => {
      ids.add(hex(request.command?.commandId ?? new Uint8Array()));
      if (!session) throw new ConnectError("somebody else took over", Code.PermissionDenied, { "backroom-code": "session_fenced" });
      return { ticket: ticket(request.ticket?.ticketId ?? new Uint8Array(), 2n), line: 1 };
    },
    getTicket: (request) => ({ ticket: ticket(request.ticketId, 2n) }),
  });
  it.scan("one");
  const asking = await until(it, "the question who is there", (now) => now.signIn !== undefined);
  assert.equal(asking.signIn, "Somebody else took over.");
  assert.equal(asking.underWay.length, 1);
  session = true;
  it.resume();
  await until(it, "the scan", (now) => now.underWay.length === 0 && now.ticket !== undefined);
  assert.equal(ids.size, 1);
});

/** A box whose terminal answers what `then` says, one look after the other. */
function withTerminal(then: { state: CardState; words: string; sold?: boolean }[]) {
  let asked = 0;
  let looked = 0;
  const remembered = memory();
  const it = till(
    {
      scan: (request) => ({ ticket: ticket(request.ticket?.ticketId ?? new Uint8Array(), 2n), line: 1 }),
      tender: (request) => {
        asked += 1;
        assert.equal(request.kind, TenderKind.CARD);
        assert.ok(request.settle);
        return { ticket: ticket(request.ticket?.ticketId ?? new Uint8Array(), 3n, { card: create(CardViewSchema, { state: CardState.ASKING, words: "hold or insert the card", amount: EUR(500n) }) }) };
      },
      getTicket: (request) => {
        const now = then[Math.min(looked++, then.length - 1)];
        const card = create(CardViewSchema, { state: now?.state ?? CardState.UNSPECIFIED, words: now?.words ?? "", amount: EUR(500n) });
        const sold = now?.sold === true ? { state: TicketState.SOLD, receipt: "r1/1/1", change: EUR(0n) } : {};
        return { ticket: ticket(request.ticketId, 3n + BigInt(looked), { card, ...sold }) };
      },
      getReceipt: () => ({ text: "TOTAL 5.00" }),
    },
    remembered,
  );
  return { it, asked: () => asked, remembered };
}

test("a card goes from asking over unknown to sold, and is asked for once", async () => {
  const { it, asked, remembered } = withTerminal([
    { state: CardState.ASKING, words: "enter the PIN" },
    { state: CardState.UNKNOWN, words: "the line broke" },
    { state: CardState.APPROVED, words: "approved", sold: true },
  ]);
  const said: string[] = [];
  it.subscribe(() => said.push(it.snapshot().said));
  it.scan("one");
  await until(it, "a line", (now) => now.ticket !== undefined);
  assert.ok(await it.pay(TenderKind.CARD, 500n));
  assert.ok(remembered.kept !== null);
  const state = await until(it, "the receipt", (now) => now.done?.paper !== undefined);
  assert.equal(state.ticket, undefined);
  assert.equal(asked(), 1);
  assert.equal(remembered.kept, null);
  assert.ok(said.includes("the line broke"));
});

test("a declined card leaves the ticket as it was", async () => {
  const { it } = withTerminal([{ state: CardState.DECLINED, words: "declined: not enough money" }]);
  it.scan("one");
  await until(it, "a line", (now) => now.ticket !== undefined);
  await it.pay(TenderKind.CARD, 500n);
  const state = await until(it, "the end of the card", (now) => now.ticket?.card?.state === CardState.DECLINED);
  assert.equal(state.done, undefined);
  assert.equal(state.ticket?.state, TicketState.OPEN);
  assert.equal(state.said, "declined: not enough money");
});

test("after a reload the ticket that was in front is in front, and one that was paid meanwhile shows its change", async () => {
  const mine = new Uint8Array(16).fill(7);
  const others = ticket(new Uint8Array(16).fill(8), 3n);
  const open = till({ listOpenTickets: () => ({ tickets: [others, ticket(mine, 2n)] }) }, memory(hex(mine)));
  await open.begin(new AbortController().signal);
  assert.equal(hex(open.snapshot().ticket?.ticketId ?? new Uint8Array()), hex(mine));
  assert.equal(open.snapshot().held.length, 1);

  const paid = till(
    {
      listOpenTickets: () => ({ tickets: [] }),
      getTicket: () => ({ ticket: ticket(mine, 4n, { state: TicketState.SOLD, receipt: "r1/1/9", change: EUR(150n) }) }),
      getReceipt: () => ({ text: "paper" }),
    },
    memory(hex(mine)),
  );
  await paid.begin(new AbortController().signal);
  assert.equal(paid.snapshot().done?.give?.minor, 150n);
});
