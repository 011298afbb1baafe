/** The page's cells against the package's layers, and what shutting a gate comes to. */

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Elman, Gru, init, Lstm, Sru } from "../../js/src/node.ts";
import { write } from "../src/study/safetensors.ts";
import { type CellKind, gatesOf, run, type Step, type Weights } from "../src/race/gates/cell.ts";

const [INPUT, SIZE, LENGTH] = [3, 3, 7];
const blocks = { elman: 1, gru: 3, lstm: 4 } as const;

/** Numbers in [-1, 1], the same every time. */
function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, at) => Math.fround(Math.sin(12.9898 * (at + 1) + 78.233 * seed)));
}

const bytes = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
const rows = (values: readonly number[], columns: number) =>
  Array.from({ length: values.length / columns }, (_, row) => values.slice(row * columns, (row + 1) * columns));
const xs = rows(numbers(LENGTH * INPUT, 9), INPUT);

/** Weights, and the same as a state_dict. */
function made(kind: CellKind): { weights: Weights; file: Uint8Array<ArrayBuffer> } {
  const tensor = (name: string, shape: readonly number[], values: readonly number[]) => ({ name, dtype: "F32" as const, shape, bytes: bytes(values) });
  if (kind === "sru") {
    const [ih, v, bias] = [numbers(3 * SIZE * INPUT, 1), numbers(2 * SIZE, 2), numbers(2 * SIZE, 3)];
    // The file has a column for each unit's candidate, forget and reset gate, and a row for each input.
    const stored = Array.from({ length: INPUT * 3 * SIZE }, (_, at) => {
      const [input, column] = [Math.floor(at / (3 * SIZE)), at % (3 * SIZE)];
      return ih[((column % 3) * SIZE + Math.floor(column / 3)) * INPUT + input] ?? 0;
    });
    const tensors = [
      tensor("rnn_lst.0.weight", [INPUT, 3 * SIZE], stored),
      tensor("rnn_lst.0.weight_c", [2 * SIZE], v),
      tensor("rnn_lst.0.bias", [2 * SIZE], bias),
      tensor("rnn_lst.0.scale_x", [1], [1]),
    ];
    return { weights: { ih: rows(ih, INPUT), hh: [], v, bias }, file: write({ metadata: {}, tensors }) };
  }
  const height = blocks[kind] * SIZE;
  const [ih, hh, first, second] = [numbers(height * INPUT, 1), numbers(height * SIZE, 2), numbers(height, 3), numbers(height, 4)];
  const tensors = [
    tensor("weight_ih_l0", [height, INPUT], ih),
    tensor("weight_hh_l0", [height, SIZE], hh),
    tensor("bias_ih_l0", [height], first),
    tensor("bias_hh_l0", [height], second),
  ];
  const apart = (row: number) => kind === "gru" && row >= 2 * SIZE;
  const bias = first.map((value, row) => value + (apart(row) ? 0 : (second[row] ?? 0)));
  return { weights: { ih: rows(ih, INPUT), hh: rows(hh, SIZE), bias, inner: second.slice(2 * SIZE) }, file: write({ metadata: {}, tensors }) };
}

beforeAll(() => init({ wasm: readFileSync("js/pkg/saccade_rnn_bg.wasm") }));

describe("the page's cells", () => {
  const layers = { elman: Elman, gru: Gru, lstm: Lstm, sru: Sru };
  for (const kind of ["elman", "gru", "lstm", "sru"] as const) {
    test(`compute what the package's ${kind} computes`, async () => {
      const { weights, file } = made(kind);
      const layer = await layers[kind].fromSafetensors(file);
      const { output, state } = await layer.forward(Float32Array.from(xs.flat()), { device: "cpu" });
      const steps = run(kind, weights, SIZE, xs);
      steps.flatMap(({ h }) => h).forEach((value, at) => expect(value).toBeCloseTo(output[at] ?? Number.NaN, 5));
      const last = "c" in state ? [...state.c] : [];
      expect(steps.at(-1)?.c).toHaveLength(last.length);
      last.forEach((value, at) => expect(steps.at(-1)?.c[at]).toBeCloseTo(value, 5));
      layer.dispose();
    });

    test(`have gates between 0 and 1 in a ${kind}, and 0 when they are held shut`, () => {
      const { weights } = made(kind);
      for (const gate of gatesOf[kind]) {
        const free = run(kind, weights, SIZE, xs);
        const held = run(kind, weights, SIZE, xs, new Set([gate]));
        for (const { gates } of free) for (const value of gates[gate] ?? [Number.NaN]) expect(value > 0 && value < 1).toBe(true);
        for (const { gates } of held) expect(gates[gate]).toEqual([0, 0, 0]);
        expect(held.at(-1)?.h).not.toEqual(free.at(-1)?.h);
      }
    });
  }

  const known = (steps: readonly Step[]) => steps as readonly [Step, ...Step[]];
  test("forget all that was before, keep what they have, or show nothing, by the gate that is shut", () => {
    const { weights } = made("lstm");
    const forgetful = known(run("lstm", weights, SIZE, xs, new Set(["forget"])));
    for (const { c, gates, candidate } of forgetful) {
      c.forEach((value, unit) => expect(value).toBeCloseTo((gates.input?.[unit] ?? 0) * (candidate[unit] ?? 0), 12));
    }
    for (const { c } of run("lstm", weights, SIZE, xs, new Set(["input"]))) expect(c).toEqual([0, 0, 0]);
    for (const { h } of run("lstm", weights, SIZE, xs, new Set(["output"]))) expect(h.map(Math.abs)).toEqual([0, 0, 0]);
    const gru = run("gru", made("gru").weights, SIZE, xs, new Set(["update"]));
    for (const { h, candidate } of gru) expect(h).toEqual(candidate);
    const sru = run("sru", made("sru").weights, SIZE, xs, new Set(["reset"]));
    sru.forEach(({ h }, at) => expect(h).toEqual(xs[at]));
  });
});
