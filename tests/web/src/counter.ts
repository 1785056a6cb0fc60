// A counter with its machines, as programs that speak real bytes, and what a page's traffic proves. Owns the tags' names, the knobs, and
// the log of commands; no judgement.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";

import type { Page, Request } from "playwright-core";

import { start } from "./programs.ts";
import type { Ready, Server } from "./programs.ts";

type Machine = { device: string; address: string; control: string; ledger: string };
export type Kind = "printer" | "terminal" | "scanner" | "reader";
type CounterReady = Ready & { devices: Record<Kind, Machine> };

export class Counter {
  private readonly server: Server;
  readonly machines: Record<Kind, Machine>;

  private constructor(server: Server) {
    this.server = server;
    this.machines = (server.ready as CounterReady).devices;
  }

  static async open(folder: string, paper: string, tags: string): Promise<Counter> {
    const words = ["counter", "--ledgers", folder, "--paper-dir", paper, "--prefix", "r1-", "--reader", "reader", "--tags", tags];
    return new Counter(await start("simulate", words));
  }

  /** Turns a knob of one machine; what it answers. */
  turn(kind: Kind, line: string): Promise<Record<string, unknown>> {
    const [host, port] = this.machines[kind].control.split(":");
    return new Promise((done, failed) => {
      const socket = connect(Number(port), host ?? "127.0.0.1", () => socket.write(`${line}\n`));
      socket.once("error", failed);
      createInterface({ input: socket }).once("line", (answer) => {
        socket.end();
        const said = JSON.parse(answer) as Record<string, unknown>;
        if (said.ok === true) done(said);
        else failed(new Error(`${kind}: ${line}: ${answer}`));
      });
    });
  }

  /** What a machine wrote down, of one event. */
  ledger(kind: Kind, event: string): Record<string, unknown>[] {
    return jsonLines(this.machines[kind].ledger).filter((line) => line.event === event);
  }

  async close(): Promise<void> {
    await this.server.stop();
  }
}

export function jsonLines(path: string): Record<string, unknown>[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The 96 bits of an item's tag as hexadecimal: SGTIN-96 with a company prefix of seven digits. */
export function tag(gtin13: string, serial: number): string {
  const bits =
    (0x30n << 88n) |
    (1n << 85n) |
    (5n << 82n) |
    (BigInt(gtin13.slice(0, 7)) << 58n) |
    // The indicator digit of a piece is 0; it stands before the item's own digits.
    (BigInt(gtin13.slice(7, 12)) << 38n) |
    BigInt(serial);
  return bits.toString(16).padStart(24, "0");
}

/** Writes down each command a page asks and each answer it reads, in the form all clients use. */
export function keepLog(page: Page, path: string): void {
  const write = (line: object) => appendFileSync(path, `${JSON.stringify(line)}\n`);
  page.on("request", (request) => {
    const command = commandOf(request);
    const at = new Date().toISOString();
    if (command !== undefined) write({ asked: at, command_id: command.id, at, call: command.call, result: null });
  });
  page.on("requestfinished", (request) => {
    const command = commandOf(request);
    if (command === undefined) return;
    void isOk(request).then((ok) => {
      const at = new Date().toISOString();
      write({ acked: at, command_id: command.id, at, call: command.call, result: { ok } });
    });
  });
}

type Command = { id: string; call: string };

function commandOf(request: Request): Command | undefined {
  const path = new URL(request.url()).pathname;
  const body = request.postDataBuffer();
  if (request.method() !== "POST" || body === null) return undefined;
  if (path.startsWith("/session/")) {
    const said = JSON.parse(body.toString("utf8")) as { command_id?: string };
    return said.command_id === undefined ? undefined : { id: said.command_id, call: path.slice("/session/".length) };
  }
  // A frame of gRPC-web: a flag, four bytes of length, the message. A command is the message's first field, its id the first of that.
  const begin = [0x0a, 0x12, 0x0a, 0x10];
  if (!path.startsWith("/backroom.") || begin.some((byte, at) => body[5 + at] !== byte)) return undefined;
  const call = path.split("/").pop() ?? "";
  // Its id only tells a repeated question from a second one: a count that is begun is no fact, one that is kept is.
  if (call === "StartCount") return undefined;
  const hex = body.subarray(9, 25).toString("hex");
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  return { id, call };
}

async function isOk(request: Request): Promise<boolean> {
  const answer = await request.response();
  if (answer?.ok() !== true) return false;
  if (new URL(request.url()).pathname.startsWith("/session/")) return true;
  if (answer.headers()["grpc-status"] !== undefined) return answer.headers()["grpc-status"] === "0";
  const body = await answer.body().catch(() => Buffer.alloc(0));
  return /grpc-status: ?0/.test(body.toString("latin1"));
}
