/** Training runs that `cli/tests/page.rs` has recorded of the command line: their data, their settings and what they told. */

import assert from "node:assert/strict";
import { difference } from "./fixture.mjs";
import { bytesOf } from "./package.mjs";

/** What `cli/tests/page.rs` has recorded of the command line. */
export const recorded = JSON.parse(new TextDecoder().decode(await bytesOf("js/tests/training.json")));

export const rows = (lines) => lines.trimEnd().split("\n").map((line) => ({ label: line.slice(0, line.indexOf(" ")), text: line.slice(line.indexOf(" ") + 1) }));
export const reviews = { train: rows(recorded.train), dev: rows(recorded.dev) };

export const skim = {
  task: "classify",
  seed: 3,
  model: { embeddingSize: 12, encoder: [{ type: "skim", cell: "lstm", hiddenSize: 16, smallSize: 4 }] },
  train: { batch: 16, epochs: 2, learningRate: 0.01, average: 0.9, dropoutHead: 0.2, skim: { gamma: 0.1, temperatureRate: 0.01 } },
};
export const letters = {
  task: "predict",
  seed: 4,
  data: { tokenizer: { kind: "characters", lowercase: false }, steps: 16 },
  model: { embeddingSize: 8, encoder: [{ type: "gru", hiddenSize: 16 }] },
  train: { batch: 8, epochs: 1, learningRate: 0.01, schedule: "linear" },
};
export const words = {
  task: "predict",
  seed: 5,
  data: { layout: "lines", steps: 8 },
  prediction: { cutoffs: [4], divValue: 2, input: "tied" },
  model: { embeddingSize: 16, encoder: [{ type: "sru", hiddenSize: 16, numLayers: 2 }] },
  train: { batch: 4, epochs: 1, learningRate: 0.01 },
};
export const tags = {
  task: "tag",
  seed: 6,
  data: { tokenizer: { kind: "spaces", lowercase: true }, minCount: 2, unknown: 0.1 },
  tagging: { characters: { embeddingSize: 6, hiddenSize: 8 } },
  model: { embeddingSize: 8, encoder: [{ type: "lstm", hiddenSize: 8, bidirectional: true }], forgetBias: 1 },
  train: { batch: 8, epochs: 2, learningRate: 0.02, dropoutEmbedding: 0.1, adversarial: 0.01 },
};
export const treebank = { train: new Blob([recorded.treebank]), dev: new Blob([recorded.devTreebank]) };
export const runs = { skim: [reviews, skim], letters: [recorded.text, letters], words: [recorded.text, words], tags: [treebank, tags] };

/** All that a run tells. */
export async function events(run) {
  const all = [];
  for await (const event of run) all.push(event);
  return all;
}

/** The losses of every step. */
export const losses = (all) => all.filter(({ type }) => type === "step").map(({ losses }) => Object.values(losses));

/** Fails unless numbers agree to 1e-5. */
export const near = (found, expected, what) => assert.ok(difference(found, expected) <= 1e-5, `${what}: ${found} instead of ${expected}`);
