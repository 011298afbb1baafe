/** What the answer is: the cells as their papers and PyTorch define them, in double precision, without a thought for speed. */

import { tensor, type Weights } from "./weights.ts";
import { type Case, columnsInto, gates } from "./workloads.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Rows of the last layer, `[batch, steps, hiddenSize]`, for the input `[batch, steps, inputSize]`. */
export function reference(work: Case, weights: Weights, input: ArrayLike<number>): Float64Array {
  let rows = Float64Array.from(input);
  for (let layer = 0; layer < work.layers; layer++) {
    const columns = columnsInto(work, layer);
    const next = new Float64Array(work.batch * work.steps * work.hiddenSize);
    for (let lane = 0; lane < work.batch; lane++) {
      const from = rows.subarray(lane * work.steps * columns, (lane + 1) * work.steps * columns);
      const to = next.subarray(lane * work.steps * work.hiddenSize, (lane + 1) * work.steps * work.hiddenSize);
      if (work.cell === "sru") sru(work, weights, layer, from, to);
      else gated(work, weights, layer, from, to);
    }
    rows = next;
  }
  return rows;
}

/** `matrix · vector + bias` for a row-major matrix of as many columns as the vector has. */
function affine(matrix: Float32Array, vector: Float64Array, bias: Float32Array, out: Float64Array): void {
  const columns = vector.length;
  for (let row = 0; row < out.length; row++) {
    let sum = bias[row]!;
    for (let k = 0; k < columns; k++) sum += matrix[row * columns + k]! * vector[k]!;
    out[row] = sum;
  }
}

function gated(work: Case, weights: Weights, layer: number, x: Float64Array, y: Float64Array): void {
  const size = work.hiddenSize;
  const columns = columnsInto(work, layer);
  const part = (name: string) => tensor(weights, `${name}_l${layer}`).data;
  const fromInput = new Float64Array(gates(work, layer) * size);
  const fromState = new Float64Array(gates(work, layer) * size);
  const h = new Float64Array(size);
  const c = new Float64Array(size);
  const step = work.cell === "lstm" ? lstm : gru;
  for (let t = 0; t < work.steps; t++) {
    affine(part("weight_ih"), x.subarray(t * columns, (t + 1) * columns), part("bias_ih"), fromInput);
    affine(part("weight_hh"), h, part("bias_hh"), fromState);
    step(fromInput, fromState, h, c);
    y.set(h, t * size);
  }
}

/** Blocks i, f, g, o. */
function lstm(u: Float64Array, v: Float64Array, h: Float64Array, c: Float64Array): void {
  const size = h.length;
  for (let j = 0; j < size; j++) {
    const gate = (block: number) => u[block * size + j]! + v[block * size + j]!;
    c[j] = sigmoid(gate(1)) * c[j]! + sigmoid(gate(0)) * Math.tanh(gate(2));
    h[j] = sigmoid(gate(3)) * Math.tanh(c[j]!);
  }
}

/** Blocks r, z, n; the reset gate multiplies the recurrent product. */
function gru(u: Float64Array, v: Float64Array, h: Float64Array): void {
  const size = h.length;
  for (let j = 0; j < size; j++) {
    const reset = sigmoid(u[j]! + v[j]!);
    const update = sigmoid(u[size + j]! + v[size + j]!);
    const candidate = Math.tanh(u[2 * size + j]! + reset * v[2 * size + j]!);
    h[j] = (1 - update) * candidate + update * h[j]!;
  }
}

/** Lei et al. 2018, without rescaling: column `j k + m` of the product is x~, f, r or the highway's input. */
function sru(work: Case, weights: Weights, layer: number, x: Float64Array, y: Float64Array): void {
  const size = work.hiddenSize;
  const columns = columnsInto(work, layer);
  const k = gates(work, layer);
  const part = (name: string) => tensor(weights, `rnn_lst.${layer}.${name}`).data;
  const weight = part("weight");
  const v = part("weight_c");
  const bias = part("bias");
  const c = new Float64Array(size);
  const u = new Float64Array(size * k);
  for (let t = 0; t < work.steps; t++) {
    u.fill(0);
    for (let i = 0; i < columns; i++) {
      const value = x[t * columns + i]!;
      for (let column = 0; column < u.length; column++) u[column]! += value * weight[i * u.length + column]!;
    }
    for (let j = 0; j < size; j++) {
      const forget = sigmoid(u[j * k + 1]! + v[j]! * c[j]! + bias[j]!);
      const reset = sigmoid(u[j * k + 2]! + v[size + j]! * c[j]! + bias[size + j]!);
      const highway = k === 4 ? u[j * k + 3]! : x[t * columns + j]!;
      c[j] = forget * c[j]! + (1 - forget) * u[j * k]!;
      y[t * size + j] = reset * c[j]! + (1 - reset) * highway;
    }
  }
}
