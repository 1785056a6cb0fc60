// The register in a browser, against the real box: what a cashier does with scanner, keyboard and finger, and what happens when the
// box is away. Head office and devices are other tests' matter.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import type { Browser, Page } from "playwright-core";

import { checkAxe, launch, noSidewaysScroll, SCHEMES, shot, targetsAtLeast, visit } from "./browser.ts";
import { eventually } from "./programs.ts";
import { NOTHING, OTHER_TEE, scan, Shop, signIn, TEE } from "./register-shop.ts";

let browser: Browser;
let shop: Shop;
before(async () => {
  [browser, shop] = await Promise.all([launch(), Shop.open()]);
});
after(async () => {
  await browser.close();
  await shop.close();
});

/** A till on a counter: 1024x768, a register of its own. */
async function counter(register: string) {
  const visited = await visit(browser, shop.origin, "light", { viewport: { width: 1024, height: 768 } });
  await shop.sell(visited.page, register);
  return visited;
}

const ticket = (page: Page) => page.getByRole("region", { name: "Ticket", exact: true });
const lines = (page: Page) => ticket(page).getByRole("button", { name: /^Take off / });
const total = (page: Page) => ticket(page).getByLabel(/^Total /);

async function linesAre(page: Page, many: number): Promise<void> {
  await eventually(`${many} lines on the ticket`, async () => ((await lines(page).count()) === many ? true : undefined));
}

test("a scan lands on the ticket from any focus, and typing stays where it is", async () => {
  const { page, end } = await counter("r1");
  await scan(page, TEE.code);
  await linesAre(page, 1);

  await page.getByRole("button", { name: "Return" }).focus();
  await scan(page, OTHER_TEE.code);
  await linesAre(page, 2);
  assert.equal(await page.getByRole("dialog").count(), 0, "Enter of the scan pressed the button that had the focus");

  await page.getByRole("button", { name: new RegExp(`^${TEE.name}`) }).focus();
  await scan(page, TEE.code);
  await linesAre(page, 3);

  const search = page.getByRole("searchbox", { name: "Find an item" });
  await search.fill("cap");
  await search.focus();
  await scan(page, OTHER_TEE.code);
  await linesAre(page, 4);
  assert.equal(await search.inputValue(), "cap", "the scan stayed in the search");
  assert.equal(await total(page).innerText(), "€79.60");

  await search.fill("");
  await page.keyboard.type("hat", { delay: 90 });
  assert.equal(await search.inputValue(), "hat");
  await linesAre(page, 4);
  await end();
});

test("a cash sale takes two presses after the last scan, and the change is the largest text", async () => {
  const { page, end } = await counter("r2");
  await scan(page, TEE.code);
  await linesAre(page, 1);
  await page.getByRole("button", { name: /^Pay.*19\.90/ }).click();
  await page.getByRole("button", { name: "Cash €50.00" }).click();
  await page.getByRole("heading", { name: "Change" }).waitFor();
  const change = page.getByText("€30.10", { exact: true }).first();
  await change.waitFor();
  const sizes = await page.evaluate(() =>
    [...document.querySelectorAll("main *")]
      .filter((one) => one.childElementCount === 0 && one.textContent !== "")
      .map((one) => ({ text: one.textContent, px: Number.parseFloat(getComputedStyle(one).fontSize) })),
  );
  const ofChange = Math.max(...sizes.filter((one) => one.text === "€30.10").map((one) => one.px));
  const ofOthers = Math.max(...sizes.filter((one) => one.text !== "€30.10").map((one) => one.px));
  assert.ok(ofChange > 2 * ofOthers, `the change is ${ofChange} px, something else ${ofOthers} px`);
  assert.match(await page.getByRole("region", { name: /^Receipt r2\/1\/1/ }).innerText(), /TOTAL +19.90/);

  // The next scan is the next sale.
  await scan(page, OTHER_TEE.code);
  await linesAre(page, 1);
  await end();
});

test("a whole sale goes by keyboard alone, with so many of an item and an amount that is typed", async () => {
  const { page, end } = await counter("r3");
  await page.keyboard.type("3*", { delay: 90 });
  await scan(page, TEE.code);
  await linesAre(page, 1);
  assert.equal(await total(page).innerText(), "€59.70");
  await page.keyboard.press("+");
  await page.getByRole("region", { name: "Payment" }).waitFor();
  await page.keyboard.type("100", { delay: 90 });
  await page.keyboard.press("Enter");
  await page.getByText("€40.30", { exact: true }).first().waitFor();
  await eventually("the next sale", async () => {
    await page.keyboard.press("Enter");
    return (await page.getByText("Scan the first item").count()) > 0 ? true : undefined;
  });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).getByText("Take a receipt back").waitFor();
  await end();
});

