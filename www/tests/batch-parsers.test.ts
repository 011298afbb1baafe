/** The parser in JavaScript: it finds what the package's own finds, and stops where all stop. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { load } from "../../js/src/index.ts";
import { Network } from "../src/batch/parsers/network.ts";
import { sentences } from "../src/batch/parsers/strings.ts";
import { allowed, begun, isDone, looksAt, moved, type Move } from "../src/batch/parsers/transitions.ts";
import { noise } from "./noise.ts";

const file = new Uint8Array(readFileSync(join(import.meta.dirname, "..", "..", "models", "ewt-parser.safetensors")));

test("sixteen parsers find the trees of the package's, and each await joins all that still parse", async () => {
  const parser = await load(file.slice(), { task: "parse" });
  const parsed = await parser.parse(sentences);
  const network = new Network(file);
  const { awaits, heads, explanation } = await network.parse(parsed.map(({ tokens }) => tokens.map(({ text }) => text)));
  expect(sentences).toHaveLength(16);
  for (const [at, { tokens }] of parsed.entries()) expect(heads[at], sentences[at]).toEqual(tokens.map(({ head }) => head ?? tokens.length));
  const counts = awaits.map(({ length }) => length);
  expect(counts[0]).toBe(16);
  expect(counts).toEqual([...counts].sort((a, b) => b - a));
  // Every decision's scores are one node, and those of an await one launch.
  expect(explanation.batches.filter(({ op }) => op === "scores").map(({ lanes }) => lanes)).toEqual(counts);
  expect(explanation.batches.length).toBeGreaterThanOrEqual(explanation.lowerBound);
  network.dispose();
  parser.dispose();
});

test("whatever a parser does, it ends with a tree of one root after two moves a word", () => {
  const random = noise(3);
  for (let n = 0; n < 200; n++) {
    const words = 1 + Math.floor(random() * 12);
    let [state, steps] = [begun(words), 0];
    for (; !isDone(state); steps++) {
      const moves = allowed(state);
      expect(looksAt(state)).toHaveLength(4);
      state = moved(state, moves[Math.floor(random() * moves.length)] as Move);
    }
    expect(steps).toBe(2 * words);
    expect(state.heads.filter((head) => head === words)).toHaveLength(1);
    expect(state.heads.every((head, word) => head >= 0 && head !== word)).toBe(true);
  }
});
