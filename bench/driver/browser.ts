/** The Chromium in which everything is measured. */

import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/chromium.mjs";

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
  await page.goto(address);
  return page;
}

/** `promise`, or a rejection after `seconds`. */
export function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
