/** The page that the present test has opened: a file's tests share a server, and a Chromium with WebGPU or without. */

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { choose, eventually, launch, openPage, serve } from "./browser.mjs";

export { choose, eventually };

export let server, page;
/** What the page complains of. */
export let complaints;
const browsers = new Map();

before(async () => {
  server = await serve();
});

after(async () => {
  for (const browser of browsers.values()) await browser.close();
  server?.close();
});

afterEach(() => page?.context().close());

/** Another page in the place of the one before, not at any address yet. `gpu` gives it WebGPU. */
export async function renew({ gpu = false, ...options } = {}) {
  await page?.context().close();
  if (!browsers.has(gpu)) browsers.set(gpu, await launch({ gpu }));
  ({ page, complaints } = await openPage(browsers.get(gpu), options));
}

/** Goes to a place of the built page, in another page; `prepare` runs in it before everything else. */
export async function openAt(hash, { prepare, ...options } = {}) {
  await renew(options);
  if (prepare) await page.addInitScript(prepare);
  await page.goto(server.url + hash);
}

/** What comes last of each view. */
const LAST = { "": ["doors"], read: ["read-words", "read-eyes"], race: ["race-batch"] };

/** Waits until all of the view stands. */
export async function stands() {
  await page.locator('[data-stage="ready"]').waitFor();
  await page.waitForFunction((last) => {
    const view = document.querySelector("[data-chapter]")?.dataset.chapter;
    return view !== undefined && (last[view] ?? []).every((id) => document.getElementById(id));
  }, LAST);
}

/** Waits until the text has been read as it is asked now, and all figures show that. */
export const settled = () => page.waitForFunction(() => window.saccade?.settled());

/** Nothing is wider than the window. */
export const fits = () =>
  eventually(async () => {
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
  });

/** Writes a text, and waits until its reading is shown. */
export async function type(text) {
  await page.fill("#text", text);
  await page.waitForFunction((text) => document.querySelector(".text")?.textContent === text, text);
}

/** What the page's own engine makes of a text. */
export const inPage = (text, options) => page.evaluate(([text, options]) => window.saccade.read(text, options), [text, options]);

/** The notices of a long reading that are shown from now on: a set in the page, of its elements. */
export function notices() {
  return page.evaluateHandle(() => {
    const notices = new Set();
    const look = () => document.querySelectorAll('[data-state="reading"]').forEach((notice) => notices.add(notice));
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
    return notices;
  });
}
