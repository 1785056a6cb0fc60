// A company as the tests need one: head office with its people, shops with their boxes, a till that sells. Everything by the programs'
// own commands, as an operator would; nothing is put into a database by hand.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { folder, hasPages, PROJECT, run, start } from "./programs.ts";
import type { Server } from "./programs.ts";

export const TENANT = "nord";
export const COMPANY = "Nord & Sons";
export const USER = "mia";
/** Made up here, for these tests only. */
export const PASSWORD = "only for these tests";

export type Item = { sku: string; name: string; codes: string[]; price: number };

/** The range of the demo's clothing shop. */
export function range(): Item[] {
  const file = JSON.parse(readFileSync(join(PROJECT, "installer/seed/clothing/catalog.json"), "utf8")) as { items: Item[] };
  return file.items;
}

export class Office {
  readonly home: string;
  readonly remove: () => void;
  private server: Server | undefined;
  private boxes: Box[] = [];

  private constructor() {
    const made = folder();
    this.home = made.path;
    this.remove = made.remove;
  }

  /** Head office with one company, one user and a catalog; running. */
  static async open(): Promise<Office> {
    const office = new Office();
    try {
      await office.tool("tenant", "add", "--tenant", TENANT, "--name", COMPANY);
      const password = office.write("password", PASSWORD);
      await office.tool("user", "add", "--tenant", TENANT, "--user", USER, "--password-file", password);
      await office.tool("catalog", "import", "--tenant", TENANT, join(PROJECT, "installer/seed/clothing/catalog.json"));
      await office.start();
      await hasPages(office.origin);
    } catch (error) {
      await office.close();
      throw error;
    }
    return office;
  }

  /** Where the portal is. */
  get origin(): string {
    const http = this.server?.ready.http;
    if (http === undefined) throw new Error("head office does not run");
    return http;
  }

  log(): string {
    return this.server?.log() ?? "";
  }

  async start(): Promise<void> {
    const nats = this.server?.ready.nats?.replace("nats://", "") ?? "127.0.0.1:0";
    this.server = await start("hq-aggregator", ["run", "--data", this.data, "--http", "127.0.0.1:0", "--nats-listen", nats]);
  }

  private get data(): string {
    return join(this.home, "hq");
  }

  tool(...words: string[]): Promise<string> {
    return run("hq-aggregator", [...words, "--data", this.data]);
  }

  write(name: string, text: string): string {
    const path = join(this.home, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  /** Lets a shop in, sets up its box and starts it. A currency of its own needs prices of its own: the same amounts here. */
  async addShop(store: string, name: string, zone: string, currency = "EUR"): Promise<Box> {
    const joining = join(this.home, `${store}.join`);
    await this.tool("store", "add", "--tenant", TENANT, "--store", store, "--name", name, "--join", joining);
    const box = new Box(this, store);
    await box.found(name, zone, currency, joining);
    await box.start();
    this.boxes.push(box);
    return box;
  }

  /** A shop of which nothing was ever heard. */
  async announceShop(store: string, name: string): Promise<void> {
    await this.tool("store", "add", "--tenant", TENANT, "--store", store, "--name", name, "--join", join(this.home, `${store}.join`));
  }

  async close(): Promise<void> {
    try {
      await Promise.all(this.boxes.map((box) => box.stop()));
      await this.server?.stop();
    } finally {
      this.remove();
    }
  }
}

/** The box of one shop, with one register. */
export class Box {
  private readonly office: Office;
  readonly store: string;
  private server: Server | undefined;
  private address: string | undefined;

  constructor(office: Office, store: string) {
    this.office = office;
    this.store = store;
  }

  private path(name: string): string {
    const here = join(this.office.home, `box-${this.store}`);
    mkdirSync(here, { recursive: true });
    return join(here, name);
  }

  async found(name: string, zone: string, currency: string, joining: string): Promise<void> {
    const seed = (file: string) => join(PROJECT, "installer/seed/clothing", file);
    const catalog = this.path("catalog.json");
    writeFileSync(catalog, JSON.stringify({ ...(JSON.parse(readFileSync(seed("catalog.json"), "utf8")) as object), currency }));
    const words = ["init", "--data", this.path("data"), "--tenant", TENANT, "--store", this.store, "--name", name, "--zone", zone];
    const files = ["--catalog", catalog, "--stock", seed("stock.json"), "--staff", seed("staff.json"), "--join", joining];
    await run("store-server", [...words, "--currency", currency, ...files]);
  }

  async start(): Promise<void> {
    this.server = await start("store-server", ["run", "--data", this.path("data"), "--grpc", this.address ?? "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    // Registers have written it down, so it stays.
    this.address = this.server.ready.grpc?.replace(/^https?:\/\//, "");
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  /** Pairs a register, signs a cashier in and opens the drawer's shift. */
  async openRegister(): Promise<void> {
    const paired = JSON.parse(await run("store-server", ["pair", "--data", this.path("data")])) as { pairing_code: string };
    await this.till("enrol", "--box", `http://${this.address ?? ""}`, "--code", paired.pairing_code, "--register", "r1");
    const staff = JSON.parse(readFileSync(join(PROJECT, "installer/seed/clothing/staff.json"), "utf8")) as { id: string; pin: string }[];
    const cashier = staff[0];
    if (cashier === undefined) throw new Error("the demo's staff file is empty");
    await run("till", ["sign-in", "--staff", cashier.id, "--pin-env", "TILL_PIN", "--state", this.path("till")], { TILL_PIN: cashier.pin });
    await this.till("open", "--float", "100.00");
  }

  /** Sells these for the exact cash. */
  async sell(...codes: string[]): Promise<void> {
    await this.till("sell", ...codes.flatMap((code) => ["--scan", code]), "--cash", "exact");
  }

  async takeBack(receipt: string): Promise<void> {
    await this.till("return", receipt);
  }

  till(...words: string[]): Promise<string> {
    return run("till", [...words, "--state", this.path("till")]);
  }
}
