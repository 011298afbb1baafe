/** From navigation to the first answer, and what goes over the wire for it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import type { Started } from "../page/start.ts";
import { executable, switches } from "./browser.ts";
import { addressOf, type Name, type Options } from "./options.ts";
import type { Server } from "./server.ts";

/** What is loaded: the smallest workload, so that the library is what takes the time. */
const CASE = "W1-lstm";
/** Our trained models whose first reading is timed as well: the page's first, and the largest of its kind. */
const MODELS: readonly string[] = ["sst2-skim-lstm-small", "sst2-skim-lstm"];
/** Visits to each contestant with an empty profile, and as many with a full one. */
const VISITS = 5;
/** Visits that fill a profile: browsers keep compiled code only of what they see again. */
const FILLING = 3;

export interface StartEntry {
  /** A contestant, or one of our trained models. */
  readonly contestant: string;
  /** First answers with an empty cache, and with a full one; milliseconds since navigation. */
  readonly cold: Started[];
  readonly warm: Started[];
  /** Bytes over the wire on a first visit, after gzip -9. */
  readonly bytes: { readonly script: number; readonly wasm: number; readonly model: number };
  /** Why there is no figure. */
  readonly reason: string | null;
}

/** Visits every contestant, by turns. */
export async function start(server: Server, options: Options): Promise<StartEntry[]> {
  const entries: (StartEntry & { context: BrowserContext; folder: string })[] = [];
  const models = options.contestants.some((name) => name.startsWith("saccade")) ? MODELS : [];
  for (const contestant of [...options.contestants, ...models]) {
    const { context, folder } = await profile(options.adapter);
    const entry = { contestant, cold: [], warm: [], bytes: { script: 0, wasm: 0, model: 0 }, reason: null, context, folder };
    try {
      server.forget();
      await visit(context, server, contestant);
      entries.push({ ...entry, bytes: wire(server) });
      for (let i = 1; i < FILLING; i++) await visit(context, server, contestant);
    } catch (error) {
      entries.push({ ...entry, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  for (let round = 0; round < VISITS; round++) {
    for (const { contestant, cold, warm, context, reason } of entries) {
      if (reason) continue;
      const fresh = await profile(options.adapter);
      cold.push(await visit(fresh.context, server, contestant));
      await leave(fresh);
      warm.push(await visit(context, server, contestant));
    }
  }
  for (const entry of entries) await leave(entry);
  return entries.map(({ context, folder, ...entry }) => entry);
}

/** A Chromium with a profile on disk, where a cache is kept as a visitor's is. */
async function profile(adapter: string): Promise<{ context: BrowserContext; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "saccade-bench-"));
  const context = await chromium.launchPersistentContext(folder, { executablePath: executable(), args: switches(adapter) });
  return { context, folder };
}

async function leave({ context, folder }: { context: BrowserContext; folder: string }): Promise<void> {
  await context.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function visit(context: BrowserContext, server: Server, contestant: string): Promise<Started> {
  const page = await context.newPage();
  try {
    await page.goto(`${server.url}${address(contestant)}`);
    return await page.evaluate(() => window.started);
  } finally {
    await page.close();
  }
}

function address(contestant: string): string {
  if (MODELS.includes(contestant)) return `first.html?model=${contestant}`;
  const variant = contestant.startsWith("ort") ? "op" : contestant.startsWith("tfjs") ? "loop" : "layer";
  return addressOf(contestant as Name, "start", `&case=${CASE}&variant=${variant}`);
}

function wire(server: Server): StartEntry["bytes"] {
  const sum = (matches: (path: string) => boolean) =>
    server.sent.filter(({ path }) => matches(path)).reduce((total, { bytes }) => total + bytes, 0);
  return {
    script: sum((path) => /\.(js|mjs|html)$/.test(path)),
    wasm: sum((path) => path.endsWith(".wasm")),
    model: sum((path) => /\.(onnx|safetensors)$/.test(path)),
  };
}
