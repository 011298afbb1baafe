/**
 * `npm run figures [-- DATA]`: measures the models on their test texts, natively, and keeps in `www/data` what the page shows
 * of it. DATA is the folder that holds the data sets. Some four minutes on one core, most of them for IMDb.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announce, entry, must, root, saccade, Stop } from "./steps.mjs";

const sst = "Stanford Sentiment Treebank, binary (SST-2), test";
const models = {
  "sst2-skim-lstm-small": { dataset: sst, data: "DATA/sst/stsa.binary.test", format: "lines" },
  "sst2-skim-lstm": { dataset: sst, data: "DATA/sst/stsa.binary.test", format: "lines" },
  "imdb-skim-lstm": {
    dataset: "Large Movie Review Dataset (IMDb), test",
    data: "DATA/imdb/test.tsv",
    format: "imdb-tsv",
    // A tenth of the reviews: 29 passes over all 25,000 take a quarter of an hour.
    curve: ["--sample", "2500"],
  },
  "trec-skim-lstm": { dataset: "TREC questions, test", data: "DATA/trec/TREC.test.all", format: "lines" },
};

/** The files to make: what each is about, and the arguments of `saccade` that give the rest of it. */
const files = Object.entries(models).flatMap(([model, { dataset, data, format, curve = [] }]) => {
  const on = ["--model", `models/${model}.safetensors`, "--data", data, "--format", format];
  const about = { model, dataset };
  return [
    { file: `tradeoff-${model}.json`, about, args: ["curve", ...on, ...curve] },
    { file: `words-${model}.json`, about, args: ["words", ...on] },
  ];
});
const reader = "sst2-skim-lstm";
const fixations = ["--fixations", "DATA/reading/zuco_sst_word_fixation.tsv", "--frequency", "DATA/imdb/train.tsv:imdb-tsv"];
files.push({
  file: "eyes.json",
  about: { model: reader, dataset: "ZuCo: people reading sentences of SST, those of its test set" },
  args: ["eyes", "--model", `models/${reader}.safetensors`, ...fixations],
});

/** JSON for people and for diffs: a line for each entry, and for each object of a list; four decimals. */
function lines(value) {
  const short = (part) => JSON.stringify(part, (_, v) => (typeof v === "number" ? Number(v.toFixed(4)) : v));
  const list = (part) => `[\n    ${part.map(short).join(",\n    ")}\n  ]`;
  const tall = (part) => Array.isArray(part) && typeof part[0] === "object";
  const entries = Object.entries(value).map(
    ([key, part]) => `  ${JSON.stringify(key)}: ${tall(part) ? list(part) : short(part)}`,
  );
  return `{\n${entries.join(",\n")}\n}\n`;
}

/** Runs `saccade`, showing its progress, and gives what it prints. */
function measure(args) {
  const { status, stdout } = spawnSync(saccade, [...args, "--json"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Stop(`saccade ${args[0]} failed: see its message above.`);
  return JSON.parse(stdout);
}

await entry(async () => {
  const folder = process.argv[2] ?? join("..", "shared", "data");
  announce("build the command line");
  const build = ["build", "--release", "--package", "saccade-cli"];
  await must("cargo", build, "The command line did not build: see the message above.");
  const out = join(root, "www", "data");
  mkdirSync(out, { recursive: true });
  for (const [i, { file, about, args }] of files.entries()) {
    announce(`${file} (${i + 1} of ${files.length})`);
    const begun = performance.now();
    const measured = measure(args.map((arg) => arg.replace(/^DATA(?=\/)/, folder)));
    const command = `saccade ${args.join(" ")}`;
    writeFileSync(join(out, file), lines({ ...about, command, ...measured }));
    console.log(`${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }
});
