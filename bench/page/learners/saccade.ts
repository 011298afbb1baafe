/** Ours, in the page's thread, so that what it asks of WebGPU is counted. */

import { train } from "saccade-rnn/train";
import { embeddingSize, hiddenSize, lanes, learningRate, letters, steps, text } from "../../shared/letters.ts";
import type { Learner } from "../learner.ts";

export async function learner(device: "cpu" | "webgpu-only"): Promise<Learner> {
  const all = Array.from(text(), (id) => letters[id]).join("");
  const run = train(
    { train: all, dev: all.slice(0, 2 * steps) },
    {
      task: "predict",
      data: { tokenizer: { kind: "characters", lowercase: false }, steps },
      model: { embeddingSize, encoder: [{ type: "lstm", hiddenSize }] },
      // More than there is time for.
      train: { batch: lanes, epochs: 1000, learningRate, clip: 0 },
    },
    { device, worker: false },
  );
  const events = run[Symbol.asyncIterator]();
  return {
    async step() {
      for (;;) {
        const { value, done } = await events.next();
        if (done) throw new Error("the text is at its end");
        if (value.type === "step") return value.losses.loss;
      }
    },
  };
}
