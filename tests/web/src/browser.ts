// A browser that judges while it shows: a page may load nothing from elsewhere, must be usable by everybody and fit its screen.
// Owns Chromium and those judgements; which pages are opened, and on which server, belongs to the tests.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import type { AxeResults, RunOptions } from "axe-core";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

import { PROJECT } from "./programs.ts";

const CHROMIUM = process.env.BACKROOM_CHROMIUM ?? "/usr/bin/chromium";
/** Nothing is fetched, updated or reported behind the page's back. */
const FLAGS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-gpu",
  "--disable-quic",
];
const PICTURES = join(process.env.CARGO_TARGET_DIR ?? join(PROJECT, "target"), "screens");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES: RunOptions = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };

export type Scheme = "light" | "dark";
export const SCHEMES: readonly Scheme[] = ["light", "dark"];
export type Size = { width: number; height: number };
/** What every page must fit: a till or a laptop, and a phone. */
export const SIZES: readonly Size[] = [
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
];

/** A browser with a profile of its own, empty at first. */
export function launch(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is not there; install chromium, or name one in BACKROOM_CHROMIUM`);
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export type Visit = {
  context: BrowserContext;
  page: Page;
  /**
   * Fails if something was asked of another origin, or the page complained; but for what a test did itself, such as a server it killed
   * (`expected`). Closes the visit.
   */
  end: (expected?: RegExp) => Promise<void>;
};

/** A new visitor on one page. `origin` is the only place it may ask, such as `http://127.0.0.1:7420`. */
export async function visit(browser: Browser, origin: string, scheme: Scheme = "light", options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
    baseURL: origin,
    ...options,
  });
  const page = await context.newPage();
  const complaints = failOnForeignRequest(page, origin);
  return {
    context,
    page,
    end: async (expected) => {
      await context.close();
      const complained = complaints.filter((complaint) => expected?.test(complaint) !== true);
      assert.deepEqual(complained, [], "the page asked elsewhere or complained");
    },
  };
}

/**
 * Stops every request to another origin and writes it down, beside errors of the page itself and what its policy forbade. The list that is
 * handed back must be empty in the end.
 */
export function failOnForeignRequest(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  const own = new URL(origin).origin;
  void page.route(
    (url) => url.origin !== own && !["data:", "blob:"].includes(url.protocol),
    (route) => {
      complaints.push(`asked elsewhere: ${route.request().url()}`);
      return route.abort();
    },
  );
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // A refusal (4xx, 5xx) is the page's to show; Chromium notes each of them as an error too.
    const isRefusal = message.text().startsWith("Failed to load resource: the server responded with a status of");
    if (message.type() === "error" && !isRefusal) complaints.push(`console: ${message.text()}`);
  });
  return complaints;
}

/** No rule of accessibility is broken, on the page as it is now. */
export async function checkAxe(page: Page): Promise<void> {
  // Evaluated by the debugger, so the page's own policy stays as strict as it is.
  await page.evaluate(AXE);
  const found = await page.evaluate(
    (rules) => (globalThis as unknown as { axe: { run: (rules: RunOptions) => Promise<AxeResults> } }).axe.run(rules),
    RULES,
  );
  const said = found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary ?? rule.help}`),
  );
  assert.deepEqual(said, [], `${page.url()} is not for everybody`);
}

/** The page fits each size; what is wider must scroll inside itself. Leaves the page at the size it had. */
export async function noSidewaysScroll(page: Page, sizes: readonly Size[] = SIZES): Promise<void> {
  const before = page.viewportSize();
  for (const size of sizes) {
    await page.setViewportSize(size);
    const widest = await page.evaluate(() => {
      const width = document.documentElement.clientWidth;
      const over = [...document.querySelectorAll("body *")].find((one) => one.getBoundingClientRect().right > width + 1);
      return { width, scrolls: document.documentElement.scrollWidth, over: over?.outerHTML.slice(0, 120) };
    });
    assert.ok(widest.scrolls <= widest.width, `${page.url()} scrolls sideways at ${size.width}x${size.height}: ${JSON.stringify(widest)}`);
  }
  if (before !== null) await page.setViewportSize(before);
}

/** Nothing that is pressed is smaller than `least` in either direction, except links inside sentences. */
export async function targetsAtLeast(page: Page, least: number, within = "body"): Promise<void> {
  const small = await page.evaluate(
    ([least, within]) =>
      [...document.querySelectorAll(`${within} :is(button, input:not([type=hidden]), select, [role=button])`)]
        .map((one) => {
          // A box to tick is pressed by its label as well.
          const pressed = one.matches("input[type=checkbox], input[type=radio]") ? (one.closest("label") ?? one) : one;
          return { what: one.outerHTML.slice(0, 120), box: pressed.getBoundingClientRect() };
        })
        .filter(({ box }) => box.width > 0 && (box.width < least || box.height < least))
        .map(({ what, box }) => `${Math.round(box.width)}x${Math.round(box.height)} ${what}`),
    [least, within] as const,
  );
  assert.deepEqual(small, [], `${page.url()} has targets below ${least} px`);
}

/** A picture of the whole page, for people to look at: `target/screens/NAME.png`. */
export async function shot(page: Page, name: string, fullPage = true): Promise<string> {
  mkdirSync(PICTURES, { recursive: true });
  const path = join(PICTURES, `${name}.png`);
  await page.screenshot({ path, fullPage });
  return path;
}
