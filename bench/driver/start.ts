/** From navigation to the first answer, and what goes over the wire for it. */

import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import type { Started } from "../page/start.ts";
import { executable, failure, PATIENCE, SOON, switches, within } from "./browser.ts";
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
  /** Why there is no figure, or of fewer visits. */
  readonly reason: string | null;
}

/** A Chromium with a profile on disk, where a cache is kept as a visitor's is. */
interface Profile {
  readonly context: BrowserContext;
  readonly folder: string;
}

interface Visited extends StartEntry {
  bytes: StartEntry["bytes"];
  reason: string | null;
  profile?: Profile;
}

/** Visits every contestant, by turns. */
export async function start(server: Server, options: Options): Promise<StartEntry[]> {
  const models = options.contestants.some((name) => name.startsWith("saccade")) ? MODELS : [];
  const all = [...options.contestants, ...models].map((contestant): Visited => ({
    contestant,
    cold: [],
    warm: [],
    bytes: { script: 0, wasm: 0, model: 0 },
    reason: null,
  }));
  for (const one of all) {
    await attempt(one, async () => {
      const { context } = (one.profile = await profile(options.adapter));
      server.forget();
      await visit(context, server, one.contestant);
      one.bytes = wire(server);
      for (let i = 1; i < FILLING; i++) await visit(context, server, one.contestant);
    });
  }
  for (let round = 0; round < VISITS; round++) {
    for (const one of all) {
      await attempt(one, async () => {
        const fresh = await profile(options.adapter);
        try {
          one.cold.push(await visit(fresh.context, server, one.contestant));
        } finally {
          await leave(fresh);
        }
        one.warm.push(await visit(one.profile!.context, server, one.contestant));
      });
    }
  }
  for (const { profile } of all) await leave(profile);
  return all.map(({ profile: _, ...entry }) => entry);
}

/** Visits a contestant, unless it was given up; gives it up if that fails. */
async function attempt(one: Visited, work: () => Promise<void>): Promise<void> {
  if (one.reason !== null) return;
  one.reason = await failure(work);
  if (one.reason === null) return;
  await leave(one.profile);
  delete one.profile;
}

async function profile(adapter: string): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), "saccade-bench-"));
  const context = await chromium.launchPersistentContext(folder, { executablePath: executable(), args: switches(adapter) });
  return { context, folder };
}

/** A folder that stays behind is not worth what was measured. */
async function leave(profile: Profile | undefined): Promise<void> {
  if (!profile) return;
  await failure(() => within(SOON, "closing", profile.context.close()));
  await failure(() => rm(profile.folder, { recursive: true, force: true, maxRetries: 3 }));
}

/** The first answer of a page; one that gives none ends with its profile. */
async function visit(context: BrowserContext, server: Server, contestant: string): Promise<Started> {
  const page = await context.newPage();
  await page.goto(`${server.url}${address(contestant)}`);
  const started = await within(PATIENCE, "a visit", page.evaluate(() => window.started));
  await page.close();
  return started;
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
