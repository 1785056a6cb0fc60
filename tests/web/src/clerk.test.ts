// Counting a shelf in a browser, with a reader that speaks LLRP: tags come in, the count is kept, one is taken away and is missing.
import assert from "node:assert/strict";
import { readFileSync, rmSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Browser } from "playwright-core";

import { checkAxe, launch, noSidewaysScroll, shot, targetsAtLeast, visit } from "./browser.ts";
import { Machine, scan, Shop, signIn, TEE } from "./register-shop.ts";

const TAGS = 120;
/** Tags of the shirt that `TEE` is, each with a serial number of its own. */
const tags = Array.from({ length: TAGS }, (_, serial) => `urn:epc:id:sgtin:9521234.000001.${serial + 1}`);
const STRANGER = "E2801160600002054E1A0B1C";

let browser: Browser;
let reader: Machine;
let shop: Shop;
const folder = mkdtempSync(join(tmpdir(), "backroom-shelf-"));
before(async () => {
  const shelf = join(folder, "shelf");
  writeFileSync(shelf, [...tags, STRANGER].join("\n"));
  [browser, reader] = await Promise.all([launch(), Machine.start("reader", "door", ["--tags", shelf, "--rate", "400"])]);
  shop = await Shop.open([], [{ name: "door", kind: "reader", address: reader.address }]);
});
after(async () => {
  await browser.close();
  await shop.close();
  await reader.stop();
  rmSync(folder, { recursive: true });
});

test("a shelf is counted and kept; the next count says what is missing, and what the till sold is told apart", async () => {
  const { page, end } = await visit(browser, shop.origin, "light", { acceptDownloads: true });
  const number = page.getByRole("region", { name: "Tags" }).locator("p").first();
  const counted = async (many: number) => page.getByRole("region", { name: "Tags" }).getByText(many.toLocaleString("en-GB"), { exact: true }).waitFor();
  await page.goto("/clerk");
  await shop.pair(page, "hand-1");
  await signIn(page);
  await page.getByText("door").waitFor();
  await checkAxe(page);
  await noSidewaysScroll(page);
  await shot(page, "clerk-start");
  await page.getByLabel("Name of the place").fill("shelf-1");
  await page.getByRole("button", { name: "Start counting" }).click();
  await counted(TAGS + 1);
  await checkAxe(page);
  await noSidewaysScroll(page);
  await targetsAtLeast(page, 44);
  await shot(page, "clerk-count");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Read on" }).waitFor();
  await page.reload();
  await counted(TAGS + 1);
  await page.getByRole("button", { name: "Keep the count" }).click();
  await page.getByRole("button", { name: /^Keep 121 tags/ }).click();
  await page.getByText("Kept with 121 tags").waitFor();

  // Two shirts leave the shelf; one of them over the counter, by the code that names this very piece.
  const till = await visit(browser, shop.origin);
  await shop.sell(till.page);
  await scan(till.page, `010${TEE.code}211`);
  await till.page.getByRole("button", { name: `Take off ${TEE.name}` }).waitFor();
  await till.page.keyboard.press("F8");
  await till.page.getByRole("button", { name: /^Exact/ }).click();
  await till.page.getByRole("heading", { name: "Paid, no change" }).waitFor();
  await till.end();
  await reader.turn(`tags remove ${tags[0] ?? ""} ${tags[1] ?? ""}`);

  await page.getByRole("button", { name: "Next place" }).click();
  await page.getByRole("button", { name: /shelf-1/ }).click();
  await counted(TAGS - 1);
  await page.getByRole("button", { name: "Missing 2" }).click();
  await page.getByRole("region", { name: "Missing, explained" }).getByText("r1/1/1").waitFor();
  await page.getByText("1 of them explained").waitFor();
  assert.equal(await page.getByRole("region", { name: "Missing, and nobody knows why" }).getByRole("listitem").count(), 1);
  await checkAxe(page);
  await shot(page, "clerk-missing");
  await page.getByRole("button", { name: "Unknown 1" }).click();
  await page.getByText("No item of this shop", { exact: true }).waitFor();

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as CSV" }).click()]);
  const csv = readFileSync(await download.path(), "utf8");
  assert.equal(download.suggestedFilename(), "count-shelf-1.csv");
  assert.match(csv, /^kind,sku,name,/);
  assert.equal(csv.split("\r\n").filter((row) => row.startsWith("missing,TEE-BLK-S")).length, 2);

  await page.getByRole("button", { name: "Drop", exact: true }).click();
  await page.getByRole("button", { name: "Go on counting" }).click();
  assert.equal(await number.innerText(), String(TAGS - 1));
  await page.getByRole("button", { name: "Drop", exact: true }).click();
  await page.getByRole("button", { name: "Drop it" }).click();
  await page.getByRole("heading", { name: "Count with a reader" }).waitFor();
  await end();
});

test("the count is for everybody in the dark too", async () => {
  const { page, end } = await visit(browser, shop.origin, "dark");
  await page.goto("/clerk");
  await shop.pair(page, "hand-2");
  await signIn(page);
  await page.getByText("door").waitFor();
  await checkAxe(page);
  await page.getByRole("button", { name: /shelf-1/ }).click();
  await page.getByText("new per second").waitFor();
  await checkAxe(page);
  await noSidewaysScroll(page);
  await shot(page, "clerk-count-dark");
  await end();
});
