// The portal of head office, opened as a manager would: a real head office, real boxes that sold something, a real browser, both colours.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { checkAxe, launch, noSidewaysScroll, SCHEMES, shot, targetsAtLeast, visit } from "./browser.ts";
import type { Scheme, Visit } from "./browser.ts";
import { COMPANY, Office, PASSWORD, range, TENANT, USER } from "./office.ts";
import type { Box } from "./office.ts";
import { eventually } from "./programs.ts";

/** Portrait phones of the smallest kind are part of the portal's promise. */
const SIZES = [
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];
/** WCAG 2.2, 2.5.8: what is pressed with a pointer. */
const LEAST_TARGET = 24;

const [shirt, jeans] = [range().find((item) => item.sku === "TEE-BLK-M"), range().find((item) => item.sku === "JEA-IND-32")];

describe("the portal", () => {
  let office: Office;
  let berlin: Box;
  let leeds: Box;
  let browser: Browser;

  before(async () => {
    browser = await launch();
    office = await Office.open();
    berlin = await office.addShop("berlin", "Nord Berlin", "Europe/Berlin");
    leeds = await office.addShop("leeds", "Nord Leeds", "Europe/London", "GBP");
    await office.announceShop("oslo", "Nord Oslo");
    const [one, two] = [code(shirt), code(jeans)];
    await berlin.openRegister();
    await berlin.sell(one, two);
    await berlin.sell(one);
    await berlin.sell(`2*${two}`);
    await berlin.takeBack("r1/1/2");
    await leeds.openRegister();
    await leeds.sell(one);
  });

  after(async () => {
    await browser.close();
    await office.close();
  });

  for (const scheme of SCHEMES) {
    test(`every page is for everybody and fits its screen, ${scheme}`, async () => {
      const { page, end } = await visit(browser, office.origin, scheme);
      await page.goto("/");
      await page.getByRole("button", { name: "Sign in" }).waitFor();
      await judge(page, `portal-sign-in-${scheme}`);
      await signIn(page);
      await untilArrived(page);
      await judge(page, `portal-today-${scheme}`);
      for (const [path, name, sign] of PAGES) {
        await page.goto(path);
        await page.getByText(sign).first().waitFor();
        await judge(page, `portal-${name}-${scheme}`);
      }
      await page.goto("/products/TEE-BLK-M");
      await page.getByRole("button", { name: "New price" }).click();
      await judge(page, `portal-price-${scheme}`);
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keys" }).waitFor();
      await judge(page, `portal-keys-${scheme}`);
      await end();
    });
  }

  test("a wrong password is answered with what to do, and the right one stays for a reload", async () => {
    const { page, context, end } = await visit(browser, office.origin);
    await page.goto("/stores");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Type your password.").waitFor();
    await fill(page, "not the password");
    await page.getByRole("alert").getByText("do not fit together").waitFor();
    await checkAxe(page);
    await fill(page, PASSWORD);
    await page.getByRole("heading", { name: "Stores", level: 1 }).waitFor();
    const cookies = await context.cookies(`${office.origin}/api/v1/session`);
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]),
      [["backroom_portal", true, "Strict"]],
    );
    const kept = await page.evaluate(() => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage));
    assert.ok(!kept.includes(PASSWORD) && !kept.includes(cookies[0]?.value ?? "?"), "a script could read a secret");
    await page.reload();
    await page.getByRole("heading", { name: "Stores", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.goto("/");
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await end();
  });

  test("figures are the sum of their rows and of the file, one sum per currency", async () => {
    const { page, end } = await signedIn("light");
    await untilArrived(page);
    const expected = new Map([
      // Three sales less the second, which was taken back.
      ["EUR", price(shirt) + price(jeans) + 2n * price(jeans)],
      ["GBP", price(shirt)],
    ]);
    for (const [currency, due] of expected) {
      const shown = page.getByRole("region", { name: `Today in ${currency}` }).locator("data").first();
      assert.equal(await shown.getAttribute("value"), `${plain(due)} ${currency}`);
    }
    await page.goto("/sales");
    await page.getByRole("button", { name: /r1\/1\/4/ }).waitFor();
    const rows = await page.locator("tbody tr data:last-child").evaluateAll((cells) => cells.map((cell) => (cell as HTMLDataElement).value));
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Take along as CSV" }).click();
    const file = await text(await (await downloading).createReadStream());
    const lines = file.trimEnd().split("\r\n").slice(1);
    const totals = lines.map((line) => line.split(",")).map((cells) => `${cells[9] ?? ""} ${cells[10] ?? ""}`);
    for (const [currency, due] of expected) {
      const sum = totals.filter((total) => total.endsWith(currency)).reduce((sum, total) => sum + cents(total), 0n);
      assert.equal(sum, due, `${currency} in the file: ${file}`);
    }
    assert.equal(lines.length, 5);
    assert.ok(totals.every((total) => rows.includes(total)), `${totals.join()} against ${rows.join()}`);
    await end();
  });

  test("a receipt is opened by keyboard alone and shows what was sold", async () => {
    const { page, end } = await signedIn("light");
    await untilArrived(page);
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    const receipt = page.getByRole("button", { name: /^r1\/1\/3/ }).first();
    await receipt.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(jeans?.name ?? "").waitFor();
    await dialog.getByText("2 ×").waitFor();
    await judge(page, "portal-receipt");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert.ok(await receipt.evaluate((button) => button === document.activeElement), "the focus comes back");
    await end();
  });

  test("a price reaches the shop, says who has confirmed it, and can be set back", async () => {
    const { page, end } = await signedIn("light");
    await page.goto("/products");
    await page.getByRole("searchbox").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("black M");
    await page.getByRole("link", { name: shirt?.name ?? "" }).click();
    await page.getByRole("button", { name: "New price" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Order the price" }).click();
    await dialog.getByText("Type an amount such as 19.99.").waitFor();
    await dialog.getByLabel("Price in EUR").fill("1,234");
    await dialog.getByRole("button", { name: "Order the price" }).click();
    await dialog.getByText("Type an amount such as 19.99.").waitFor();
    await dialog.getByLabel("Price in EUR").fill("199,00");
    await dialog.getByRole("button", { name: "Order the price" }).click();
    await dialog.getByText("That is a large change").waitFor();
    await dialog.getByLabel("Price in EUR").fill("21,50");
    await dialog.getByText("Not Nord Leeds (GBP)").waitFor();
    await dialog.getByRole("button", { name: "Order the price" }).click();
    await dialog.waitFor({ state: "hidden" });

    await page.getByText("Confirmed by Nord Berlin.").waitFor();
    await page.getByText("Still waiting: Nord Oslo.").waitFor();
    const now = page.getByRole("row", { name: /Nord Berlin/ }).locator("data").last();
    await eventually("the page shows the new price", async () => ((await now.getAttribute("value")) === "21.50 EUR" ? true : undefined));
    await judge(page, "portal-ordered");
    await berlin.sell(code(shirt));
    await eventually("the register charges the new price", async () => {
      const sold = await page.evaluate(() => fetch("/api/v1/sales?store=berlin&limit=1").then((answer) => answer.json() as Promise<{ sales: { due: number }[] }>));
      return sold.sales[0]?.due === 2150 ? true : undefined;
    });

    await page.getByRole("button", { name: "Set back the price of €21.50" }).click();
    await eventually("the shop charges the old price", async () => ((await now.getAttribute("value")) === `${plain(price(shirt))} EUR` ? true : undefined));
    await end();
  });

  test("a shop that goes away is told of in words, and heals by itself", async () => {
    const { page, end } = await signedIn("dark");
    await untilArrived(page);
    await leeds.stop();
    const needs = page.getByRole("region", { name: /Needs a look/ });
    await needs.getByText("Nord Leeds").waitFor({ timeout: 60_000 });
    await needs.getByText(/Away for/).waitFor();
    await judge(page, "portal-away");
    await leeds.start();
    await needs.getByText("Nord Leeds").waitFor({ state: "hidden", timeout: 60_000 });
    await end();
  });

  test("colours are as the device says, until somebody chooses, and the choice is remembered", async () => {
    const { page, end } = await visit(browser, office.origin, "dark");
    await page.goto("/");
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const toggle = page.getByRole("button", { name: /^Colours/ });
    await toggle.waitFor();
    const dark = await ground();
    await toggle.click();
    const light = await ground();
    assert.notEqual(light, dark, await toggle.getAttribute("title") ?? "");
    await page.reload();
    await toggle.waitFor();
    assert.equal(await ground(), light);
    await end();
  });

  test("pages come packed, are kept by their mark, and allow nothing inline", async () => {
    const first = await fetch(office.origin, { headers: { "accept-encoding": "br" } });
    const html = await first.text();
    assert.equal(first.headers.get("content-encoding"), "br");
    const policy = first.headers.get("content-security-policy") ?? "";
    assert.ok(policy.includes("frame-ancestors 'none'") && !policy.includes("unsafe"), policy);
    const again = await fetch(office.origin, { headers: { "accept-encoding": "br", "if-none-match": first.headers.get("etag") ?? "" } });
    assert.equal(again.status, 304);
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? "";
    const asset = await fetch(new URL(script, office.origin));
    assert.match(asset.headers.get("cache-control") ?? "", /immutable/);
    assert.equal((await fetch(new URL("/favicon.svg", office.origin))).headers.get("content-type"), "image/svg+xml");
    assert.equal((await fetch(new URL("/assets/none.js", office.origin))).status, 404);
  });

  async function signedIn(scheme: Scheme): Promise<Visit> {
    const one = await visit(browser, office.origin, scheme);
    await one.page.goto("/");
    await signIn(one.page);
    return one;
  }
});

