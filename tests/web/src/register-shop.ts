// A box for the tests of its pages: founded with the clothing of the demo, run as the real program, and a register that is paired and
// signed in the way a person does it. Owns no judgement.
import { connect } from "node:net";
import { join } from "node:path";

import type { Page } from "playwright-core";

import { folder, PROJECT, run, start } from "./programs.ts";
import type { Server } from "./programs.ts";

const SEED = join(PROJECT, "installer", "seed", "clothing");
export const CASHIER = { staff: "s101", name: "Cashier One", pin: "4711" };
/** What a scanner reads from items of the seed, and what they cost. */
export const TEE = { code: "9521234000013", name: "T-shirt organic cotton black S", price: "€19.90" };
export const OTHER_TEE = { code: "9521234000020", name: "T-shirt organic cotton black M", price: "€19.90" };
/** A right number that nothing carries. */
export const NOTHING = "4000000000006";

export class Shop {
  private readonly place = folder();
  private server: Server | undefined;
  private addresses: { grpc: string; http: string } | undefined;
  private readonly more: string[];

  /** `more` are further words for `store-server run`, such as `--allow-faults`. */
  private constructor(more: string[]) {
    this.more = more;
  }

  /** A shop that is open for business, with the machines that stand in it. */
  static async open(more: string[] = [], machines: { name: string; kind: string; register?: string; address: string }[] = []): Promise<Shop> {
    const shop = new Shop(more);
    const seed = (name: string) => join(SEED, `${name}.json`);
    const who = ["--tenant", "thread", "--store", "berlin", "--name", "Thread Berlin", "--zone", "Europe/Berlin", "--currency", "EUR"];
    await run("store-server", ["init", "--data", shop.data, ...who, "--catalog", seed("catalog"), "--stock", seed("stock"), "--staff", seed("staff")]);
    for (const { name, kind, register, address } of machines) {
      const counter = register === undefined ? [] : ["--register", register];
      await run("store-server", ["devices", "add", "--data", shop.data, "--name", name, "--kind", kind, "--address", address, ...counter]);
    }
    await shop.start();
    return shop;
  }

  get data(): string {
    return join(this.place.path, "data");
  }

  /** The only place its pages may ask. */
  get origin(): string {
    if (this.addresses === undefined) throw new Error("the box was never started");
    return `http://${this.addresses.http}`;
  }

  /** Starts the box; after the first time on the ports its pages know. */
  async start(): Promise<void> {
    const { grpc, http } = this.addresses ?? { grpc: "127.0.0.1:0", http: "127.0.0.1:0" };
    this.server = await start("store-server", ["run", "--data", this.data, "--grpc", grpc, "--http", http, ...this.more]);
    const { ready } = this.server;
    if (ready.grpc === undefined || ready.http === undefined) throw new Error("the ready line names no addresses");
    this.addresses = { grpc: new URL(ready.grpc).host, http: new URL(ready.http).host };
  }

  /** Ends it without a word, as a power cut does. */
  kill(): void {
    if (this.server !== undefined) process.kill(this.server.ready.pid, "SIGKILL");
    this.server = undefined;
  }

  async close(): Promise<void> {
    await this.server?.stop();
    this.place.remove();
  }

  private async pairingCode(): Promise<string> {
    const said = JSON.parse(await run("store-server", ["pair", "--data", this.data])) as { pairing_code: string };
    return said.pairing_code;
  }

  /** This page becomes a register. */
  async pair(page: Page, register = "r1"): Promise<void> {
    await page.getByLabel("Pairing code").fill(await this.pairingCode());
    await page.getByLabel("Name of this register").fill(register);
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  }

  /** From a page nobody knows to a register that sells, with 100.00 in its drawer. */
  async sell(page: Page, register = "r1"): Promise<void> {
    await page.goto("/");
    await this.pair(page, register);
    await signIn(page);
    await page.getByLabel("Cash in the drawer").fill("100");
    await page.keyboard.press("Enter");
    await page.getByText("Scan the first item").waitFor();
  }
}

export async function signIn(page: Page): Promise<void> {
  const number = page.getByLabel("Your number");
  const one = page.getByRole("radio", { name: CASHIER.name });
  await number.or(one).first().waitFor();
  if ((await one.count()) > 0) await one.check();
  else await number.fill(CASHIER.staff);
  await page.getByLabel("PIN", { exact: true }).fill(CASHIER.pin);
  await page.keyboard.press("Enter");
}

/** What a keyboard wedge does: the digits at once, then Enter, wherever the focus is. */
export async function scan(page: Page, code: string): Promise<void> {
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
}

/** A simulated machine: a real listener that speaks its real bytes. */
export class Machine {
  private readonly server: Server;
  readonly address: string;
  private readonly control: string;

  private constructor(server: Server, said: { address: string; control: string }) {
    this.server = server;
    this.address = said.address;
    this.control = said.control;
  }

  static async start(kind: "printer" | "terminal" | "reader", device: string, more: string[] = []): Promise<Machine> {
    const server = await start("simulate", [kind, "--device", device, ...more]);
    return new Machine(server, server.ready as unknown as { address: string; control: string });
  }

  /** Turns a knob, such as `next decline 78`. */
  turn(knob: string): Promise<void> {
    const [host, port] = this.control.split(":");
    return new Promise((done, failed) => {
      const line = connect(Number(port), host, () => line.write(`${knob}\n`));
      line.setEncoding("utf8").once("data", (answer: string) => {
        line.end();
        if (answer.includes('"error"')) failed(new Error(`${knob}: ${answer}`));
        else done();
      });
      line.once("error", failed);
    });
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
