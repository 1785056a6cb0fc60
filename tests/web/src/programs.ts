// The built programs as the tests start them: found, run, awaited, and ended with the test. Owns processes and their folders, no pages.
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const PROJECT = resolve(import.meta.dirname, "..", "..", "..");

const READY_WITHIN_MS = 60_000;
const COMMAND_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;

/** Where cargo left a program. `BACKROOM_BIN` names another folder, such as that of a release. */
export function program(name: string): string {
  const folder = process.env.BACKROOM_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(PROJECT, "target"), "debug");
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`${path} is not there; run: cargo build --workspace --bins`);
  return path;
}

/** Runs a command to its end and hands back what it printed. */
export function run(name: string, words: string[], env: Record<string, string> = {}): Promise<string> {
  return new Promise((done, failed) => {
    const options = { timeout: COMMAND_WITHIN_MS, env: { ...process.env, ...env }, maxBuffer: 64 << 20 };
    execFile(program(name), words, options, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else failed(new Error(`${name} ${words.slice(0, 2).join(" ")} failed: ${stderr || stdout || error.message}`));
    });
  });
}

/** What a server says of itself when it is ready; addresses are URLs. */
export type Ready = { name: string; pid: number; http?: string; grpc?: string; nats?: string };

export type Server = {
  ready: Ready;
  /** Its log so far. */
  log: () => string;
  stop: () => Promise<void>;
};

/** Starts a server and waits for its ready line. */
export function start(name: string, words: string[], env: Record<string, string> = {}): Promise<Server> {
  const child = spawn(program(name), words, { env: { ...process.env, NO_COLOR: "1", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  return new Promise((done, failed) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      failed(new Error(`${name} was not ready in time:\n${log}`));
    }, READY_WITHIN_MS);
    child.once("error", failed);
    child.once("exit", (code, signal) => {
      clearTimeout(late);
      failed(new Error(`${name} ended (${code ?? signal ?? "?"}) before it was ready:\n${log}`));
    });
    createInterface({ input: child.stdout }).once("line", (line) => {
      clearTimeout(late);
      done({ ready: JSON.parse(line) as Ready, log: () => log, stop: () => stop(child, name) });
    });
  });
}

function stop(child: ChildProcess, name: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done, failed) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      failed(new Error(`${name} did not stop within ${STOP_WITHIN_MS / 1000} seconds`));
    }, STOP_WITHIN_MS);
    child.once("exit", () => {
      clearTimeout(late);
      done();
    });
    child.kill("SIGTERM");
  });
}

/** Fails early, with what to do, when a program was built before its pages were. */
export async function hasPages(origin: string, path = "/"): Promise<void> {
  const answer = await fetch(new URL(path, origin));
  if (answer.status === 503) throw new Error(`the pages are not in the program at ${origin}; run: npm run build && cargo build --workspace --bins`);
}

/** A folder that goes with the test. */
export function folder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "backroom-pages-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const LOOK_EVERY_MS = 50;

/** Asks until the answer is there; fails with `what` when the deadline passes. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, withinMs = 30_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`it did not come about within ${withinMs / 1000} seconds: ${what}`);
    await new Promise((tick) => setTimeout(tick, LOOK_EVERY_MS));
  }
}
