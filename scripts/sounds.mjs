/**
 * `node scripts/sounds.mjs DATA`: which letter of a word makes which of its sounds, for the chapter Train; writes
 * `www/src/train/name/sounds.txt`. DATA is the folder that holds the data sets. A minute on one core.
 *
 * The CMU Pronouncing Dictionary gives the sounds of a word, not whose they are.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alignAll } from "./align.mjs";
import { announce, entry, root, Stop } from "./steps.mjs";

/** Sounds of a letter that fewer words of the dictionary have are mistakes, or abbreviations that are spelled. */
const LEAST = 100;
/** Words that occur so often in the novels are shipped beside the first names. */
const FREQUENT = 25;
/** A character for each label of a letter. */
const CODES = "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+*";

/** The words of the dictionary, their first pronunciation, without stress. */
export function dictionary(data) {
  const words = new Map();
  for (const line of readFileSync(join(data, "cmudict/cmudict"), "latin1").split("\n")) {
    const [word, number, ...phonemes] = line.trim().split(/\s+/);
    if (number === "1" && /^[A-Z]{2,}$/.test(word) && phonemes.length <= 2 * word.length) {
      words.set(word.toLowerCase(), phonemes.map((phoneme) => phoneme.replace(/\d/, "")));
    }
  }
  return words;
}

/** First names, and the words that novels have often. */
export function chosen(data) {
  const names = readFileSync(join(data, "tiny/names.txt"), "utf8").split("\n").map((name) => name.trim());
  const counts = new Map();
  for (const book of readdirSync(join(data, "novels/train"))) {
    for (const [word] of readFileSync(join(data, "novels/train", book), "utf8").toLowerCase().matchAll(/[a-z]+/g)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return new Set([...names, ...[...counts].filter(([, count]) => count >= FREQUENT).map(([word]) => word)]);
}

/** Under which conditions the dictionary is handed on: whoever does hands them on as well. */
function notice(data) {
  const readme = readFileSync(join(data, "cmudict/README"), "latin1");
  return readme.slice(readme.indexOf("Redistribution and use")).trim().split("\n");
}

function main() {
  const [data] = process.argv.slice(2);
  if (data === undefined) throw new Stop("node scripts/sounds.mjs DATA: the folder that holds cmudict, novels and tiny");
  announce("align letters and sounds");
  const aligned = alignAll(dictionary(data));
  const counts = new Map();
  for (const labels of aligned.values()) for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labels = [...counts].filter(([, count]) => count >= LEAST).sort(([, a], [, b]) => b - a).map(([label]) => label);
  const code = new Map(labels.map((label, i) => [label, CODES[i]]));
  const shipped = chosen(data);
  const lines = [...aligned].filter(([word, of]) => shipped.has(word) && of.every((label) => code.has(label)));
  const text = [
    "# Which letter makes which sound: English words and first names, each with a sign for every letter.",
    "# From the CMU Pronouncing Dictionary 0.7a, Copyright (C) 1993-2008 Carnegie Mellon University. All rights reserved.",
    "# First names as chosen from karpathy/makemore (MIT). Aligned by scripts/sounds.mjs.",
    "#",
    ...notice(data).map((line) => `# ${line}`.trimEnd()),
    "#",
    "# What each sign stands for, and the words:",
    ...labels.map((label) => `${code.get(label)} ${label}`.trimEnd()),
    "",
    ...lines.map(([word, of]) => `${word} ${of.map((label) => code.get(label)).join("")}`),
    "",
  ].join("\n");
  writeFileSync(join(root, "www/src/train/name/sounds.txt"), text);
  console.log(`${lines.length} words, ${labels.length} labels, ${text.length} bytes`);
}

if (process.argv[1] === import.meta.filename) await entry(main);
