/** Weights and inputs of a case, drawn from its name: every contestant is given the same. */

import { Random } from "./random.ts";
import { type Case, columnsInto, gates } from "./workloads.ts";

/** A matrix or vector, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Tensors under the names and in the layouts of PyTorch's `nn.LSTM` and `nn.GRU`, and of the `sru` package. */
export type Weights = ReadonlyMap<string, Tensor>;

/** The tensor `name`. */
export function tensor(weights: Weights, name: string): Tensor {
  const found = weights.get(name);
  if (!found) throw new Error(`there is no tensor ${name}`);
  return found;
}

/** Uniform, with the bounds by which PyTorch and the `sru` package begin. Biases of SRU, there zero, are drawn as well, so that a contestant who forgets them is found out. */
export function drawWeights(work: Case): Weights {
  const random = new Random(seed(work.name));
  const weights = new Map<string, Tensor>();
  const draw = (name: string, bound: number, ...shape: number[]) => {
    weights.set(name, { shape, data: random.uniform(shape.reduce((a, b) => a * b), bound) });
  };
  const hidden = work.hiddenSize;
  for (let layer = 0; layer < work.layers; layer++) {
    const columns = columnsInto(work, layer);
    const blocks = gates(work, layer);
    if (work.cell === "sru") {
      draw(`rnn_lst.${layer}.weight`, Math.sqrt(3 / columns), columns, hidden * blocks);
      draw(`rnn_lst.${layer}.weight_c`, Math.sqrt(1.5), 2 * hidden);
      draw(`rnn_lst.${layer}.bias`, 0.5, 2 * hidden);
      weights.set(`rnn_lst.${layer}.scale_x`, { shape: [1], data: Float32Array.of(1) });
    } else {
      const bound = 1 / Math.sqrt(hidden);
      draw(`weight_ih_l${layer}`, bound, blocks * hidden, columns);
      draw(`weight_hh_l${layer}`, bound, blocks * hidden, hidden);
      draw(`bias_ih_l${layer}`, bound, blocks * hidden);
      draw(`bias_hh_l${layer}`, bound, blocks * hidden);
    }
  }
  return weights;
}

/** The input, `[batch, steps, inputSize]`. */
export function drawInput(work: Case): Float32Array<ArrayBuffer> {
  return new Random(seed(`${work.name}/input`)).uniform(work.batch * work.steps * work.inputSize, 1);
}

/** FNV-1a. */
function seed(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash;
}
