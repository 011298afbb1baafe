/** What pages do when they are called, without a browser or an engine. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Lstm, Skim } from "saccade-rnn";
import { train } from "saccade-rnn/train";
import { learner } from "../page/learners/saccade.ts";
import { time } from "../page/time.ts";
import { most } from "../shared/letters.ts";

vi.mock("saccade-rnn", () => ({ load: vi.fn(), Lstm: { random: vi.fn() }, Skim: { random: vi.fn() } }));
vi.mock("saccade-rnn/train", () => ({ train: vi.fn() }));
vi.mock("../page/time.ts", () => ({ time: vi.fn() }));

beforeEach(() => void vi.stubGlobal("window", {}));
afterEach(() => void vi.unstubAllGlobals());

test("ours learns on when the text is at its end", async () => {
  vi.mocked(train).mockImplementation(((_: unknown, config: { train: { epochs: number } }) =>
    (async function* () {
      for (let epoch = 1; epoch <= config.train.epochs; epoch++) {
        for (let step = 0; step < most; step++) yield { type: "step", losses: { loss: epoch } };
        yield { type: "evaluation" };
      }
    })()) as unknown as typeof train);
  const { step } = await learner("cpu");
  const losses: number[] = [];
  while (losses.length < 3 * most) losses.push(await step());
  expect([losses[0], losses[most], losses.at(-1)]).toEqual([1, 2, 3]);
});

test("TensorFlow.js' equations start without its layers", () => {
  for (const name of ["tensorflow", "tfjs-wasm", "tfjs-webgpu"]) {
    const code = readFileSync(join(import.meta.dirname, "..", "page", "contestants", `${name}.ts`), "utf8");
    const fetched = [...code.matchAll(/^import .*?"(.+)";$/gm)].map(([, from]) => from);
    expect(fetched).toContain("@tensorflow/tfjs-core");
    expect(fetched.filter((from) => /tfjs-layers|chained_ops/.test(from!))).toEqual([]);
  }
});

test("of a Skim layer another rate, or the LSTM, is the first of each turn, and each time stands at its place", async () => {
  const layer = { forward: async () => ({ flops: { spent: 1 }, decisions: Float32Array.of(0, 1) }) };
  vi.mocked(Lstm.random).mockResolvedValue(layer as never);
  vi.mocked(Skim.random).mockResolvedValue(layer as never);
  const seen: unknown[] = [];
  const order: number[] = [];
  vi.mocked(time).mockImplementation(async (run) => {
    if (!seen.includes(run)) seen.push(run);
    order.push(seen.indexOf(run));
    return seen.indexOf(run);
  });
  await import("../page/skim.ts");
  await window.skim.prepare({ name: "W1", batch: 1, steps: 2, inputSize: 1, hiddenSize: 1, layers: 1 }, 1);
  for (const round of [0, 1, 7]) {
    order.length = 0;
    expect(await window.skim.turn(40, round)).toEqual({ lstm: 0, skim: [1, 2, 3, 4, 5] });
    expect(order).toEqual([0, 1, 2, 3, 4, 5].map((i) => (i + round) % 6));
  }
});
