/**
 * The cells in elementary ONNX operators: everything that does not depend on the step before for all steps at once, and
 * as few operators a step as the equations allow.
 */

import { tensor, type Weights } from "../weights.ts";
import { type Case, columnsInto, gates } from "../workloads.ts";
import type { Graph, Value } from "./graph.ts";

/** One layer, cut into what is done for all steps and what is done for each. Shapes: B batch, T steps, H hidden. */
export interface Layer {
  /** Of the input, `[T, B, in]`: what the steps take, each `[T, B, width]`. */
  before(graph: Graph, input: Value): Value[];
  /** Columns of each value that `before` gives. */
  readonly widths: readonly number[];
  /** Constants that each step uses, made once in the outermost graph. */
  constants(graph: Graph): Value[];
  /** How many states, each `[B, H]`, zero at first; the first is kept for every step. */
  readonly states: number;
  /** A step, of its slices `[B, width]`. */
  step(graph: Graph, slices: readonly Value[], states: readonly Value[], constants: readonly Value[]): Value[];
  /** Of the first states of all steps, `[T, B, H]`: the layer's rows. */
  after(graph: Graph, kept: Value, input: Value, taken: readonly Value[]): Value;
}

/** Layer `index` of a case. */
export function layerOf(work: Case, weights: Weights, index: number): Layer {
  return work.cell === "sru" ? sru(work, weights, index) : work.cell === "lstm" ? lstm(work, weights, index) : gru(work, weights, index);
}

/** Rows of a `[rows, columns]` matrix regrouped, `order` naming blocks of `size` rows, and transposed: `[columns, rows]`. */
export function transposedBlocks(data: Float32Array, columns: number, size: number, order: readonly number[]): Float32Array {
  const out = new Float32Array(order.length * size * columns);
  const width = order.length * size;
  order.forEach((block, place) => {
    for (let row = 0; row < size; row++) {
      for (let k = 0; k < columns; k++) {
        out[k * width + place * size + row] = data[(block * size + row) * columns + k]!;
      }
    }
  });
  return out;
}

