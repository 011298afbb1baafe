/** TensorFlow.js, whatever its backend: `layer` is its own recurrent layer, `loop` the equations with the product hoisted. */

import * as tf from "@tensorflow/tfjs-core";
import { swap } from "../../shared/layout.ts";
import { blocks, transposedBlocks } from "../../shared/onnx/cells.ts";
import { readSafetensors } from "../../shared/safetensors.ts";
import { tensor, type Weights } from "../../shared/weights.ts";
import { type Case, columnsInto, gates } from "../../shared/workloads.ts";
import type { Contestant, Job, Runner } from "../contestant.ts";

/**
 * The contestant on the backend that `start` makes ready. `layers`: whether its own LSTM is tried as well; on WebGPU it
 * took two to three times as long as the loop.
 */
export function tensorflow(start: () => Promise<void>, { layers }: { layers: boolean }): Contestant {
  return {
    // Its GRU has no form in which the reset gate multiplies the product, as PyTorch's does; SRU it has not at all.
    variants: (work) => (layers && work.cell === "lstm" ? ["layer", "loop"] : ["loop"]),
    async prepare(job, variant) {
      await start();
      const { tensors } = readSafetensors(await job.file("weights.safetensors"));
      return variant === "layer" ? ownLayer(job, tensors) : loop(job, tensors);
    },
  };
}

async function ownLayer({ work, input }: Job, weights: Weights): Promise<Runner> {
  // Here alone: who starts with the loop fetches no layers. They call operations as methods of tensors, which exist only then.
  await import("@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops");
  const { layers: tfLayers } = await import("@tensorflow/tfjs-layers");
  const shape: [number, number, number] = [work.batch, work.steps, work.inputSize];
  const stack = Array.from({ length: work.layers }, () =>
    tfLayers.lstm({
      units: work.hiddenSize,
      returnSequences: true,
      recurrentActivation: "sigmoid",
      unitForgetBias: false,
    }),
  );
  const apply = (x: tf.Tensor) => stack.reduce((rows, layer) => layer.apply(rows) as tf.Tensor, x);
  tf.tidy(() => void apply(tf.zeros(shape)));
  stack.forEach((layer, index) => {
    const part = (name: string) => tensor(weights, `${name}_l${index}`).data;
    const columns = columnsInto(work, index);
    const size = work.hiddenSize;
    const order = [0, 1, 2, 3];
    const bias = part("bias_ih").map((value, i) => value + part("bias_hh")[i]!);
    layer.setWeights([
      tf.tensor(transposedBlocks(part("weight_ih"), columns, size, order), [columns, 4 * size]),
      tf.tensor(transposedBlocks(part("weight_hh"), size, size, order), [size, 4 * size]),
      tf.tensor(bias, [4 * size]),
    ]);
  });
  return runner("batch", () => apply(tf.tensor(input, shape)), () => stack.forEach((layer) => layer.dispose()));
}

async function loop({ work, input }: Job, weights: Weights): Promise<Runner> {
  const shape: [number, number, number] = [work.steps, work.batch, work.inputSize];
  const rows = swap(input, work.batch, work.steps);
  const build = work.cell === "sru" ? sru : work.cell === "lstm" ? lstm : gru;
  const stack = Array.from({ length: work.layers }, (_, layer) => build(work, weights, layer));
  return runner(
    "time",
    () => stack.reduce((x, layer) => layer.apply(x), tf.tensor(rows, shape) as tf.Tensor),
    () => stack.forEach((layer) => tf.dispose(layer.constants)),
  );
}

function runner(layout: Runner["layout"], compute: () => tf.Tensor, dispose: () => void): Runner {
  return {
    layout,
    async run() {
      const rows = tf.tidy(compute);
      const answer = (await rows.data()) as Float32Array;
      rows.dispose();
      return answer;
    },
    dispose,
  };
}

/** A layer on `[steps, batch, columns]`. */
interface Layer {
  readonly constants: tf.Tensor[];
  apply(x: tf.Tensor): tf.Tensor;
}

/** `x · weight + bias` for all steps, as a list of `[batch, columns]`. */
function hoisted(x: tf.Tensor, weight: tf.Tensor2D, bias: tf.Tensor): tf.Tensor[] {
  const [steps, batch, columns] = x.shape as [number, number, number];
  const product = tf.fused.matMul({ a: tf.reshape(x, [steps * batch, columns]) as tf.Tensor2D, b: weight, bias });
  return tf.unstack(tf.reshape(product, [steps, batch, weight.shape[1]]));
}

