/**
 * `node models/sru-table.mjs DATA`, after `models/train-all.sh` or `saccade vectors` (see there): SRU of two and of four layers
 * beside an LSTM of two, 128 units each, on MR, SUBJ, TREC and SST, as Lei et al. (2018) have it in their table of
 * classification. MR and SUBJ by ten folds, TREC and SST by five seeds; all networks in turns. Prints accuracy, and seconds of a
 * processor an epoch. Some two hours of one core.
 *
 * Each config is that of the data set's LSTM, begun with word vectors alone, with another encoder and a fifth dropped between its
 * layers.
 */

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { saccade } from "../scripts/steps.mjs";

const here = import.meta.dirname;
const lstm = '{ type = "lstm", hidden_size = 128, bidirectional = false }';
export const networks = {
  "LSTM, 2 layers": `${lstm}, ${lstm}`,
  "SRU, 2 layers": '{ type = "sru", hidden_size = 128, num_layers = 2 }',
  "SRU, 4 layers": '{ type = "sru", hidden_size = 128, num_layers = 4 }',
};
export const sets = {
  MR: { config: "mr-lstm", by: "--fold", from: 0, to: 9 },
  SUBJ: { config: "subj-lstm", by: "--fold", from: 0, to: 9 },
  TREC: { config: "trec-lstm", by: "--seed", from: 1, to: 5 },
  SST: { config: "sst2-lstm", by: "--seed", from: 1, to: 5 },
};

/** The config of a data set's LSTM with another encoder. */
export function configOf(name, encoder) {
  return readFileSync(join(here, `${name}.toml`), "utf8")
    .replace(/^encoder = .*$/m, `encoder = [${encoder}]`)
    .replace(/^forget_bias = .*\n/m, encoder.includes("lstm") ? "$&" : "")
    .replace(/^init = .*$/m, 'init = "vectors.safetensors"')
    .replace(/^dropout_head/m, "dropout_encoder = 0.2\n$&");
}

/** Percent right on the test texts, and seconds of the processor an epoch. */
function run(config, data, [by, number]) {
  const out = config.replace(/toml$/, "safetensors");
  const script = `${saccade} train ${config} --data ${data} --out ${out} ${by} ${number}; times`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  rmSync(out, { force: true });
  const right = /^test +([\d.]+) %/m.exec(stdout + stderr);
  const used = /(\d+)m([\d.]+)s \S+$/.exec(stdout.trim());
  const epochs = Number(/^epochs = (\d+)/m.exec(readFileSync(config, "utf8"))[1]);
  if (!right || !used) throw new Error(`${script}\n${stdout}\n${stderr}`);
  return [Number(right[1]), (60 * used[1] + Number(used[2])) / epochs];
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) * (values.length / (values.length - 1)));

function main() {
  const [data] = process.argv.slice(2);
  if (data === undefined) throw new Error("node models/sru-table.mjs DATA");
  for (const [set, { config, by, from, to }] of Object.entries(sets)) {
    const found = Object.fromEntries(Object.keys(networks).map((network) => [network, []]));
    for (let number = from; number <= to; number++) {
      for (const [network, encoder] of Object.entries(networks)) {
        const file = join(here, "work", `${config}-${network.replace(/\W+/g, "-").toLowerCase()}.toml`);
        writeFileSync(file, configOf(config, encoder));
        found[network].push(run(file, data, [by, number]));
      }
    }
    for (const [network, runs] of Object.entries(found)) {
      const [right, seconds] = [0, 1].map((at) => runs.map((one) => one[at]));
      console.log(`${set}  ${network}  ${mean(right).toFixed(2)} ± ${deviation(right).toFixed(2)} %  ${mean(seconds).toFixed(2)} s an epoch`);
    }
  }
}

if (process.argv[1] === import.meta.filename) main();
