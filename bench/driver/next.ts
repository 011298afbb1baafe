/** What clusters save where the next word is asked for: a trained language model beside a softmax over all of its words. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { NextTurn } from "../page/next.ts";
import { original, twins } from "../shared/next.ts";
import { onPages, PATIENCE, within } from "./browser.ts";
import type { Options } from "./options.ts";

/** All turns, one at a place of the text. */
export interface NextResult {
  readonly model: string;
  readonly turns: readonly NextTurn[];
  /** Why there are not all turns. */
  readonly reason: string | null;
}

/** The book that the model is tested on. */
const BOOK = join("novels", "test", "Doyle_Hound_1902.txt");
/** Words before each place, and places a round. */
const [BEFORE, PLACES] = [30, 4];

/** At places spread evenly over the model's test book; null without data. */
export async function nextWord(browser: Browser, url: string, options: Options): Promise<NextResult | null> {
  if (options.data === null) return null;
  const file = join(options.data, BOOK);
  if (!existsSync(file)) throw new Error(`${file} is missing`);
  const words = readFileSync(file, "utf8").split(/\s+/);
  const peer = options.contestants.includes("ort-wasm") && existsSync(join(import.meta.dirname, "..", "node_modules"));
  const addresses = [`models/${original}.safetensors`, `models/${twins.model}`, peer ? `models/${twins.onnx}` : null] as const;
  const turns: NextTurn[] = [];
  const places = PLACES * options.rounds;
  const reason = await onPages(browser, [`${url}next.html`], async (page) => {
    await within(PATIENCE, "making models ready", page!.evaluate(([model, twin, peer]) => window.next.prepare(model, twin, peer), addresses));
    for (let place = 0; place < places; place++) {
      const from = Math.floor(((words.length - BEFORE) * place) / places);
      const prompt = words.slice(from, from + BEFORE).join(" ");
      const asked = [prompt, place, options.turn / 4] as const;
      turns.push(await within(PATIENCE, "a turn", page!.evaluate(([prompt, round, ms]) => window.next.turn(prompt, round, ms), asked)));
    }
  });
  return { model: original, turns, reason };
}
