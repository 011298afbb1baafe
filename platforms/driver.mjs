/**
 * One way to drive every browser of the platform tests: Puppeteer for Chromium (over its DevTools) and Firefox (over WebDriver
 * BiDi), Selenium for WebKitGTK (over classic WebDriver). What a page may be asked is {@link Page}.
 */

import { puppeteerBrowser } from "./puppeteer.mjs";
import { webkitBrowser } from "./webkit.mjs";

/** How long a page has for a step, in milliseconds: tests are about what a page does, not how soon. */
export const PATIENCE_MS = 240_000;

/**
 * A page of any of the browsers.
 *
 * @typedef {object} Page
 * @property {(url: string) => Promise<void>} goto
 * @property {(work: Function, argument?: unknown) => Promise<any>} evaluate Runs a function in the page, which may be async;
 *   what goes in and comes out is JSON.
 * @property {(key: string) => Promise<void>} press A key by its name in `KeyboardEvent.key`; `Control+A` holds the first.
 * @property {(text: string) => Promise<void>} type
 * @property {(width: number, height: number) => Promise<void>} resize
 * @property {(path: string) => Promise<void>} screenshot
 */

/** Each browser by its name: what starts it, as `{ version, page, close }`. */
const starts = {
  Chromium: (path) => puppeteerBrowser("chrome", path),
  Firefox: (path) => puppeteerBrowser("firefox", path),
  WebKitGTK: webkitBrowser,
};

/** Starts the browser of that name, from where it is installed. */
export async function start(name, path) {
  const browser = await starts[name](path);
  return { ...browser, page: withWaiting(browser.page) };
}

/** What every page can do by what its browser can. */
function withWaiting(page) {
  /** Waits until a function is true in the page; a busy machine may take its time. */
  async function until(condition, argument) {
    const end = Date.now() + PATIENCE_MS;
    // A page that is being loaded has no answer.
    while (!(await page.evaluate(condition, argument).catch(() => false))) {
      if (Date.now() > end) throw new Error(`in vain: ${condition} of ${JSON.stringify(argument)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Opens an address and notes from then on what goes wrong in the page: `complaints` are its messages. */
  async function open(url) {
    // Another place in the same document would load nothing.
    await page.goto("about:blank");
    await page.goto(url);
    await page.evaluate(() => {
      window.complaints = [];
      addEventListener("error", ({ message }) => window.complaints.push(message));
      addEventListener("unhandledrejection", ({ reason }) => window.complaints.push(String(reason)));
    });
  }

  return { ...page, until, open, complaints: () => page.evaluate(() => window.complaints) };
}