const PAGES: [string, string, string | RegExp][] = [
  ["/sales", "sales", "Receipts, newest first"],
  ["/products", "products", "Canvas bag"],
  ["/products?q=nothing-is-called-so", "products-none", "Nothing is called"],
  ["/products/TEE-BLK-M", "product", "Nord Leeds"],
  ["/products/NO-SUCH", "product-none", "There is no item NO-SUCH"],
  ["/stores", "stores", "Up to date"],
  ["/shopify", "shopify", "Not connected"],
  ["/help", "help", "The address leads nowhere"],
];

async function judge(page: Page, name: string): Promise<void> {
  await checkAxe(page);
  await targetsAtLeast(page, LEAST_TARGET);
  await noSidewaysScroll(page, SIZES);
  await shot(page, name, false);
}

async function fill(page: Page, password: string): Promise<void> {
  await page.getByLabel("Company").fill(TENANT);
  await page.getByLabel("User").fill(USER);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.keyboard.press("Enter");
}

async function signIn(page: Page): Promise<void> {
  await fill(page, PASSWORD);
  await page.getByRole("link", { name: new RegExp(COMPANY) }).waitFor();
}

/** All that was sold before the test has reached the figures. */
async function untilArrived(page: Page): Promise<void> {
  await page.getByRole("article").filter({ hasText: "Nord Berlin" }).getByText(/[3-9] sales, 1 return/).waitFor();
  await page.getByRole("article").filter({ hasText: "Nord Leeds" }).getByText("1 sale").waitFor();
}

function code(item: { codes: string[] } | undefined): string {
  const [first] = item?.codes ?? [];
  if (first === undefined) throw new Error("the demo's range has changed; take another item");
  return first;
}

function price(item: { price: number } | undefined): bigint {
  return BigInt(item?.price ?? 0);
}

/** Both currencies here have two digits. */
function plain(minor: bigint): string {
  const digits = minor.toString().padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** "12.50 EUR" as 1250. */
function cents(total: string): bigint {
  return BigInt(total.replace(/[^\d-]/g, ""));
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = "";
  for await (const part of stream) all += part.toString();
  return all;
}
