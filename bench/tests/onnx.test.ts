/** ONNX files read back by onnxruntime-web; skipped where `bench/node_modules` is not installed. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { difference, swap } from "../shared/layout.ts";
import { forms, onnxModel } from "../shared/onnx/models.ts";
import { reference } from "../shared/reference.ts";
import { drawInput, drawWeights } from "../shared/weights.ts";
import { type Case, cells } from "../shared/workloads.ts";

const installed = existsSync(join(import.meta.dirname, "..", "node_modules", "onnxruntime-web"));

const shapes = [
  { name: "one", batch: 1, steps: 5, inputSize: 6, hiddenSize: 6, layers: 1 },
  { name: "many", batch: 3, steps: 4, inputSize: 7, hiddenSize: 5, layers: 2 },
];
const works: Case[] = shapes.flatMap((shape) => cells.map((cell) => ({ ...shape, cell, name: `${shape.name}-${cell}` })));
const files = works.flatMap((work) => forms(work).map((form) => ({ ...work, form })));

describe.skipIf(!installed)("onnxruntime-web computes what the reference does", () => {
  test.each(files)("$name, $form", async ({ form, ...work }) => {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = 1;
    const weights = drawWeights(work);
    const x = drawInput(work);
    const session = await ort.InferenceSession.create(onnxModel(work, weights, form));
    const input = new ort.Tensor("float32", swap(x, work.batch, work.steps), [work.steps, work.batch, work.inputSize]);
    const output = Object.values(await session.run({ x: input }))[0]!;
    const truth = swap(reference(work, weights, x), work.batch, work.steps);
    expect(difference(output.data as Float32Array, truth)).toBeLessThan(1e-6);
    await session.release();
  });
});
