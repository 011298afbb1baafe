/** The roofline's loops compute what they are said to: a rate of the wrong sum would mean nothing. */

import { expect, test } from "vitest";
import { assemble } from "../roofline/assemble.ts";
import { loops, PAGES, places, Roofline } from "../roofline/loops.ts";
import { fastest, limit, type Rates } from "../roofline/limit.ts";
import { BLOCK, CHAINS, PANEL } from "../roofline/wat.ts";
import { caseOf } from "../shared/workloads.ts";

async function loopsOf(): Promise<Roofline> {
  // Node may be too old for the other flavour, whose loops differ in one instruction.
  const { instance } = await WebAssembly.instantiate(assemble("simd128", PAGES));
  return new Roofline(instance);
}

test("matrix-vector product", async () => {
  const roofline = await loopsOf();
  const { memory } = roofline;
  expect(roofline.run("matvec 160 KB")).toBe(2 * 400 * 100);
  for (const row of [0, 39, 40, 399]) {
    let sum = 0;
    for (let k = 0; k < 100; k++) {
      const panel = places.matrix + Math.floor(row / PANEL) * PANEL * 100;
      sum += memory[panel + k * PANEL + (row % PANEL)]! * memory[places.vector + k]!;
    }
    expect(memory[places.out + row]).toBeCloseTo(sum, 4);
  }
});

test("blocked product", async () => {
  const roofline = await loopsOf();
  const { memory } = roofline;
  const { rows, depth, columns } = places.product;
  expect(roofline.run("product")).toBe(2 * rows * depth * columns);
  for (const [row, column] of [[0, 0], [7, 9], [19, 255]] as const) {
    const a = places.vector + Math.floor(row / BLOCK.rows) * BLOCK.rows * depth + (row % BLOCK.rows);
    const b = places.matrix + Math.floor(column / BLOCK.columns) * BLOCK.columns * depth + (column % BLOCK.columns);
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += memory[a + k * BLOCK.rows]! * memory[b + k * BLOCK.columns]!;
    const block = Math.floor(column / BLOCK.columns) * (rows / BLOCK.rows) + Math.floor(row / BLOCK.rows);
    const at = block * BLOCK.rows * BLOCK.columns + (row % BLOCK.rows) * BLOCK.columns + (column % BLOCK.columns);
    expect(memory[places.out + at]).toBeCloseTo(sum, 3);
  }
});

test("accumulators in registers end where their recurrence does", async () => {
  const roofline = await loopsOf();
  roofline.run("registers");
  // x = x / 2 + 1 / 4 has the fixed point 1 / 2, in every chain.
  expect([...roofline.memory.subarray(0, 4)]).toEqual(Array(4).fill(CHAINS / 2));
});

test("the machine's rates are the fastest turns'", () => {
  const all = (rate: number) => Object.fromEntries(loops.map((loop) => [loop, rate])) as Rates;
  expect(fastest([{ simd128: all(1) }, { simd128: { ...all(0.5), product: 2 } }])).toEqual({ ...all(1), product: 2 });
  expect(fastest([{ simd128: all(1), "relaxed-simd": all(3) }, { simd128: { ...all(1), product: 4 }, "relaxed-simd": all(2) }]))
    .toEqual({ ...all(3), product: 4 });
  expect(fastest([])).toBeNull();
});

test("the limit is the time of the products alone", () => {
  const rates: Rates = {
    registers: 1, "matvec 16 KB": 1, "matvec 160 KB": 2, "matvec 4 MB": 0.5, "matvec 64 MB": 1, product: 4,
  };
  // 20 rows of 400 x 100, once hoisted and once step by step: 1.6 MFLOP each.
  expect(limit(caseOf("W1-lstm"), rates)).toBeCloseTo(1.6 / 4 + 1.6 / 2, 10);
  // 2,048 rows, two layers, 512 x 128 twice each, all of it blocked: 1073.741824 MFLOP.
  expect(limit(caseOf("W3-lstm"), rates)).toBeCloseTo(1073.741824 / 4, 10);
  expect(limit(caseOf("W4-sru"), rates)).toBeCloseTo((2 * 256 * 1536 * 512) / 4e6, 10);
});
