/** The README keeps its word: its JavaScript runs and prints what it says, its addresses exist, its table has every error. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fixture } from "../js/tests/fixture.mjs";
import { byWords } from "../js/tests/language.mjs";
import { root } from "../scripts/steps.mjs";

const readme = readFileSync(join(root, "README.md"), "utf8");
const errors = readFileSync(join(root, "js", "src", "errors.ts"), "utf8");
const blocks = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);

/** The PyTorch modules that the README exports, from the files with their answers: file, case, what its names begin with. */
const checkpoints = [
  ["lstm", "lstm", "2l_bi", ""],
  ["gru", "gru", "1l_uni", "encoder."],
  ["sru", "sru", "v2_k3_rescale", ""],
  ["skim", "skim", "lstm_d2_slice_hard", ""],
  ["softmax", "adaptive_softmax", "two_tails", ""],
];

/** Models of sentences and trees. */
const structures = { tagger: "ewt-tagger", parser: "ewt-parser", trees: "sst-tree-lstm" };

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

describe("the README's JavaScript", () => {
  let folder;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "saccade-readme-"));
    cpSync(join(root, "models", "sst2-skim-lstm-small.safetensors"), join(folder, "model.safetensors"));
    writeFileSync(join(folder, "language.safetensors"), byWords().file);
    for (const [file, model] of Object.entries(structures)) cpSync(join(root, "models", `${model}.safetensors`), join(folder, `${file}.safetensors`));
    for (const [file, ...from] of checkpoints) writeFileSync(join(folder, `${file}.safetensors`), stateDict(...from));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(root, "js"), join(folder, "node_modules", "saccade-rnn"), "junction");
    // Node's own does not fetch files.
    const fetch = 'globalThis.fetch = async (file) => new Response(readFileSync(file));';
    writeFileSync(join(folder, "fetch.mjs"), `import { readFileSync } from "node:fs";\n${fetch}\n`);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [i, code] of blocks.entries()) {
    test(code.match(/^import (.*);$/m)?.[1] ?? `block ${i + 1}`, () => {
      const printed = [...code.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line);
      assert.ok(printed.length > 0, "the block says what it prints");
      const file = join(folder, `block-${i}.mjs`);
      writeFileSync(file, code);
      const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "./fetch.mjs", file], {
        cwd: folder,
        encoding: "utf8",
        timeout: 300_000,
      });
      assert.equal(status, 0, stderr);
      assert.deepEqual(stdout.trimEnd().split("\n"), printed);
    });
  }
});

test("the table of errors is that of the types, and has every code", () => {
  const table = errors.split("\n").flatMap((line) => (line.startsWith(" * |") ? [line.slice(3)] : []));
  const codes = [...errors.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  assert.ok(codes.length > 10 && table.length > 10);
  assert.ok(readme.includes(table.join("\n")), "copy the table from js/src/errors.ts");
  for (const code of codes) assert.ok(table.some((row) => row.split("|")[1].includes(`\`${code}\``)), code);
});

test("the README's addresses within the repository exist", () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, address]) => address);
  assert.ok(links.length > 5);
  for (const address of links) assert.ok(existsSync(join(root, address)), address);
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const [, name] of readme.matchAll(/`npm run ([\w:-]+)/g)) assert.ok(name in scripts, name);
});
