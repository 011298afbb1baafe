/**
 * `npm run shares [-- DATA]`: counts the words of the texts that `novels-lm` learned from, as it cuts them, and keeps in
 * `www/data` which share of the tokens the most frequent words are: numbers alone, at places some 3 % apart, for the page to
 * say what a cut of the vocabulary costs. DATA is the folder that holds the data sets.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensurePackage, entry, root } from "./steps.mjs";

const MODEL = "novels-lm";
/** Neighbouring places differ by this factor, or by one word, as in `saccade cutoffs`. */
const STEP = 1.03;

/** The config in a model file, with its words. */
function configOf(file) {
  const length = Number(file.readBigUInt64LE(0));
  return JSON.parse(JSON.parse(file.subarray(8, 8 + length).toString()).__metadata__.saccade);
}

/** Numbers of words, the whole vocabulary last; the model's own cuts are among them. */
function placesOf(words, cutoffs) {
  const places = new Set(cutoffs);
  for (let place = 1; place < words; place = Math.max(place + 1, Math.floor(place * STEP))) places.add(place);
  return [...places, words].sort((a, b) => a - b);
}

await entry(async () => {
  const folder = join(process.argv[2] ?? join("..", "shared", "data"), "novels", "train");
  await ensurePackage();
  const { load } = await import("../js/dist/node.js");
  const bytes = readFileSync(join(root, "models", `${MODEL}.safetensors`));
  const { vocabulary, task, training } = configOf(bytes);
  const ids = new Map(vocabulary.map((word, id) => [word, id]));
  const model = await load(bytes, { task: "predict" });
  const counts = new Float64Array(vocabulary.length);
  for (const name of readdirSync(folder)) {
    for (const { text } of await model.tokenize(readFileSync(join(folder, name), "utf8"))) counts[ids.get(text) ?? 0]++;
  }
  model.dispose();
  const { cutoffs } = task.predict;
  const places = placesOf(vocabulary.length, cutoffs);
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  let [words, sum] = [0, 0];
  const below = places.map((place) => {
    for (; words < place; words++) sum += counts[words];
    return Number((sum / tokens).toFixed(6));
  });
  const out = { model: MODEL, dataset: training.data_set, tokens, cutoffs, places, below };
  const lines = Object.entries(out).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  writeFileSync(join(root, "www", "data", `shares-${MODEL}.json`), `{\n${lines.join(",\n")}\n}\n`);
  console.log(`${tokens} tokens, ${places.length} places`);
});
