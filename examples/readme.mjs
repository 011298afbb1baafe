/** The README's JavaScript, and a folder in which it runs. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixture } from "../js/tests/fixture.mjs";
import { byWords } from "../js/tests/language.mjs";
import { root } from "../scripts/steps.mjs";

export const readme = readFileSync(join(root, "README.md"), "utf8");

/** The blocks: the code, what of the package it imports, and the lines that it says it prints. */
export const blocks = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code], i) => ({
  code,
  name: code.match(/^import (.*);$/m)?.[1] ?? `block ${i + 1}`,
  prints: [...code.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line),
}));

/** The PyTorch modules that the README exports, from the files with their answers: file, case, what its names begin with. */
const checkpoints = [
  ["lstm", "lstm", "2l_bi", ""],
  ["gru", "gru", "1l_uni", "encoder."],
  ["sru", "sru", "v2_k3_rescale", ""],
  ["skim", "skim", "lstm_d2_slice_hard", ""],
  ["softmax", "adaptive_softmax", "two_tails", ""],
];

/** Models of sentences and trees. */
const structures = { tagger: "ewt-tagger", parser: "ewt-parser", trees: "sst-tree-lstm", texts: "sst-child-sum" };

/** A safetensors file of a case's parameters alone, as `save_file` writes a `state_dict`. */
function stateDict(family, name, prefix) {
  const { bytes } = fixture(family, name);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const stored = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const header = {};
  const parts = [];
  let at = 0;
  for (const [tensor, { dtype, shape, data_offsets }] of Object.entries(stored)) {
    if (!tensor.startsWith("param.")) continue;
    const part = bytes.subarray(...data_offsets.map((offset) => 8 + length + offset));
    header[prefix + tensor.slice("param.".length)] = { dtype, shape, data_offsets: [at, at + part.length] };
    parts.push(part);
    at += part.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, ...parts]);
}

/** Makes a temporary folder with the package and the files that the blocks open; returns where it is. */
export function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "saccade-readme-"));
  cpSync(join(root, "models", "sst2-skim-lstm-small.safetensors"), join(folder, "model.safetensors"));
  writeFileSync(join(folder, "language.safetensors"), byWords().file);
  for (const [file, model] of Object.entries(structures)) cpSync(join(root, "models", `${model}.safetensors`), join(folder, `${file}.safetensors`));
  for (const [file, ...from] of checkpoints) writeFileSync(join(folder, `${file}.safetensors`), stateDict(...from));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies: { "saccade-rnn": "0.1.0" } }));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(root, "js"), join(folder, "node_modules", "saccade-rnn"), "junction");
  // Node's own does not fetch files.
  const fetch = "globalThis.fetch = async (file) => new Response(readFileSync(file));";
  writeFileSync(join(folder, "fetch.mjs"), `// @ts-nocheck\nimport { readFileSync } from "node:fs";\n${fetch}\n`);
  for (const [i, { code }] of blocks.entries()) writeFileSync(join(folder, `block-${i}.mjs`), `import "./fetch.mjs";\n${code}`);
  return folder;
}
