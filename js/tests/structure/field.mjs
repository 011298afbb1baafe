/** A tagger with a conditional random field, as small as one can be that learned something: tags of words in `-ed` by their neighbours. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CONFIG = `
seed = 7
[data]
name = "words in -ed"
tokenizer = { kind = "universal", lowercase = true }
train = "bank"
dev = "bank"
test = "bank"
[task.tag]
crf = true
characters = { embedding_size = 4, hidden_size = 4 }
[model]
embedding_size = 6
encoder = [{ type = "lstm", hidden_size = 6, bidirectional = true }]
[train]
batch = 4
epochs = 40
learning_rate = 0.03
`;

/** A treebank in CoNLL-U: after a noun such a word is a verb, before one an adjective. */
function treebank() {
  const sentences = ["dog", "cat", "man"].flatMap((noun) =>
    ["jumped", "washed", "painted"].flatMap((word) => [
      [["the", "DET"], [noun, "NOUN"], [word, "VERB"], ["it", "PRON"], [".", "PUNCT"]],
      [["she", "PRON"], ["saw", "VERB"], ["the", "DET"], [word, "ADJ"], [noun, "NOUN"], [".", "PUNCT"]],
    ]),
  );
  const row = ([form, tag], at) => `${at + 1}\t${form}\t_\t${tag}\t_\t_\t${Math.min(at, 1)}\tdep\t_\t_\n`;
  return sentences.map((words) => `${words.map(row).join("")}\n`).join("");
}

/** Has the command line, which `run` runs with its arguments, train the tagger into a file. */
export function trainField(run, file) {
  const folder = mkdtempSync(join(tmpdir(), "saccade-field-"));
  try {
    writeFileSync(join(folder, "bank"), treebank());
    writeFileSync(join(folder, "field.toml"), CONFIG);
    run(["train", join(folder, "field.toml"), "--data", folder, "--out", file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
