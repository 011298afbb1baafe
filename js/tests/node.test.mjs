/** The package in Node, as it is built. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as saccade from "../dist/node.js";

const file = (name) => new URL(`../../models/${name}.safetensors`, import.meta.url);
const SMALL = "sst2-skim-lstm-small";
const TEXT = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";

test("hidden", async () => {
  const model = await saccade.load(file(SMALL));
  const reading = await model.read(TEXT);
  const hidden = await model.hidden(TEXT);
  console.log(model.device, model.deviceReason, reading.label, reading.timing);
  console.log(hidden.layers.map((l) => ({ ...l, states: l.states.length, cells: l.cells?.length, gates: l.gates && Object.keys(l.gates), logits: l.logits?.length })));
  console.log(hidden.scores.slice(-2), reading.scores, (await model.inspect()).tensors);
  const reader = model.reader();
  await reader.update("A quiet film");
  await reader.append(" and slow");
  console.log(reader.computed, await saccade.devices());
  model.dispose();
  await assert.rejects(model.read(TEXT), { code: "DISPOSED" });
});

test("layers", async () => {
  for (const kind of ["Elman", "Lstm", "Gru", "Sru", "Skim"]) {
    const layer = await saccade[kind].random({ inputSize: 8, hiddenSize: 16, smallSize: 4, seed: 1 });
    const x = new Float32Array(8 * 100).map(Math.random);
    const { output, state, timing, flops, deviceReason } = await layer.forward(x);
    console.log(kind, output.length, state, timing, flops, deviceReason);
  }
});