test("a refused scan stays in sight and offers a way on; the ticket is as it was", async () => {
  const { page, end } = await counter("r4");
  await scan(page, TEE.code);
  await scan(page, NOTHING);
  const alert = page.getByRole("alert").filter({ hasText: NOTHING });
  await alert.waitFor();
  await scan(page, OTHER_TEE.code);
  await linesAre(page, 2);
  assert.ok(await alert.isVisible());
  await alert.getByRole("button", { name: "Find it" }).click();
  await page.keyboard.type("polo", { delay: 80 });
  await eventually("the search has the focus", async () => ((await page.getByRole("searchbox").inputValue()) === "polo" ? true : undefined));
  await linesAre(page, 2);
  await end();
});

test("lines are taken off, tickets are held, recalled and given up only after a question; a reload loses nothing", async () => {
  const { page, end } = await counter("r5");
  await scan(page, TEE.code);
  await scan(page, OTHER_TEE.code);
  await linesAre(page, 2);
  await page.getByRole("button", { name: `Take off ${OTHER_TEE.name}` }).click();
  await linesAre(page, 1);
  await page.reload();
  await linesAre(page, 1);
  assert.equal(await total(page).innerText(), "€19.90");

  await page.getByRole("button", { name: "Hold" }).click();
  await page.getByText("Scan the first item").waitFor();
  await scan(page, OTHER_TEE.code);
  await linesAre(page, 1);
  await page.keyboard.press("F6");
  await page.getByRole("dialog", { name: "Open tickets" }).getByRole("button", { name: new RegExp(TEE.name) }).click();
  await page.getByRole("button", { name: `Take off ${TEE.name}` }).waitFor();

  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Give this ticket up?" }).getByRole("button", { name: "Keep selling" }).click();
  await linesAre(page, 1);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Cancel the ticket" }).click();
  await page.getByText("Scan the first item").waitFor();
  await end();
});

test("a receipt comes back by scanning its code, once; the drawer is counted blind", async () => {
  const { page, end } = await counter("r6");
  await scan(page, TEE.code);
  await linesAre(page, 1);
  await page.keyboard.press("F8");
  await page.getByRole("button", { name: /^Exact/ }).click();
  const paper = page.getByRole("region", { name: /^Receipt r6/ });
  const code = /R-r6-\d+-\d+-\d\d/.exec(await paper.innerText())?.[0];
  assert.ok(code !== undefined);

  for (const again of [false, true]) {
    await scan(page, code);
    const dialog = page.getByRole("dialog", { name: "Take a receipt back" });
    await dialog.getByRole("button", { name: "Find" }).click();
    await dialog.getByRole("button", { name: /^Take all back/ }).click();
    if (again) await dialog.getByRole("alert").filter({ hasText: "already taken back" }).waitFor();
    else await page.getByRole("heading", { name: "Give back" }).waitFor();
  }
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: "Cash in, out or to the safe" }).click();
  await page.getByText("Cash out").click();
  await page.getByLabel("Amount").fill("12.50");
  await page.getByLabel("Reason").fill("stamps");
  await page.getByRole("button", { name: "Write it down" }).click();
  await page.getByText("Cash out: written down.").waitFor();

  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: "Close the shift (Z)" }).click();
  const dialog = page.getByRole("dialog", { name: "Close the shift (Z)" });
  assert.doesNotMatch(await dialog.innerText(), /87\.50/, "the expected sum is told before the count");
  await dialog.getByLabel("Counted").fill("87.00");
  await dialog.getByRole("button", { name: "Close the shift" }).click();
  await dialog.getByText("Too little in the drawer").waitFor();
  assert.match(await dialog.innerText(), /counted €87\.00, expected €87\.50/);
  await dialog.getByRole("button", { name: "Done" }).click();
  await page.getByLabel("Cash in the drawer").waitFor();
  await end();
});

test("a box that dies is noticed and comes back by itself; what was scanned meanwhile is on the ticket once", async () => {
  const own = await Shop.open();
  const visited = await visit(browser, own.origin, "light", { viewport: { width: 1024, height: 768 } });
  const { page } = visited;
  try {
    await own.sell(page);
    await scan(page, TEE.code);
    await linesAre(page, 1);
    own.kill();
    await page.getByRole("alert").filter({ hasText: "does not answer" }).waitFor();
    await scan(page, OTHER_TEE.code);
    await page.getByText(OTHER_TEE.code).waitFor();
    await linesAre(page, 1);
    await own.start();
    await linesAre(page, 2);
    assert.equal(await total(page).innerText(), "€39.80");
    await eventually("the banner is gone", async () => ((await page.getByText("does not answer").count()) === 0 ? true : undefined));
  } finally {
    // That the box could not be reached is what this test is about; only the page itself must not have complained.
    await visited.context.close();
    await own.close();
  }
});

