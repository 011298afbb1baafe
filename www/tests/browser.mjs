/** A server for built files and a Chromium to look at them. */

import assert from "node:assert/strict";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { setTimeout } from "node:timers/promises";
import { chromium } from "playwright-core";
import { findDriven } from "../../scripts/chromium.mjs";
import { root } from "../../scripts/steps.mjs";

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".json": "application/json",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

/** The page works in any folder of a host, so it is never served at the top of one. */
const FOLDER = "/some/folder";

const built = join(root, "www", "dist");

/**
 * Serves a folder, unless told otherwise `www/dist`, on a free port; resolves to `{ url, hidden, unreachable, close }`.
 *
 * `pages` are HTML by file names that the folder has not; `headers` come with every file. Files whose extension is in the set `hidden` are not there. While `unreachable(true)` holds, every connection breaks off,
 * as without a network. Both are the server's, because what a worker asks for cannot be held up in the browser: Chromium 148
 * lets a service worker reach the network of a page that is set offline.
 */
export async function serve(folder = built, pages = {}, headers = {}) {
  if (!existsSync(folder)) throw new Error(`${folder} is missing: npm run build makes the page`);
  const hidden = new Set();
  let broken = false;
  const server = createServer((request, response) => {
    if (broken) {
      request.socket.destroy();
      return;
    }
    const { pathname } = new URL(request.url, "http://page");
    const path = normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    const html = pages[path.slice(FOLDER.length + 1)];
    if (html !== undefined) {
      response.writeHead(200, { "content-type": types[".html"] }).end(html);
      return;
    }
    const file = join(folder, path.slice(FOLDER.length));
    if (!path.startsWith(`${FOLDER}/`) || !existsSync(file) || hidden.has(extname(file))) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": statSync(file).size, ...headers });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}${FOLDER}/`;
  const unreachable = (is) => {
    broken = is;
  };
  return { url, hidden, unreachable, close: () => server.close() };
}

const switches = [
  "--headless=new",
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** WebGPU by software, the same on every machine; without these a headless Chromium has no adapter. */
const webgpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** Starts Chromium without a window, with WebGPU if `gpu` says so, and set to type of so many pixels. */
export function launch({ gpu = false, type = 16 } = {}) {
  const executablePath = findDriven();
  if (!executablePath) throw new Error("no Chrome or Chromium: install one, or set CHROMIUM to its path");
  return chromium.launch({ executablePath, args: [...switches, `--blink-settings=defaultFontSize=${type}`, ...(gpu ? webgpu : [])] });
}

/** How long a page has for a step, in milliseconds: tests are about what a page does, not how soon, and a machine may be busy. */
export const PATIENCE_MS = 240_000;

/** A page with a context to itself. */
export async function newPage(browser, options) {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

/** Looks again until nothing is wrong with what is seen: a busy machine may take its time to show it. */
export async function eventually(look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > end) throw error;
      await setTimeout(50);
    }
  }
}

/** Chooses one of a few as people do, by its label: the control itself is hidden, and so no pointer finds it. */
export async function choose(radio) {
  await radio.locator("xpath=ancestor::label").click();
  await eventually(async () => assert.ok(await radio.isChecked()));
}

/**
 * Begins something, and presses a button in the page as soon as it is there, `within` an element in which a run has been looked at
 * so often by then. A press from here comes so much later, on a busy machine, that what it is to end may be over.
 */
export async function pressedAsSoon(page, name, { within = "body", moments = 0 }, begin) {
  const press = await page.evaluateHandle(
    ({ name, within, moments }) => {
      const press = { done: false };
      const all = (selector) => [...document.querySelectorAll(selector)];
      const look = () => {
        const button = all(`${within} button:enabled`).find(({ textContent }) => textContent.trim() === name);
        const most = Math.max(0, ...all(`${within}[data-moments], ${within} [data-moments]`).map(({ dataset }) => dataset.moments));
        if (!button || most < moments) return;
        observer.disconnect();
        button.click();
        press.done = true;
      };
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
      return press;
    },
    { name, within, moments },
  );
  await begin();
  await page.waitForFunction(({ done }) => done, press);
}

/**
 * A page without the service worker, so that `page.route` sees what it asks for, and the list of what it complains of: errors,
 * and warnings in its console.
 */
export async function openPage(browser, options = {}) {
  // With motion the page plays its reading as it opens.
  const page = await newPage(browser, { serviceWorkers: "block", reducedMotion: "reduce", ...options });
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // That is Playwright's own.
    if (message.text().startsWith("Service Worker registration blocked")) return;
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  return { page, complaints };
}
