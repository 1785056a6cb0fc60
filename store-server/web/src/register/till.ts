// What the register page knows and does: the ticket in front of the cashier, the commands under way, and the box's news of it.
// Owns the order of commands and their ids; every amount is the box's. Knows nothing of the screen.
import type { CallOptions, Client } from "@connectrpc/connect";
import { CardState, TenderKind, TicketState } from "@backroom/protocol/gen/backroom/register/v1/register_pb";
import type {
  CashMoveKind,
  GetStatusResponse,
  Money,
  RegisterService,
  TicketView,
} from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { ended, pause, Refused, untilAnswered } from "../box/asking.ts";
import type { Pause, Way } from "../box/asking.ts";
import { fromHex, hex, newId, sameId } from "../box/ids.ts";
import { trouble } from "../box/trouble.ts";
import { isReceipt } from "./wedge.ts";

export type RegisterClient = Client<typeof RegisterService>;

export type Refusal = {
  sentence: string;
  code: string;
  /** What was scanned, when it was a scan. */
  scanned: string | undefined;
  /** Counts up, so that the same refusal twice is heard twice. */
  count: number;
};

export type Done = {
  ticket: TicketView;
  /** What to hand to the customer: the change, or the money back. */
  give: Money | undefined;
  /** The receipt as text; undefined until it is here. */
  paper: string | undefined;
};

export type TillState = {
  /** Undefined before the first scan. */
  ticket: TicketView | undefined;
  /** The line that was added last. */
  newest: number | undefined;
  /** Scans the box has not answered yet, oldest first. */
  underWay: { key: number; code: string; times: number }[];
  /** A command other than a scan is under way. */
  busy: boolean;
  refusal: Refusal | undefined;
  done: Done | undefined;
  /** Held tickets: open here, and not the one in front. */
  held: TicketView[];
  status: GetStatusResponse | undefined;
  /** Somebody must sign in before it goes on; the words say why. */
  signIn: string | undefined;
  /** Said politely to those who listen. */
  said: string;
};

/** What is remembered over a reload: the id of the ticket in front. */
export type Memory = { get: () => string | null; set: (ticket: string | null) => void };

const MOST_UNDER_WAY = 30;
const CHANGE_SEEN_MS = 700;
const CARD_LOOK_MS = 2_000;
const STATUS_EVERY_MS = 5_000;
const WATCH_AGAIN_MS = 1_000;

export class Till {
  private state: TillState = {
    ticket: undefined,
    newest: undefined,
    underWay: [],
    busy: false,
    refusal: undefined,
    done: undefined,
    held: [],
    status: undefined,
    signIn: undefined,
    said: "",
  };
  private readonly listeners = new Set<() => void>();
  /** Commands go one after another: each needs the version the one before left. */
  private row: Promise<void> = Promise.resolve();
  private scans = 0;
  private signedIn: (() => void)[] = [];
  private readonly register: RegisterClient;
  private readonly way: Way;
  private readonly memory: Memory;
  private readonly wait: Pause;
  /** Words for an amount, in the reader's way of writing. */
  private readonly words: (money: Money | undefined) => string;
  private scanned: ((code: string) => void) | undefined;
  private ends: ((words: string) => void) | undefined;
  private doneAtMs = Number.NEGATIVE_INFINITY;

  constructor(register: RegisterClient, way: Way, memory: Memory, words: (money: Money | undefined) => string, wait: Pause = pause) {
    this.register = register;
    this.way = way;
    this.memory = memory;
    this.words = words;
    this.wait = wait;
  }

  subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  };
  snapshot = (): TillState => this.state;

  /** Who hears what a serial scanner read: the page decides, since it knows what is in front. */
  hearScans(listener: (code: string) => void): () => void {
    this.scanned = listener;
    return () => {
      if (this.scanned === listener) this.scanned = undefined;
    };
  }

  /** Who hears that a ticket on hold came to its end, as when the terminal answered at last. */
  hearEnds(listener: (words: string) => void): () => void {
    this.ends = listener;
    return () => {
      if (this.ends === listener) this.ends = undefined;
    };
  }

  private set(change: Partial<TillState>): void {
    this.state = { ...this.state, ...change };
    this.listeners.forEach((tell) => tell());
  }

  // --- what the cashier does

  scan(code: string, times = 1): void {
    if (this.state.underWay.length >= MOST_UNDER_WAY) {
      this.refuse("The box does not answer; these scans wait already. Wait until it does, then scan again.", "busy", code);
      return;
    }
    const key = ++this.scans;
    this.set({ underWay: [...this.state.underWay, { key, code, times }], done: undefined });
    this.next(async () => {
      try {
        await this.addItem(code, times);
        // A refused scan stays in sight until somebody has seen it: the cashier looks at the goods.
        if (this.state.refusal?.scanned === code) this.dropRefusal();
      } catch (error) {
        this.refused(error, code);
      } finally {
        this.set({ underWay: this.state.underWay.filter((scan) => scan.key !== key) });
      }
    });
  }

  private async addItem(code: string, times: number): Promise<void> {
    for (let again = false; ; again = true) {
      const ticket = { ticketId: this.state.ticket?.ticketId ?? newId(), expectedVersion: this.state.ticket?.version ?? 0n };
      const request = { command: { commandId: newId() }, ticket, code, quantityMilli: BigInt(times) * 1000n };
      try {
        const answer = await this.ask((options) => this.register.scan(request, options));
        const line = answer.ticket?.lines.find((one) => one.line === answer.line);
        this.show(answer.ticket, answer.line);
        this.set({ said: `Added ${line?.name ?? code}, ${this.words(line?.amount)}. Total ${this.words(answer.ticket?.due)}.` });
        return;
      } catch (error) {
        // The ticket moved on by itself, as when a card was taken: read it and say it once more.
        if (again || !(error instanceof Refused) || error.trouble.code !== "version_conflict") throw error;
        await this.readTicket(ticket.ticketId);
      }
    }
  }

  voidLine(line: number): Promise<boolean> {
    return this.command(async (head) => {
      const request = { ...head(), line };
      const { ticket } = await this.ask((options) => this.register.voidLine(request, options));
      this.show(ticket);
      this.set({ said: `Line taken off. Total ${this.words(ticket?.due)}.` });
    });
  }

  /** Cash or card; with enough of it the ticket is closed in the same step. */
  pay(kind: TenderKind.CASH | TenderKind.CARD, amount: bigint): Promise<boolean> {
    return this.command(async (head) => {
      const ticket = this.state.ticket;
      const left = kind === TenderKind.CARD ? ticket?.remainingExact : ticket?.remaining;
      const settle = left !== undefined && amount >= left.minor;
      const request = { ...head(), kind, amount: { minor: amount, currency: left?.currency ?? "" }, settle };
      const answer = await this.ask((options) => this.register.tender(request, options));
      this.show(answer.ticket);
      if (kind === TenderKind.CARD) void this.lookAtCard();
    });
  }

  /** Closes a ticket on which nothing is left to pay. */
  settle(): Promise<boolean> {
    return this.command(async (head) => {
      const request = head();
      const answer = await this.ask((options) => this.register.settle(request, options));
      this.show(answer.ticket);
    });
  }

  /** Asks the terminal to give up. How it ended is told like any other end. */
  async giveUpCard(): Promise<void> {
    const ticketId = this.state.ticket?.ticketId;
    if (ticketId === undefined) return;
    try {
      await this.register.cancelCard({ command: { commandId: newId() }, ticketId }, { timeoutMs: 5_000 });
    } catch (error) {
      this.refused(error);
    }
  }

  cancelTicket(): Promise<boolean> {
    return this.command(async (head) => {
      const request = head();
      const { ticket } = await this.ask((options) => this.register.cancelTicket(request, options));
      this.show(ticket);
      this.set({ said: "Ticket cancelled." });
    });
  }

  /** Puts the ticket aside; it stays open at the box. */
  hold(): void {
    const { ticket, held } = this.state;
    if (ticket === undefined) return;
    this.set({ ticket: undefined, newest: undefined, refusal: undefined, held: [ticket, ...held], said: "Ticket put on hold." });
    this.memory.set(null);
  }

  recall(ticketId: Uint8Array): void {
    const { ticket, held } = this.state;
    const wanted = held.find((one) => sameId(one.ticketId, ticketId));
    if (wanted === undefined) return;
    const others = held.filter((one) => one !== wanted);
    const aside = ticket === undefined ? others : [ticket, ...others];
    this.set({ held: aside, done: undefined, newest: undefined, refusal: undefined, said: `Ticket is back. Total ${this.words(wanted.due)}.` });
    this.front(wanted);
  }

  /** Takes a whole receipt back and pays the cash out. */
  takeBack(receipt: string): Promise<boolean> {
    return this.command(async () => {
      const request = { command: { commandId: newId() }, ticketId: newId(), receipt };
      const answer = await this.ask((options) => this.register.returnSale(request, options));
      if (answer.ticket !== undefined) this.finish(answer.ticket, answer.refund);
    });
  }

  /** Leaves the receipt of the last sale. False when nobody can have seen the change yet: a second press on the same place. */
  nextSale(): boolean {
    if (performance.now() - this.doneAtMs < CHANGE_SEEN_MS) return false;
    this.set({ done: undefined, newest: undefined, refusal: undefined });
    return true;
  }

  printCopy(receipt: string): Promise<boolean> {
    return this.command(async () => {
      const request = { command: { commandId: newId() }, receipt };
      await this.ask((options) => this.register.printReceipt(request, options));
      this.set({ said: "A copy is on its way to the printer." });
    });
  }

  dropRefusal(): void {
    this.set({ refusal: undefined });
  }

  // --- the drawer; these throw `Refused`, because the form that asked says it

  async openShift(float: Money): Promise<void> {
    const request = { command: { commandId: newId() }, float: plain(float) };
    await this.ask((options) => this.register.openShift(request, options));
  }

  async moveCash(kind: CashMoveKind, amount: Money, reason: string): Promise<void> {
    const request = { command: { commandId: newId() }, kind, amount: plain(amount), reason };
    await this.ask((options) => this.register.moveCash(request, options));
  }

  async closeShift(counted: Money) {
    const request = { command: { commandId: newId() }, counted: plain(counted) };
    return this.ask((options) => this.register.closeShift(request, options));
  }

  // --- life

  /** After sign-in or a reload: what is open, and what became of the ticket that was in front. */
  async begin(signal: AbortSignal): Promise<void> {
    const { tickets } = await this.ask((options) => this.register.listOpenTickets({}, options), signal);
    const remembered = fromHex(this.memory.get() ?? "");
    const front = tickets.find((one) => remembered !== undefined && sameId(one.ticketId, remembered)) ?? (tickets.length === 1 ? tickets[0] : undefined);
    this.set({ held: tickets.filter((one) => one !== front) });
    if (front !== undefined) this.front(front);
    else if (remembered !== undefined) await this.recoverClosed(remembered);
  }

  /** The page was loaded anew after the money was taken, maybe before anybody saw the change. */
  private async recoverClosed(ticketId: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.readTicket(ticketId);
    } catch {
      this.memory.set(null);
    }
  }

  /** Follows the box's news until `signal`. */
  run(signal: AbortSignal): void {
    void this.follow(signal);
    void this.keepLooking(signal);
  }

  private async follow(signal: AbortSignal): Promise<void> {
    while (!ended(signal)) {
      try {
        for await (const news of this.register.watch({}, { signal })) {
          this.way.found();
          if (news.what.case === "ticket") this.heard(news.what.value);
          else if (news.what.case === "status") this.set({ status: news.what.value });
          else if (news.what.case === "scanned") this.scanned?.(news.what.value.code);
        }
      } catch (error) {
        if (ended(signal)) return;
        const what = trouble(error);
        if (what.kind === "sign_in") await this.someoneSignsIn(what.sentence);
        else if (what.kind === "away") this.way.lost(what.sentence);
      }
      await this.wait(WATCH_AGAIN_MS);
    }
  }

  /** A link that died without a word is noticed by asking. */
  private async keepLooking(signal: AbortSignal): Promise<void> {
    while (!ended(signal)) {
      try {
        this.set({ status: await this.register.getStatus({}, { signal, timeoutMs: STATUS_EVERY_MS }) });
        const lost = this.way.lostSince !== undefined;
        this.way.found();
        if (lost && this.state.ticket !== undefined) await this.readTicket(this.state.ticket.ticketId);
      } catch (error) {
        if (ended(signal)) return;
        const what = trouble(error);
        if (what.kind === "away") this.way.lost(what.sentence);
        if (what.kind === "sign_in") await this.someoneSignsIn(what.sentence);
      }
      await this.wait(this.way.lostSince === undefined ? STATUS_EVERY_MS : WATCH_AGAIN_MS);
    }
  }

  /** Somebody signed in again: what waited goes on, with the ids it had. */
  resume(): void {
    const waiting = this.signedIn;
    this.signedIn = [];
    this.set({ signIn: undefined });
    waiting.forEach((go) => go());
    const ticket = this.state.ticket;
    if (ticket !== undefined) this.next(() => this.readTicket(ticket.ticketId).catch((error: unknown) => this.refused(error)));
  }

  /** The cashier leaves: the screen keeps the ticket and asks who is there. */
  lock(words: string): void {
    this.set({ signIn: words });
  }

  private someoneSignsIn(words: string): Promise<void> {
    this.set({ signIn: this.state.signIn ?? words });
    return new Promise((go) => this.signedIn.push(go));
  }

  /** Asks until there is an answer; who must sign in first does so, and then the very same is asked again. */
  private async ask<Answer>(call: (options: CallOptions) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    for (;;) {
      try {
        return await untilAnswered(call, this.way, this.wait, signal);
      } catch (error) {
        if (!(error instanceof Refused) || error.trouble.kind !== "sign_in") throw error;
        await this.someoneSignsIn(error.message);
      }
    }
  }

  private next(step: () => Promise<void>): void {
    this.row = this.row.then(step, step);
  }

  /** One command after the scans before it. True when it was done; a refusal is shown. */
  private command(step: (head: () => { command: { commandId: Uint8Array<ArrayBuffer> }; ticket: { ticketId: Uint8Array; expectedVersion: bigint } }) => Promise<void>): Promise<boolean> {
    if (this.state.busy) return Promise.resolve(false);
    this.set({ busy: true });
    return new Promise((done) => {
      this.next(async () => {
        try {
          await step(() => {
            const { ticket } = this.state;
            return { command: { commandId: newId() }, ticket: { ticketId: ticket?.ticketId ?? newId(), expectedVersion: ticket?.version ?? 0n } };
          });
          this.set({ busy: false, refusal: undefined });
          done(true);
        } catch (error) {
          this.set({ busy: false });
          await this.afterRefusal(error);
          done(false);
        }
      });
    });
  }

  private async afterRefusal(error: unknown): Promise<void> {
    const { ticket } = this.state;
    if (error instanceof Refused && ticket !== undefined && /^(version_conflict|ticket_closed|unknown_ticket)$/.test(error.trouble.code)) {
      await this.readTicket(ticket.ticketId).catch(() => undefined);
    }
    this.refused(error);
  }

  private async readTicket(ticketId: Uint8Array): Promise<void> {
    const { ticket } = await this.ask((options) => this.register.getTicket({ ticketId }, options));
    this.show(ticket);
  }

  private heard(ticket: TicketView): void {
    const { ticket: front, held } = this.state;
    if (front !== undefined && sameId(front.ticketId, ticket.ticketId)) {
      if (ticket.version >= front.version || ticket.state !== TicketState.OPEN) this.show(ticket);
    } else if (held.some((one) => sameId(one.ticketId, ticket.ticketId))) {
      const others = held.filter((one) => !sameId(one.ticketId, ticket.ticketId));
      this.set({ held: ticket.state === TicketState.OPEN ? [ticket, ...others] : others });
      if (ticket.state === TicketState.SOLD) this.ends?.(`The ticket on hold over ${this.words(ticket.due)} is paid: receipt ${ticket.receipt}.`);
    }
  }

  /** The ticket as the box has it, whatever became of it. */
  private show(ticket: TicketView | undefined, newest?: number): void {
    if (ticket === undefined) return;
    const front = this.state.ticket;
    // News that was under way while a command was answered is older than the answer.
    if (front !== undefined && sameId(front.ticketId, ticket.ticketId) && ticket.version < front.version && ticket.state === TicketState.OPEN) return;
    if (ticket.state === TicketState.OPEN) this.front(ticket, newest);
    else if (ticket.state === TicketState.CANCELLED) this.aside();
    else if (this.state.done === undefined || !sameId(this.state.done.ticket.ticketId, ticket.ticketId)) this.finish(ticket);
  }

  private front(ticket: TicketView, newest = this.state.newest): void {
    const before = this.state.ticket?.card?.state;
    this.set({ ticket, newest });
    this.memory.set(hex(ticket.ticketId));
    const card = ticket.card;
    if (card !== undefined && card.state !== before) {
      this.set({ said: card.words });
      if (isUnderWay(ticket)) void this.lookAtCard();
    }
  }

  private aside(): void {
    this.set({ ticket: undefined, newest: undefined });
    this.memory.set(null);
  }

  private finish(ticket: TicketView, give = ticket.change): void {
    const returned = ticket.state === TicketState.RETURNED;
    // A return is a ticket of its own: what was in front stays in front.
    if (!returned) this.aside();
    this.doneAtMs = performance.now();
    const said = returned ? `Give back ${this.words(give)}.` : `Paid. Change ${this.words(give)}.`;
    this.set({ done: { ticket, give, paper: undefined }, refusal: undefined, said });
    void this.fetchPaper(ticket, give);
  }

  private async fetchPaper(ticket: TicketView, give: Money | undefined): Promise<void> {
    try {
      const { text } = await this.ask((options) => this.register.getReceipt({ receipt: ticket.receipt }, options));
      if (this.state.done !== undefined && sameId(this.state.done.ticket.ticketId, ticket.ticketId)) this.set({ done: { ticket, give, paper: text } });
    } catch {
      // The preview is a comfort; the sale stands and its number is on the screen.
    }
  }

  private looking = false;
  /** Beside the news: a card under way is looked at until it has ended. */
  private async lookAtCard(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      for (;;) {
        await this.wait(CARD_LOOK_MS);
        const { ticket, held } = this.state;
        const waiting = (ticket === undefined ? held : [ticket, ...held]).filter(isUnderWay);
        if (waiting.length === 0) return;
        for (const { ticketId } of waiting) {
          const answer = await this.ask((options) => this.register.getTicket({ ticketId }, options));
          if (answer.ticket !== undefined) this.heard(answer.ticket);
        }
      }
    } catch (error) {
      this.refused(error);
    } finally {
      this.looking = false;
    }
  }

  private refused(error: unknown, scanned?: string): void {
    const what = error instanceof Refused ? error.trouble : trouble(error);
    this.refuse(what.sentence, what.code, scanned);
  }

  private refuse(sentence: string, code: string, scanned: string | undefined): void {
    this.set({ refusal: { sentence, code, scanned, count: (this.state.refusal?.count ?? 0) + 1 } });
  }
}

/** Whether the terminal is busy with this ticket, as far as anybody knows. */
export function isUnderWay(ticket: TicketView | undefined): boolean {
  return ticket?.card?.state === CardState.ASKING || ticket?.card?.state === CardState.UNKNOWN;
}

/** A scan that is no item: one of our receipts, which comes back. */
export function wantsReturn(code: string): boolean {
  return isReceipt(code.trim());
}

/** A message without its type's name, as requests take it. */
function plain(money: Money): { minor: bigint; currency: string } {
  return { minor: money.minor, currency: money.currency };
}