test("a locked till keeps its ticket; one whose place another device took is told so, and finds it again", async () => {
  const { page, end } = await counter("r7");
  await scan(page, TEE.code);
  await linesAre(page, 1);
  await page.keyboard.press("F9");
  await page.getByRole("button", { name: "Lock, or change the person" }).click();
  await page.getByRole("dialog", { name: "Sign in" }).waitFor();
  await linesAre(page, 1);
  await signIn(page);
  await page.getByRole("dialog", { name: "Sign in" }).waitFor({ state: "hidden" });
  await scan(page, OTHER_TEE.code);
  await linesAre(page, 2);

  const other = await visit(browser, shop.origin);
  await other.page.goto("/");
  await shop.pair(other.page, "r7");
  await signIn(other.page);
  await linesAre(other.page, 2);
  await other.end();

  await scan(page, TEE.code);
  const dialog = page.getByRole("dialog", { name: "Sign in" });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  assert.ok(await dialog.isVisible());
  await signIn(page);
  await dialog.getByRole("button", { name: "Pair it again" }).click();
  await shop.pair(page, "r7");
  await signIn(page);
  await linesAre(page, 2);
  await end();
});

for (const scheme of SCHEMES) {
  test(`every step of a sale is for everybody and fits its screen, ${scheme}`, async () => {
    const { page, end } = await visit(browser, shop.origin, scheme, { viewport: { width: 1024, height: 768 } });
    const good = async (name: string) => {
      await checkAxe(page);
      await noSidewaysScroll(page);
      await targetsAtLeast(page, 24);
      await shot(page, `register-${name}-${scheme}`);
    };
    const register = scheme === "light" ? "r8" : "r9";
    await page.goto("/");
    await page.getByRole("heading", { name: "Pair this device" }).waitFor();
    await good("1-pair");
    await shop.pair(page, register);
    await good("2-sign-in");
    await signIn(page);
    await page.getByLabel("Cash in the drawer").fill("100");
    await good("3-shift");
    await page.keyboard.press("Enter");
    await page.getByText("Scan the first item").waitFor();
    await page.getByRole("button", { name: new RegExp(`^${TEE.name}`) }).waitFor();
    await good("4-empty");
    await scan(page, TEE.code);
    await scan(page, NOTHING);
    await page.getByRole("alert").filter({ hasText: NOTHING }).waitFor();
    await good("5-sell");
    await targetsAtLeast(page, 44);
    for (const [key, name] of [
      ["F9", "Menu"],
      ["F6", "Open tickets"],
      ["F7", "Take a receipt back"],
      ["?", "Keys"],
      ["Escape", "Give this ticket up?"],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole("dialog", { name }).waitFor();
      await good(`6-${name.toLowerCase().replace(/[^a-z]+/g, "-")}`);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog", { name }).waitFor({ state: "hidden" });
    }
    await page.keyboard.press("F8");
    await page.getByRole("region", { name: "Payment" }).waitFor();
    await good("7-pay");
    await targetsAtLeast(page, 44);
    await targetsAtLeast(page, 64, "[aria-label=Cash]");
    await page.getByRole("button", { name: "Cash €20.00" }).click();
    await page.getByRole("region", { name: /^Receipt/ }).waitFor();
    await good("8-done");
    await end();
  });
}

test("on a phone a sale goes by finger", async () => {
  const { page, end } = await visit(browser, shop.origin, "light", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await shop.sell(page, "r10");
  await page.getByRole("button", { name: "Items" }).tap();
  await page.getByRole("button", { name: new RegExp(`^${TEE.name}`) }).tap();
  await page.getByRole("button", { name: "Ticket (1)" }).tap();
  await linesAre(page, 1);
  await shot(page, "register-phone-sell", false);
  await page.getByRole("button", { name: /^Pay/ }).tap();
  await targetsAtLeast(page, 44);
  await shot(page, "register-phone-pay", false);
  await page.getByRole("button", { name: /^Exact/ }).tap();
  await page.getByRole("heading", { name: "Paid, no change" }).waitFor();
  await shot(page, "register-phone-done", false);
  await end();
});

test("the register's own files are at most 300 kB compressed", async () => {
  const { page, end } = await visit(browser, shop.origin);
  await page.goto("/");
  await page.getByRole("heading", { name: "Pair this device" }).waitFor();
  const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map((one) => one.name));
  let bytes = 0;
  for (const url of [`${shop.origin}/`, ...loaded.filter((one) => !one.endsWith("/session"))]) {
    const answer = await page.request.get(url);
    bytes += gzipSync(await answer.body()).length;
  }
  assert.ok(bytes > 10_000 && bytes <= 300_000, `${bytes} bytes`);
  await end();
});
