/** TensorFlow.js as its documentation has it: a model of layers, `trainOnBatch`; letters as ones among zeros. */

import "@tensorflow/tfjs-core/dist/register_all_gradients";
import * as tf from "@tensorflow/tfjs-core";
// The layers call operations as methods of tensors, which exist only then.
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { batch, hiddenSize, learningRate, letters, steps, text } from "../../shared/letters.ts";
import type { Learner } from "../learner.ts";

export async function learner(start: () => Promise<void>): Promise<Learner> {
  await start();
  const columns = letters.length;
  const model = sequential();
  model.add(layers.lstm({ units: hiddenSize, inputShape: [steps, columns], returnSequences: true, recurrentActivation: "sigmoid", recurrentInitializer: "glorotUniform" }));
  model.add(layers.timeDistributed({ layer: layers.dense({ units: columns, activation: "softmax" }) }));
  model.compile({ optimizer: tf.train.adam(learningRate), loss: "categoricalCrossentropy" });
  const ids = text();
  let done = 0;
  return {
    async step() {
      const { now, next } = batch(ids, done++);
      const [x, y] = [now, next].map((rows) => tf.tidy(() => tf.cast(tf.oneHot(tf.tensor2d(rows, undefined, "int32"), columns), "float32")));
      const loss = await model.trainOnBatch(x!, y!);
      tf.dispose([x!, y!]);
      return Number(loss);
    },
  };
}
