/** `npm run bench`, from the arguments to the files. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { close, failure, launch, open, PATIENCE, within } from "./browser.ts";
import { make } from "./files.ts";
import { describe, type Machine } from "./machine.ts";
import { type NextResult, nextWord } from "./next.ts";
import { isPeer, type Options, parse, type Part } from "./options.ts";
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
  /** The cases and parts that failed, and why. */
  readonly failed: string[];
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
    const results: Results = { date: new Date().toISOString(), machine, options: { rounds, turn, budget }, versions, cases: [], skim: [], texts: null, next: null, train: [], start: [], failed: [] };
    /** Does a part, or a case, of what is to be measured: one that fails loses nothing of the others. */
    const attempt = async (what: string, work: () => Promise<void>) => {
      const reason = await failure(work);
      if (reason === null) return;
      console.error(`${what} failed: ${reason}`);
      results.failed.push(`${what}, ${reason}`);
    };
    const part = async (part: Part, what: string, work: () => Promise<void>) => {
      if (!options.parts.includes(part)) return;
      console.log(what);
      await attempt(what, work);
    };
    await part("recurrences", "recurrences", async () => {
      const roofline = await open(browser, `${server.url}roofline.html`);
      try {
        await within(PATIENCE, "making the roofline ready", roofline.evaluate(() => window.roofline.prepare()));
        for (const work of options.cases) {
          process.stdout.write(`${work.name} `);
          const begun = performance.now();
          await attempt(work.name, async () => void results.cases.push(await measure(browser, server.url, roofline, work, options)));
          console.log(`${((performance.now() - begun) / 1000).toFixed(0)} s`);
        }
      } finally {
        await close(roofline);
      }
    });
    await part("skim", "Skim-LSTM", async () => {
      results.skim = await skimLayers(browser, server.url, options);
      results.texts = await skimTexts(browser, server.url, options);
    });
    await part("next", "the next word", async () => {
      results.next = await nextWord(browser, server.url, options);
    });
    await part("train", "training", async () => {
      results.train = await train(browser, server.url, options);
    });
    await part("start", "start-up, cold and warm", async () => {
      results.start = await start(server, options);
    });
    keep(results, options);
    if (!isWhole(results)) process.exitCode = 1;
  } finally {
    await browser.close();
    server.close();
  }
}

/** Six digits are more than any clock here gives. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

/** Whether nothing of ours failed, and whether of every case and part somebody was measured to the end: peers may fail. */
function isWhole({ cases, skim, texts, next, train, start, failed }: Results): boolean {
  const fell = ({ reason }: { reason: string | null }) => reason !== null;
  const compared = [...cases.map(({ entries }) => entries), train, start].filter(({ length }) => length > 0);
  const alone = [...skim, texts, next].filter((one) => one !== null);
  return (
    failed.length === 0 &&
    !alone.some(fell) &&
    !compared.some((entries) => entries.every(fell) || entries.some((entry) => fell(entry) && !isPeer(entry.contestant)))
  );
}

/** The committed record is of whole runs. */
function keep(results: Results, options: Options): void {
  const isRecord = options.record && isWhole(results);
  const folder = join(bench, isRecord ? "record" : "results");
  mkdirSync(folder, { recursive: true });
  const text = report(results);
  const name = isRecord ? "browser" : `browser-${results.date.replace(/[:.]/g, "-")}`;
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(results, rounded)}\n`);
  writeFileSync(join(folder, `${name}.md`), text);
  writeFileSync(join(folder, `${name}.svg`), picture(results));
  console.log(`\n${text}\n${join(folder, name)}.{json,md,svg}`);
}
