/** Whether skimming pays: Skim-LSTM beside our own LSTM, on two workloads and on whole texts. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { Skimmer, SkimTurn, TextsTurn } from "../page/skim.ts";
import { workloads } from "../shared/workloads.ts";
import { onPages, PATIENCE, within } from "./browser.ts";
import type { Options } from "./options.ts";

/** Skim-LSTM on one workload. */
export interface SkimResult {
  readonly workload: string;
  readonly skimmers: readonly Skimmer[];
  readonly turns: readonly SkimTurn[];
  /** Why there are not all turns. */
  readonly reason: string | null;
}

/** Both models on a test set; turns of the build before beside those of this one, where there is one. */
export interface TextsResult {
  readonly lstm: string;
  readonly skim: string;
  /** How many texts were read. */
  readonly texts: number;
  readonly turns: readonly TextsTurn[];
  readonly before: readonly TextsTurn[] | null;
  /** Why there are not all turns. */
  readonly reason: string | null;
}

/** As in the models: d' = 10 beside d = 100. */
const SMALL = 10;
/** Texts that one model reads before it is the other's turn. */
const CHUNK = 20;

/** W1 and W2, at rates from 0 to 1. */
export async function skimLayers(browser: Browser, url: string, options: Options): Promise<SkimResult[]> {
  const results: SkimResult[] = [];
  for (const workload of workloads.filter(({ name }) => name === "W1" || name === "W2")) {
    let skimmers: readonly Skimmer[] = [];
    const turns: SkimTurn[] = [];
    const reason = await onPages(browser, [`${url}skim.html`], async (page) => {
      const asked = [workload, SMALL] as const;
      skimmers = await within(PATIENCE, "making Skim layers ready", page!.evaluate(([work, small]) => window.skim.prepare(work, small), asked));
      for (let round = 0; round < options.rounds; round++) {
        turns.push(await within(PATIENCE, "a turn", page!.evaluate(([ms, round]) => window.skim.turn(ms, round), [options.turn, round] as const)));
      }
    });
    results.push({ workload: workload.name, skimmers, turns, reason });
  }
  return results;
}

/** `options.texts` texts of IMDb's test set, evenly spaced; null without data. */
export async function skimTexts(browser: Browser, url: string, options: Options): Promise<TextsResult | null> {
  if (options.data === null) return null;
  const file = join(options.data, "imdb", "test.tsv");
  if (!existsSync(file)) throw new Error(`${file} is missing`);
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  const count = Math.min(options.texts, lines.length);
  const texts = Array.from({ length: count }, (_, i) => {
    const [label = "", , , text = ""] = lines[Math.floor((i * lines.length) / count)]!.split("\t");
    return [label, text] as const;
  });
  const [lstm, skim] = ["imdb-lstm", "imdb-skim-lstm"];
  const paths = [`models/${lstm}.safetensors`, `models/${skim}.safetensors`] as const;
  const builds = ["", ...(options.before === null ? [] : ["before/"])];
  const turn = (page: Page, from: number, first: boolean) => {
    const asked = [texts.slice(from, from + CHUNK), first] as const;
    return within(PATIENCE, "a turn", page.evaluate(([texts, first]) => window.skim.texts(texts, first), asked));
  };
  const turns: TextsTurn[][] = builds.map(() => []);
  let read = 0;
  const reason = await onPages(browser, builds.map((folder) => `${url}${folder}skim.html`), async (...pages) => {
    for (const page of pages) await within(PATIENCE, "making models ready", page.evaluate(([lstm, skim]) => window.skim.load(lstm, skim), paths));
    for (const page of pages) for (let i = 0; i < 5; i++) await turn(page, 0, true);
    for (let round = 0; read < count; round++) {
      // Each build is as often the first as the other, with either model first.
      const order = pages.map((_, i) => (i + (round >> 1)) % pages.length);
      const one: TextsTurn[] = [];
      for (const i of order) one[i] = await turn(pages[i]!, read, round % 2 === 0);
      // What one build alone has read compares nothing.
      one.forEach((taken, i) => turns[i]!.push(taken));
      read = Math.min(read + CHUNK, count);
    }
  });
  const [now = [], before = null] = turns;
  return { lstm, skim, texts: read, turns: now, before, reason };
}