/** Blocks of `size` values in another order. */
export function blocks(data: Float32Array, size: number, order: readonly number[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(order.length * size);
  order.forEach((block, place) => out.set(data.subarray(block * size, (block + 1) * size), place * size));
  return out;
}

/** Gates in the order i, f, o, g: one Sigmoid for the first three. */
function lstm(work: Case, weights: Weights, index: number): Layer {
  const size = work.hiddenSize;
  const columns = columnsInto(work, index);
  const order = [0, 1, 3, 2];
  const part = (name: string) => tensor(weights, `${name}_l${index}`).data;
  const bias = part("bias_ih").map((value, i) => value + part("bias_hh")[i]!);
  return {
    widths: [4 * size],
    states: 2,
    before(graph, input) {
      const weight = graph.constant([columns, 4 * size], transposedBlocks(part("weight_ih"), columns, size, order));
      return [graph.op("Add", [graph.op("MatMul", [input, weight]), graph.constant([4 * size], blocks(bias, size, order))])];
    },
    constants: (graph) => [
      graph.constant([size, 4 * size], transposedBlocks(part("weight_hh"), size, size, order)),
      graph.integers(3 * size, size),
      graph.integers(size, size, size),
    ],
    step(graph, [u], [h, c], [weight, halves, thirds]) {
      const [three, g] = graph.node("Split", [graph.op("Gemm", [h!, weight!, u!]), halves!], 2, { axis: 1 });
      const [i, f, o] = graph.node("Split", [graph.op("Sigmoid", [three!]), thirds!], 3, { axis: 1 });
      const kept = graph.op("Mul", [f!, c!]);
      const next = graph.op("Add", [kept, graph.op("Mul", [i!, graph.op("Tanh", [g!])])]);
      return [graph.op("Mul", [o!, graph.op("Tanh", [next])]), next];
    },
    after: (_, kept) => kept,
  };
}

function gru(work: Case, weights: Weights, index: number): Layer {
  const size = work.hiddenSize;
  const columns = columnsInto(work, index);
  const order = [0, 1, 2];
  const part = (name: string) => tensor(weights, `${name}_l${index}`).data;
  // What is added to both gates alike is added once; the candidate's recurrent bias is under the reset gate.
  const bias = part("bias_ih").map((value, i) => (i < 2 * size ? value + part("bias_hh")[i]! : value));
  const recurrent = part("bias_hh").map((value, i) => (i < 2 * size ? 0 : value));
  return {
    widths: [2 * size, size],
    states: 1,
    before(graph, input) {
      const weight = graph.constant([columns, 3 * size], transposedBlocks(part("weight_ih"), columns, size, order));
      const u = graph.op("Add", [graph.op("MatMul", [input, weight]), graph.constant([3 * size], bias)]);
      return graph.node("Split", [u, graph.integers(2 * size, size)], 2, { axis: 2 });
    },
    constants: (graph) => [
      graph.constant([size, 3 * size], transposedBlocks(part("weight_hh"), size, size, order)),
      graph.constant([3 * size], recurrent),
      graph.integers(2 * size, size),
      graph.integers(size, size),
    ],
    step(graph, [gate, candidate], [h], [weight, bias, unequal, halves]) {
      const [v, n] = graph.node("Split", [graph.op("Gemm", [h!, weight!, bias!]), unequal!], 2, { axis: 1 });
      const both = graph.op("Sigmoid", [graph.op("Add", [gate!, v!])]);
      const [r, z] = graph.node("Split", [both, halves!], 2, { axis: 1 });
      const next = graph.op("Tanh", [graph.op("Add", [candidate!, graph.op("Mul", [r!, n!])])]);
      return [graph.op("Add", [next, graph.op("Mul", [z!, graph.op("Sub", [h!, next])])])];
    },
    after: (_, kept) => kept,
  };
}

/** The reset gate needs states of the step before and no sum over steps, so it too is computed for all steps at once. */
function sru(work: Case, weights: Weights, index: number): Layer {
  const size = work.hiddenSize;
  const columns = columnsInto(work, index);
  const k = gates(work, index);
  const part = (name: string) => tensor(weights, `rnn_lst.${index}.${name}`).data;
  const bias = part("bias");
  const v = part("weight_c");
  const weight = new Float32Array(columns * k * size);
  for (let row = 0; row < columns; row++) {
    for (let j = 0; j < size; j++) {
      for (let m = 0; m < k; m++) weight[row * k * size + m * size + j] = part("weight")[row * k * size + j * k + m]!;
    }
  }
  return {
    widths: [size, size],
    states: 1,
    before(graph, input) {
      const u = graph.op("MatMul", [input, graph.constant([columns, k * size], weight)]);
      const [x, f, ...rest] = graph.node("Split", [u, graph.integers(...Array(k).fill(size))], k, { axis: 2 });
      return [x!, graph.op("Add", [f!, graph.constant([size], bias.slice(0, size))]), ...rest];
    },
    constants: (graph) => [graph.constant([size], v.slice(0, size))],
    step(graph, [x, f], [c], [v]) {
      const forget = graph.op("Sigmoid", [graph.op("Add", [f!, graph.op("Mul", [c!, v!])])]);
      return [graph.op("Add", [x!, graph.op("Mul", [forget, graph.op("Sub", [c!, x!])])])];
    },
    after(graph, kept, input, [, , r, skip]) {
      const first = graph.constant([1, work.batch, size], new Float32Array(work.batch * size));
      const [begin, end, axis] = [graph.integers(0), graph.integers(work.steps - 1), graph.integers(0)];
      const earlier = graph.op("Concat", [first, graph.op("Slice", [kept, begin, end, axis])], { axis: 0 });
      const biased = graph.op("Add", [r!, graph.constant([size], bias.slice(size))]);
      const state = graph.op("Mul", [earlier, graph.constant([size], v.slice(size))]);
      const reset = graph.op("Sigmoid", [graph.op("Add", [biased, state])]);
      const highway = skip ?? input;
      return graph.op("Add", [highway, graph.op("Mul", [reset, graph.op("Sub", [kept, highway])])]);
    },
  };
}
