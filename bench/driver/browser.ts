/** The Chromium in which everything is measured. */

import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/chromium.mjs";

/** Seconds that a page has to close, or to say what it holds. */
export const SOON = 20;
/** Seconds that a page has for an answer, be it ready or the figures of a turn: one that takes longer is given up. */
export const PATIENCE = 240;

/** Switches of every Chromium here; those for WebGPU do not touch what runs on the CPU. */
export function switches(adapter: string): string[] {
  const gpu = adapter === "default" ? ["--enable-features=Vulkan"] : [`--use-webgpu-adapter=${adapter}`];
  return [
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-webgpu",
    ...gpu,
  ];
}

/** Where Chromium is. */
export function executable(): string {
  const path: string | undefined = findChromium();
  if (!path) throw new Error("no Chrome or Chromium: install one, or set CHROMIUM to its path");
  return path;
}

export function launch(adapter: string): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), args: switches(adapter) });
}

/** A page in a context of its own, and so in a process of its own; errors that nobody catches become ours. */
export async function open(browser: Browser, address: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  page.on("pageerror", (error) => console.error(`${address}: ${error.message}`));
  try {
    await page.goto(address);
    return page;
  } catch (error) {
    await close(page);
    throw error;
  }
}

/** Ends a page and its process, at work or not. */
export async function close(page: Page): Promise<void> {
  await failure(() => within(SOON, "closing", page.context().close()));
}

/** Does work on pages that end with it; why it failed, or null. */
export function onPages(browser: Browser, addresses: readonly string[], work: (...pages: Page[]) => Promise<void>): Promise<string | null> {
  return failure(async () => {
    const pages: Page[] = [];
    try {
      for (const address of addresses) pages.push(await open(browser, address));
      await work(...pages);
    } finally {
      for (const page of pages) await close(page);
    }
  });
}

/** Why work failed; null if it did not. What it measured until then is for its caller to keep. */
export async function failure(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `promise`, or a rejection after `seconds`. */
export function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
