/**
 * Classifies texts, one a line, and writes a table: label, its probability, the text, with tabs between them.
 *
 *     node classify.mjs reviews.txt > reviews.tsv
 *     node classify.mjs < reviews.txt > reviews.tsv
 *     node classify.mjs --model my.safetensors reviews.txt
 *
 * This program computes on one core, and on more with `readAll(texts, { workers: "auto" })`. A model is one small file and texts know nothing of each other, so for all cores, or all
 * nodes, cut the file, here by GNU's tools, and start a process for each piece:
 *
 *     split -n l/$(nproc) reviews.txt piece-
 *     ls piece-?? | xargs -P $(nproc) -I{} sh -c 'node classify.mjs {} > {}.tsv'
 *     cat piece-??.tsv > reviews.tsv
 */

import { createReadStream } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { load } from "saccade-rnn";

/** Texts of a call: enough to fill batches, few enough to hold in memory. */
const CHUNK = 2048;
const standard = new URL("../../models/sst2-skim-lstm-small.safetensors", import.meta.url);

const { values, positionals } = parseArgs({ options: { model: { type: "string" } }, allowPositionals: true });
const [file] = positionals;
const input = file ? createReadStream(file) : process.stdin;
const model = await load(values.model ?? standard, { device: "cpu" });
const terminal = process.stderr.isTTY;
let written = 0;

async function classify(texts) {
  const onProgress = ({ done }) => terminal && process.stderr.write(`\r${written + done} texts`);
  const readings = await model.readAll(texts, { onProgress });
  const rows = readings.map(({ label, scores }, i) => {
    const { probability } = scores.find((score) => score.label === label);
    return `${label}\t${probability.toFixed(4)}\t${texts[i].replaceAll("\t", " ")}\n`;
  });
  written += texts.length;
  if (!process.stdout.write(rows.join(""))) await once(process.stdout, "drain");
}

let texts = [];
for await (const line of createInterface({ input, crlfDelay: Infinity })) {
  if (line.trim() === "") continue;
  texts.push(line);
  if (texts.length === CHUNK) {
    await classify(texts);
    texts = [];
  }
}
if (texts.length > 0) await classify(texts);
process.stderr.write(`${terminal ? "\r" : ""}${written} texts\n`);
