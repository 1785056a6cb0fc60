// Head office's REST interface as the pages ask it. Owns the words of its answers and how a refusal reaches a person; shows nothing.

export type Session = { tenant: string; company: string; user: string; expires_at: string | null };

export type Trade = { currency: string; sales: number; returns: number; due: number; net: number; tax: number; sold: number };
export type Hour = { hour: number; currency: string; sales: number; returns: number; due: number };

/** A shop's today, by its own clock; `day` is null while nothing was heard of it. */
export type ShopToday = {
  store: string;
  name: string;
  connected: boolean;
  last_seen: string | null;
  waiting: number;
  unread: number;
  quarantine: number;
  held_to: string | null;
  zone: string | null;
  currency: string | null;
  day: string | null;
  day_before: string | null;
  /** The hour at which its business day begins. */
  first_hour: number;
  today: Trade[];
  before_by_now: Trade[];
  before: Trade[];
  hours: Hour[];
  hours_before: Hour[];
};
export type Today = { at: string; stores: ShopToday[] };

export type Store = {
  store: string;
  name: string;
  connected: boolean;
  last_seen: string | null;
  epoch: number;
  head: number;
  held: number;
  applied: number;
  lag_entries: number;
  directives_through: number;
  directives_pending: number;
  quarantine: number;
  zone: string | null;
  currency: string | null;
  held_to: string | null;
};

export type Sale = {
  store: string;
  epoch: number;
  seq: number;
  receipt: string;
  end: string;
  at: string;
  business_day: string;
  till: string;
  net: number;
  tax: number;
  cash_rounding: number;
  due: number;
  currency: string;
};
export type Sales = { sales: Sale[]; next_cursor: string | null };

export type DayTotals = {
  currency: string;
  sales: number;
  returns: number;
  net: number;
  tax: number;
  cash_rounding: number;
  due: number;
  taxes: { tax_class: string; rate: string; net: number; tax: number }[];
};
export type Daily = { day: string; store: string | null; totals: DayTotals[] };

export type TicketLine = {
  line: number;
  sku: string;
  name: string;
  code: string;
  /** Thousandths: 1000 is one piece. */
  quantity: number;
  unit_price: number;
  amount: number;
  tax_class: string;
  rate: string;
  voided: unknown;
};
export type SaleDetail = {
  store: string;
  at: string;
  business_day: string;
  zone: string | null;
  staff: string | null;
  hash: string;
  receipt: string | null;
  original: string | null;
  ticket: {
    end: string;
    register: string;
    till: string;
    currency: string;
    lines: TicketLine[];
    taxes: { tax_class: string; rate: string; net: number; tax: number }[];
    net: number;
    tax: number;
    cash_rounding: number;
    due: number;
    tenders: { tender: string; amount: number }[];
    change: number;
  };
};

export type PriceChange = { store: string; directive: number; price: number; effective_at: string; state: string };
export type Product = {
  sku: string;
  name: string;
  codes: string[];
  tax_class: string;
  price: number;
  currency: string;
  changes: PriceChange[];
};
export type Products = { products: Product[]; next_cursor: string | null };
export type PriceOrder = {
  store: string;
  directive: number;
  price: number;
  effective_at: string;
  ordered_by: string | null;
  ordered_at: string;
  state: "pending" | "followed" | "refused";
  why: string | null;
};
export type ProductDetail = { product: Product; orders: PriceOrder[] };

/** A refusal, with the sentence that head office gave for it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;

  constructor(status: number, code: string, detail: string, requestId?: string) {
    super(detail);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/** Told when a session has run out, so that the page can ask for the password again. */
type Listener = () => void;
let signedOut: Listener = () => undefined;
export function onSignedOut(listener: Listener): void {
  signedOut = listener;
}

/** Asks, and hands back the answer or throws a {@link Refusal}. The cookie goes along by itself; the header says that it is our own page. */
export async function ask<T>(method: string, path: string, body?: unknown, more: Record<string, string> = {}, stop?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json", "x-backroom-page": "portal", ...more };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (stop !== undefined) init.signal = stop;
    response = await fetch(`/api/v1${path}`, init);
  } catch (error) {
    if (stop?.aborted === true) throw error;
    throw new Refusal(0, "unreachable", "head office does not answer; what is shown may be old. It is asked again by itself");
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  const refusal = await readRefusal(response);
  if (refusal.status === 401 && refusal.code === "not_signed_in") signedOut();
  throw refusal;
}

async function readRefusal(response: Response): Promise<Refusal> {
  try {
    const told = (await response.json()) as { code?: string; detail?: string; request_id?: string };
    if (typeof told.detail === "string") return new Refusal(response.status, told.code ?? "refused", told.detail, told.request_id);
  } catch {
    // Not ours: a proxy's page, say.
  }
  return new Refusal(response.status, "refused", `the answer was ${response.status} ${response.statusText}; try again in a moment`);
}

/** One question, one answer, also when it has to be asked twice. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** "no such item" as "No such item." */
export function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** What went wrong, for a person. */
export function said(error: unknown): string {
  if (error instanceof Refusal) {
    const id = error.status >= 500 && error.requestId !== undefined ? ` The log has it under ${error.requestId}.` : "";
    return sentence(error.message) + id;
  }
  return "Something went wrong on this page; load it again.";
}
