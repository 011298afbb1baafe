/** The reference against what PyTorch and the `sru` package computed, and what else needs no browser. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { difference, swap } from "../shared/layout.ts";
import { batch, most, text } from "../shared/letters.ts";
import { reference } from "../shared/reference.ts";
import { readSafetensors, writeSafetensors } from "../shared/safetensors.ts";
import { inTurn } from "../shared/turns.ts";
import { type Tensor, drawInput, drawWeights } from "../shared/weights.ts";
import { type Case, type Cell, caseOf } from "../shared/workloads.ts";

const fixtures = join(import.meta.dirname, "..", "..", "crate", "tests", "fixtures");

/** Each sequence of a fixture alone through the reference, as the fixture was made. */
function compare(cell: Cell, name: string): number {
  const bytes = readFileSync(join(fixtures, cell, `${name}.safetensors`));
  const { tensors, metadata } = readSafetensors(bytes);
  const config = JSON.parse(metadata["case"]!);
  const weights = new Map<string, Tensor>();
  for (const [key, value] of tensors) if (key.startsWith("param.")) weights.set(key.slice("param.".length), value);
  const x = tensors.get("input.x")!;
  const y = tensors.get("output.y")!;
  let row = 0;
  let worst = 0;
  for (const steps of lengths(bytes)) {
    const work: Case = {
      name, cell, batch: 1, steps,
      inputSize: config.input_size, hiddenSize: config.hidden_size, layers: config.num_layers,
    };
    const rows = (tensor: Tensor, columns: number) => tensor.data.subarray(row * columns, (row + steps) * columns);
    const answer = reference(work, weights, rows(x, work.inputSize));
    worst = Math.max(worst, difference(answer, rows(y, work.hiddenSize)));
    row += steps;
  }
  expect(row).toBe(x.shape[0]);
  return worst;
}

/** `input.lengths`, which is int32 and so not among the tensors. */
function lengths(bytes: Buffer): Int32Array {
  const length = Number(bytes.readBigUInt64LE(0));
  const [begin, end] = JSON.parse(bytes.toString("utf8", 8, 8 + length))["input.lengths"].data_offsets;
  return new Int32Array(Uint8Array.from(bytes.subarray(8 + length + begin, 8 + length + end)).buffer);
}

test.each([
  ["lstm", "1l_uni"], ["lstm", "2l_uni"], ["gru", "1l_uni"], ["gru", "2l_uni"],
  ["sru", "v2_k3"], ["sru", "v2_k4"],
] as const)("%s %s is what PyTorch computed", (cell, name) => {
  expect(compare(cell, name)).toBeLessThan(1e-6);
});

test("weights survive their file", () => {
  const weights = drawWeights(caseOf("W1-lstm"));
  const { tensors, metadata } = readSafetensors(writeSafetensors(weights, { kind: "lstm" }));
  expect(metadata).toEqual({ kind: "lstm" });
  expect(tensors).toEqual(weights);
});

test("a case is the same every time, and unlike another", () => {
  const [a, b] = [drawInput(caseOf("W1-lstm")), drawInput(caseOf("W1-gru"))];
  expect(drawInput(caseOf("W1-lstm"))).toEqual(a);
  expect(difference(a, b)).toBeGreaterThan(0.5);
  const mean = a.reduce((sum, value) => sum + value, 0) / a.length;
  expect(Math.abs(mean)).toBeLessThan(0.05);
});

test("texts begin anew when they are at their end, lane by lane", () => {
  const ids = text();
  expect(batch(ids, most)).toEqual(batch(ids, 0));
  expect(batch(ids, 2 * most + 3)).toEqual(batch(ids, 3));
  // A lane's last letter is followed by the first of the lane after it, as it was read.
  const { now, next } = batch(ids, most - 1);
  expect(next[0]!.at(-1)).toBe(batch(ids, 0).now[1]![0]);
  expect(next[0]!.slice(0, -1)).toEqual(now[0]!.slice(1));
});

test("in each round another one is the first, and all have a turn", () => {
  expect([0, 1, 2, 3].map((round) => inTurn(["a", "b", "c"], round).join(""))).toEqual(["abc", "bca", "cab", "abc"]);
});

test("layouts", () => {
  const rows = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  expect([...swap(rows, 2, 3)]).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
  expect(swap(swap(rows, 2, 3), 3, 2)).toEqual(rows);
});

test("a difference that cannot be told is infinite", () => {
  expect(difference([1, NaN], [1, 2])).toBe(Infinity);
  expect(difference([NaN, 1], [1, 2])).toBe(Infinity);
  expect(difference([1], [1, 2])).toBe(Infinity);
  expect(difference([1, 2.5], [1, 2])).toBe(0.5);
});
