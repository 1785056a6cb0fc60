// The console in a browser, against the real box: who lives there, and that one who is struck down is seen to come back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser } from "playwright-core";

import { checkAxe, launch, noSidewaysScroll, SCHEMES, shot, targetsAtLeast, visit } from "./browser.ts";
import { Shop } from "./register-shop.ts";

let browser: Browser;
let shop: Shop;
before(async () => {
  [browser, shop] = await Promise.all([launch(), Shop.open(["--allow-faults"])]);
});
after(async () => {
  await browser.close();
  await shop.close();
});

test("an actor is struck down after a question, and is seen to come back without a reload", async () => {
  const { page, end } = await visit(browser, shop.origin);
  await page.goto("/console");
  const catalog = page.getByRole("row", { name: /^catalog/ });
  await catalog.getByText("running").waitFor();
  await page.getByRole("button", { name: "Strike catalog down" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave it alone" }).click();
  assert.match(await catalog.innerText(), /\b0\b/);
  await page.getByRole("button", { name: "Strike catalog down" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Strike it down" }).click();
  await catalog.getByText("1 (1 this hour)").waitFor();
  await catalog.getByText("back again").waitFor();
  await shot(page, "console-back-again");
  await page.getByLabel(/Only trouble/).check();
  await page.getByRole("row", { name: /^journal/ }).waitFor({ state: "hidden" });
  assert.ok(await catalog.isVisible());
  await end();
});

test("a box that does not allow faults offers no way to cause one", async () => {
  const safe = await Shop.open();
  const { page, end } = await visit(browser, safe.origin);
  await page.goto("/console");
  await page.getByRole("row", { name: /^journal/ }).waitFor();
  assert.equal(await page.getByRole("button", { name: /Strike/ }).count(), 0);
  await end();
  await safe.close();
});

for (const scheme of SCHEMES) {
  test(`the console is for everybody and fits its screen, ${scheme}`, async () => {
    const { page, end } = await visit(browser, shop.origin, scheme);
    await page.goto("/console");
    await page.getByRole("row", { name: /^journal/ }).waitFor();
    await checkAxe(page);
    await noSidewaysScroll(page);
    await targetsAtLeast(page, 44);
    await shot(page, `console-${scheme}`);
    await page.getByRole("button", { name: "Strike stock down" }).click();
    await page.getByRole("dialog").waitFor();
    await checkAxe(page);
    await shot(page, `console-strike-${scheme}`);
    await end();
  });
}