function lstm(work: Case, weights: Weights, index: number): Layer {
  const size = work.hiddenSize;
  const columns = columnsInto(work, index);
  const part = (name: string) => tensor(weights, `${name}_l${index}`).data;
  const order = [0, 1, 3, 2];
  const sum = part("bias_ih").map((value, i) => value + part("bias_hh")[i]!);
  const w = tf.tensor2d(transposedBlocks(part("weight_ih"), columns, size, order), [columns, 4 * size]);
  const r = tf.tensor2d(transposedBlocks(part("weight_hh"), size, size, order), [size, 4 * size]);
  const bias = tf.tensor(blocks(sum, size, order));
  return {
    constants: [w, r, bias],
    apply(x) {
      let h: tf.Tensor2D = tf.zeros([work.batch, size]);
      let c: tf.Tensor = h;
      const kept = hoisted(x, w, bias).map((u) => {
        const [three, g] = tf.split(tf.add(u, tf.matMul(h, r)), [3 * size, size], 1) as [tf.Tensor, tf.Tensor];
        const [i, f, o] = tf.split(tf.sigmoid(three), 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
        c = tf.add(tf.mul(f, c), tf.mul(i, tf.tanh(g)));
        h = tf.mul(o, tf.tanh(c)) as tf.Tensor2D;
        return h;
      });
      return tf.stack(kept);
    },
  };
}

function gru(work: Case, weights: Weights, index: number): Layer {
  const size = work.hiddenSize;
  const columns = columnsInto(work, index);
  const part = (name: string) => tensor(weights, `${name}_l${index}`).data;
  const order = [0, 1, 2];
  const w = tf.tensor2d(transposedBlocks(part("weight_ih"), columns, size, order), [columns, 3 * size]);
  const r = tf.tensor2d(transposedBlocks(part("weight_hh"), size, size, order), [size, 3 * size]);
  const bias = tf.tensor(part("bias_ih"));
  const recurrent = tf.tensor(part("bias_hh"));
  return {
    constants: [w, r, bias, recurrent],
    apply(x) {
      let h: tf.Tensor2D = tf.zeros([work.batch, size]);
      const kept = hoisted(x, w, bias).map((u) => {
        const [gate, candidate] = tf.split(u, [2 * size, size], 1) as [tf.Tensor, tf.Tensor];
        const v = tf.fused.matMul({ a: h, b: r, bias: recurrent });
        const [both, n] = tf.split(v, [2 * size, size], 1) as [tf.Tensor, tf.Tensor];
        const [reset, update] = tf.split(tf.sigmoid(tf.add(gate, both)), 2, 1) as [tf.Tensor, tf.Tensor];
        const next = tf.tanh(tf.add(candidate, tf.mul(reset, n)));
        h = tf.add(next, tf.mul(update, tf.sub(h, next))) as tf.Tensor2D;
        return h;
      });
      return tf.stack(kept);
    },
  };
}

/** What needs only states of the step before, and no sum over steps, is computed for all steps at once. */
function sru(work: Case, weights: Weights, index: number): Layer {
  const size = work.hiddenSize;
  const columns = columnsInto(work, index);
  const k = gates(work, index);
  const part = (name: string) => tensor(weights, `rnn_lst.${index}.${name}`).data;
  const interleaved = tf.tensor(part("weight"), [columns, size, k]);
  const w = tf.reshape(tf.transpose(interleaved, [0, 2, 1]), [columns, k * size]) as tf.Tensor2D;
  const shifts = new Float32Array(k * size);
  shifts.set(part("bias"), size);
  const bias = tf.tensor(shifts);
  const [vf, vr] = tf.split(tf.tensor(part("weight_c")), 2) as [tf.Tensor, tf.Tensor];
  return {
    constants: [w, bias, vf, vr],
    apply(x) {
      const a = tf.reshape(x, [work.steps * work.batch, columns]) as tf.Tensor2D;
      const product = tf.reshape(tf.fused.matMul({ a, b: w, bias }), [work.steps, work.batch, k * size]);
      const [value, forget, reset, skip = x] = tf.split(product, k, 2) as tf.Tensor[];
      const gatesOfSteps = tf.unstack(forget!);
      const zero = tf.zeros([work.batch, size]);
      let c: tf.Tensor = zero;
      const kept = tf.unstack(value!).map((candidate, t) => {
        const f = tf.sigmoid(tf.add(gatesOfSteps[t]!, tf.mul(c, vf)));
        c = tf.add(candidate, tf.mul(f, tf.sub(c, candidate)));
        return c;
      });
      const earlier = tf.stack([zero, ...kept.slice(0, -1)]);
      const r = tf.sigmoid(tf.add(reset!, tf.mul(earlier, vr)));
      return tf.add(skip, tf.mul(r, tf.sub(tf.stack(kept), skip)));
    },
  };
}
