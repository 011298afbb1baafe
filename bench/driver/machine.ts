/** Where a measurement was made. */

import { arch, cpus, loadavg, platform, totalmem } from "node:os";
import type { Browser } from "playwright-core";
import { open } from "./browser.ts";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Processes that wanted a core on average in the minute before: a machine at rest has none. */
  readonly load: number;
  readonly browser: string;
  /** The WebGPU adapter, in the browser's words; null for none. */
  readonly adapter: string | null;
}

export async function describe(browser: Browser, url: string): Promise<Machine> {
  const page = await open(browser, `${url}roofline.html`);
  const adapter = await page.evaluate(async () => {
    const found = await (navigator as any).gpu?.requestAdapter();
    return found ? [found.info.vendor, found.info.architecture, found.info.description].filter(Boolean).join(" ") : null;
  });
  await page.context().close();
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    load: Number(loadavg()[0]!.toFixed(2)),
    browser: `Chromium ${browser.version()}`,
    adapter,
  };
}
