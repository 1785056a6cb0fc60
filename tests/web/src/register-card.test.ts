// Paying by card and printing, in a browser, at machines that speak their real bytes. What the machines do among themselves is tested
// where they live; here a cashier watches.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { checkAxe, launch, shot, visit } from "./browser.ts";
import type { Visit } from "./browser.ts";
import { eventually } from "./programs.ts";
import { Machine, scan, Shop, TEE } from "./register-shop.ts";

let browser: Browser;
let terminal: Machine;
let printer: Machine;
let shop: Shop;
let visited: Visit;
let page: Page;
const folder = mkdtempSync(join(tmpdir(), "backroom-paper-"));
const ledger = join(folder, "printer.jsonl");

before(async () => {
  [browser, terminal, printer] = await Promise.all([
    launch(),
    Machine.start("terminal", "r1-terminal", ["--think-ms", "1500"]),
    Machine.start("printer", "r1-printer", ["--ledger", ledger, "--drawer-closes-after", "200"]),
  ]);
  shop = await Shop.open(
    [],
    [
      { name: "r1-terminal", kind: "terminal", register: "r1", address: terminal.address },
      { name: "r1-printer", kind: "printer", register: "r1", address: printer.address },
    ],
  );
  visited = await visit(browser, shop.origin, "light", { viewport: { width: 1024, height: 768 } });
  ({ page } = visited);
  await shop.sell(page);
  await page.getByText("Card terminal: ready").waitFor();
  await page.getByText("Printer: ready").waitFor();
});
after(async () => {
  await browser.close();
  await shop.close();
  await Promise.all([terminal.stop(), printer.stop()]);
  rmSync(folder, { recursive: true });
});

const card = () => page.getByRole("region", { name: "Card", exact: true }).getByRole("button");
const printed = (): { event: string; text?: string }[] =>
  readFileSync(ledger, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { event: string; text?: string });

async function toPayment(): Promise<void> {
  await scan(page, TEE.code);
  await page.getByRole("button", { name: `Take off ${TEE.name}` }).waitFor();
  await page.keyboard.press("F8");
  await card().waitFor();
}

async function nextSale(): Promise<void> {
  await eventually("the next sale", async () => {
    await page.keyboard.press("Enter");
    return (await page.getByText("Scan the first item").count()) > 0 ? true : undefined;
  });
}

test("a card is paid step by step, and the receipt comes out of the printer once and again as a copy", async () => {
  await toPayment();
  await card().click();
  await page.getByRole("region", { name: "Card payment" }).waitFor();
  await checkAxe(page);
  await shot(page, "register-card-asking", false);
  await page.getByRole("heading", { name: "Paid by card" }).waitFor();
  await shot(page, "register-card-done", false);
  await eventually("the receipt is printed", () => Promise.resolve(printed().some((line) => line.event === "print") ? true : undefined));
  await page.getByRole("button", { name: "Print a copy" }).click();
  await eventually("the copy is printed", () => Promise.resolve(printed().filter((line) => line.event === "print").length === 2 ? true : undefined));
  const prints = printed().filter((line) => line.event === "print");
  assert.doesNotMatch(prints[0]?.text ?? "", /COPY/);
  assert.match(prints[1]?.text ?? "", /COPY/);
  await nextSale();
});

test("a declined card leaves the ticket, and cash ends it; the drawer opens", async () => {
  await terminal.turn("next decline");
  await toPayment();
  await card().click();
  await page.getByText("No money was taken by card.").waitFor();
  await checkAxe(page);
  await shot(page, "register-card-declined", false);
  const pulses = printed().filter((line) => line.event === "pulse").length;
  await page.getByRole("button", { name: "Cash €20.00" }).click();
  await page.getByRole("heading", { name: "Change" }).waitFor();
  await eventually("the drawer opens", () => Promise.resolve(printed().filter((line) => line.event === "pulse").length > pulses ? true : undefined));
  await nextSale();
});

test("a part in cash, the rest by card", async () => {
  await toPayment();
  await page.keyboard.type("5", { delay: 80 });
  await page.keyboard.press("Enter");
  await page.getByText("Still to pay").waitFor();
  await page.getByText("€14.90").first().waitFor();
  await shot(page, "register-card-split", false);
  await card().click();
  await page.getByRole("heading", { name: "Paid by card" }).waitFor();
  await nextSale();
});

test("a payment that is cancelled at the register takes no money", async () => {
  await terminal.turn("think 20000");
  await toPayment();
  await card().click();
  await page.getByRole("region", { name: "Card payment" }).waitFor();
  // What the customer agreed to pay does not grow behind the terminal's back.
  await scan(page, TEE.code);
  await page.getByText("Not scanned: a card is being asked for").waitFor();
  await page.getByRole("button", { name: "Cancel the card" }).click();
  await page.getByText("No money was taken by card.").waitFor();
  await terminal.turn("think 1500");
  await card().click();
  await page.getByRole("heading", { name: "Paid by card" }).waitFor();
  await nextSale();
});

test("a line that breaks in the middle is asked about, never called declined, and ends by itself", async () => {
  await terminal.turn("drop before-completion once");
  await toPayment();
  await card().click();
  await page.getByRole("region", { name: "Card payment" }).waitFor();
  // It can not be reached again until it has been seen on the screen.
  await terminal.turn("refuse on");
  await page.getByRole("heading", { name: "Asking the terminal" }).waitFor();
  assert.equal(await page.getByText(/declined/i).count(), 0);
  await checkAxe(page);
  await shot(page, "register-card-unknown", false);
  await terminal.turn("refuse off");
  await page.getByRole("heading", { name: "Paid by card" }).waitFor();
  await nextSale();
  await visited.end();
});
