import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { chosen, dictionary } from "../sounds.mjs";

/** What `read` makes of a folder with these files. */
function within(files, read) {
  const folder = mkdtempSync(join(tmpdir(), "saccade-sounds-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return read(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("the dictionary: first pronunciations of words of letters, without stress, no more than two sounds a letter", () => {
  const lines = ["READ 1 R EH1 D", "READ 2 R IY1 D", "O'ER 1 AO1 R", "A 1 AH0", "TV 1 T IY1 V IY1", "MRS 1 M IH1 S IH0 Z AH0 Z", ""];
  const words = within({ "cmudict/cmudict": lines.join("\n") }, dictionary);
  assert.deepEqual([...words], [["read", ["R", "EH", "D"]], ["tv", ["T", "IY", "V", "IY"]]]);
});

test("names are shipped, and words that all novels together have 25 times", () => {
  const files = {
    "tiny/names.txt": "emma\n olivia \n",
    "novels/train/one.txt": "Whale, ".repeat(13) + "ship ".repeat(24),
    "novels/train/two.txt": "whale. ".repeat(12),
  };
  const words = within(files, chosen);
  assert.deepEqual(["emma", "olivia", "whale", "ship"].map((word) => words.has(word)), [true, true, true, false]);
});
