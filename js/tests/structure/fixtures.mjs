/**
 * `node js/tests/structure/fixtures.mjs path/to/saccade`: what the command line makes of some texts and trees, into
 * `fixtures.json`, with which the package is compared, and a tagger that nobody publishes, into `field.safetensors`.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/steps.mjs";
import { trainField } from "./field.mjs";

const TEXTS = [
  "The old man didn't see the two films in Berlin, did he?",
  "\"Good\" 🎬 film, in-flight! She can't, won't; see http://example.org/a?b=c (p. 5).\n\nNaïve café-goers, e.g. Dr. Smith's, paid $3.50…",
  "Go home. Now",
  "שלום עולם, 你好世界 and Ωmega.",
  "",
  " \n\t ",
];
const TREES = [
  "(3 (2 Quite) (4 (3 good) (2 -RRB-)))",
  "( ( (  The) ( acting)) ( ( is) ( ( n't) ( ( very) ( good)))))",
  "(2 🎬)",
  "",
];
const [saccade = "target/release/saccade"] = process.argv.slice(2);

/** What the command line prints. */
function run(given, input = "") {
  const { status, stdout, stderr } = spawnSync(saccade, given, { input, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const read = (model, text, others) => JSON.parse(run(["read", "--json", "--model", model, ...others], text));

const file = (name) => join(root, "models", name);
const answers = (model, texts, ...others) => texts.map((text) => ({ given: text, answer: read(file(model), text, others) }));
const field = join(import.meta.dirname, "field.safetensors");
trainField(run, field);
const models = {
  tag: answers("ewt-tagger.safetensors", TEXTS),
  field: ["The man washed it. She saw the washed man.", ...TEXTS].map((text) => ({ given: text, answer: read(field, text, []) })),
  parse: answers("ewt-parser.safetensors", TEXTS),
  tree: answers("sst-tree-lstm.safetensors", TREES),
  heads: answers("sst-child-sum.safetensors", TEXTS, "--parser", file("ewt-parser.safetensors")),
};
writeFileSync(join(import.meta.dirname, "fixtures.json"), `${JSON.stringify(models, null, 1)}\n`);
