/** What a step costs, by an engine that is made up: its clock may not show it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadedModel } from "../dist/model.js";

/** A model whose engine measures these costs one after the other, the last again and again; and what it was asked. */
function measuring(costs, skims) {
  const asked = [];
  const timing = { device: "cpu", totalMs: 1, microsecondsPerToken: 1, method: { kind: "mean", runs: 1, elapsedMs: 1 } };
  const answers = {
    steps: () => {
      const [readUs, skimUs = null] = costs.length > 1 ? costs.shift() : costs[0];
      return { device: "cpu", readUs, skimUs, clockUs: 5, method: { lengths: [8, 128], sampleMs: 20, samples: 3 }, kernels: null };
    },
    read: () => ({ words: "a", tokens: Uint32Array.of(0, 1, skims ? 2 : 1, 0), timing, deviceReason: { code: "cpuAsked" } }),
    release: () => undefined,
  };
  const call = async (name, args, follow) => {
    asked.push([name, follow]);
    return answers[name]();
  };
  const model = new LoadedModel({ call }, { id: 1, config: {}, origin: { file: new Blob() } }, { device: "cpu", deviceReason: "" });
  return { model, asked: () => asked.filter(([name]) => name === "steps").map(([, follow]) => follow) };
}

test("it is measured again while the clock shows none", async () => {
  for (const [costs, skims, most] of [
    [[[3]], false, 1],
    [[[0], [3]], false, 2],
    [[[3, 0], [0, 1], [3, 1]], true, 3],
  ]) {
    const { model, asked } = measuring(costs, skims);
    const { readUs, skimUs } = await model.steps({ onProgress: () => undefined });
    assert.deepEqual([readUs, skimUs], [3, skims ? 1 : null]);
    const { tokens, timing } = await model.read("a");
    assert.deepEqual([tokens[0].timeUs, timing.readStepUs, timing.skimStepUs], [skims ? 1 : 3, 3, skims ? 1 : null]);
    // Progress does not begin again.
    assert.deepEqual(asked().map(({ onProgress }) => onProgress !== undefined), Array.from({ length: most }, (_, at) => at === 0));
    model.dispose();
  }
});

test("a cost that the clock never shows is none of a reading", async () => {
  for (const skims of [true, false]) {
    const { model, asked } = measuring([[0, skims ? 0 : null]], skims);
    const { readUs, skimUs } = await model.steps();
    assert.deepEqual([readUs, skimUs, asked().length], [0, skims ? 0 : null, 3]);
    const { tokens, timing } = await model.read("a");
    assert.deepEqual([tokens[0].timeUs, timing.readStepUs, timing.skimStepUs], [null, null, null]);
    model.dispose();
  }
});
