/** `npm run bench`, from the arguments to the files. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, open } from "./browser.ts";
import { make } from "./files.ts";
import { describe, type Machine } from "./machine.ts";
import { type NextResult, nextWord } from "./next.ts";
import { type Options, parse } from "./options.ts";
import { picture } from "./picture.ts";
import { report } from "./report.ts";
import { type CaseResult, measure } from "./rounds.ts";
import { serve } from "./server.ts";
import { skimLayers, type SkimResult, skimTexts, type TextsResult } from "./skim.ts";
import { start, type StartEntry } from "./start.ts";
import { train, type TrainEntry } from "./train.ts";

const bench = join(import.meta.dirname, "..");

/** Everything that a run measured, as it is kept. */
export interface Results {
  readonly date: string;
  readonly machine: Machine;
  readonly options: Pick<Options, "rounds" | "turn" | "budget">;
  readonly versions: Readonly<Record<string, string>>;
  readonly cases: CaseResult[];
  skim: SkimResult[];
  texts: TextsResult | null;
  next: NextResult | null;
  train: TrainEntry[];
  start: StartEntry[];
}

/** Measures what the arguments ask for; `versions` are the peers'. */
export async function main(args: readonly string[], versions: Readonly<Record<string, string>>): Promise<void> {
  const options = parse(args);
  const server = await serve(join(bench, "dist"), make);
  const browser = await launch(options.adapter);
  try {
    const machine = await describe(browser, server.url);
    console.log(`${machine.processor}, ${machine.cores} cores, load ${machine.load}; ${machine.browser}; WebGPU: ${machine.adapter ?? "none"}`);
    if (machine.load > 0.5) console.log("Others are at work on this machine: trust ratios, not milliseconds.");
    const { rounds, turn, budget } = options;
    const results: Results = { date: new Date().toISOString(), machine, options: { rounds, turn, budget }, versions, cases: [], skim: [], texts: null, next: null, train: [], start: [] };
    if (options.parts.includes("recurrences")) {
      const roofline = await open(browser, `${server.url}roofline.html`);
      await roofline.evaluate(() => window.roofline.prepare());
      for (const work of options.cases) {
        process.stdout.write(`${work.name} `);
        const begun = performance.now();
        results.cases.push(await measure(browser, server.url, roofline, work, options));
        console.log(`${((performance.now() - begun) / 1000).toFixed(0)} s`);
      }
    }
    if (options.parts.includes("skim")) {
      console.log("Skim-LSTM");
      results.skim = await skimLayers(browser, server.url, options);
      results.texts = await skimTexts(browser, server.url, options);
    }
    if (options.parts.includes("next")) {
      console.log("the next word");
      results.next = await nextWord(browser, server.url, options);
    }
    if (options.parts.includes("train")) {
      console.log("training");
      results.train = await train(browser, server.url, options);
    }
    if (options.parts.includes("start")) {
      console.log("start-up, cold and warm");
      results.start = await start(server, options);
    }
    keep(results, options);
  } finally {
    await browser.close();
    server.close();
  }
}

/** Six digits are more than any clock here gives. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

function keep(results: Results, options: Options): void {
  const folder = join(bench, options.record ? "record" : "results");
  mkdirSync(folder, { recursive: true });
  const text = report(results);
  const name = options.record ? "browser" : `browser-${results.date.replace(/[:.]/g, "-")}`;
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(results, rounded)}\n`);
  writeFileSync(join(folder, `${name}.md`), text);
  writeFileSync(join(folder, `${name}.svg`), picture(results));
  console.log(`\n${text}\n${join(folder, name)}.{json,md,svg}`);
}
