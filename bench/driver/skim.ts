/** Whether skimming pays: Skim-LSTM beside our own LSTM, on two workloads and on whole texts. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { Skimmer, SkimTurn, TextsTurn } from "../page/skim.ts";
import { workloads } from "../shared/workloads.ts";
import { open } from "./browser.ts";
import type { Options } from "./options.ts";

/** Skim-LSTM on one workload. */
export interface SkimResult {
  readonly workload: string;
  readonly skimmers: readonly Skimmer[];
  readonly turns: readonly SkimTurn[];
}

/** Both models on a test set; turns of the build before beside those of this one, where there is one. */
export interface TextsResult {
  readonly lstm: string;
  readonly skim: string;
  readonly texts: number;
  readonly turns: readonly TextsTurn[];
  readonly before: readonly TextsTurn[] | null;
}

/** As in the models: d' = 10 beside d = 100. */
const SMALL = 10;
/** Texts that one model reads before it is the other's turn. */
const CHUNK = 20;

/** W1 and W2, at rates from 0 to 1. */
export async function skimLayers(browser: Browser, url: string, options: Options): Promise<SkimResult[]> {
  const results: SkimResult[] = [];
  for (const workload of workloads.filter(({ name }) => name === "W1" || name === "W2")) {
    const page = await open(browser, `${url}skim.html`);
    const skimmers = await page.evaluate(([work, small]) => window.skim.prepare(work, small), [workload, SMALL] as const);
    const turns: SkimTurn[] = [];
    for (let round = 0; round < options.rounds; round++) {
      turns.push(await page.evaluate((ms) => window.skim.turn(ms), options.turn));
    }
    results.push({ workload: workload.name, skimmers, turns });
    await page.context().close();
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
  const pages = await Promise.all(builds.map((folder) => open(browser, `${url}${folder}skim.html`)));
  for (const page of pages) await page.evaluate(([lstm, skim]) => window.skim.load(lstm, skim), paths);
  const turn = (page: Page, from: number, first: boolean) =>
    page.evaluate(([texts, first]) => window.skim.texts(texts, first), [texts.slice(from, from + CHUNK), first] as const);
  for (const page of pages) for (let i = 0; i < 5; i++) await turn(page, 0, true);
  const turns: TextsTurn[][] = pages.map(() => []);
  for (let from = 0, round = 0; from < count; from += CHUNK, round++) {
    // Each build is as often the first as the other, with either model first.
    const order = pages.map((_, i) => (i + (round >> 1)) % pages.length);
    for (const i of order) turns[i]!.push(await turn(pages[i]!, from, round % 2 === 0));
  }
  for (const page of pages) await page.context().close();
  const [now = [], before = null] = turns;
  return { lstm, skim, texts: count, turns: now, before };
}
