/** Networks with random weights, as model files: what they say is noise, what they cost is not. */

import { write, type Tensor } from "../study/safetensors.ts";
import type { CellId } from "./cells.ts";

/** The sizes of the page's own models. */
export const INPUT = 100;
export const HIDDEN = 100;
export const SMALL = 10;

type Shapes = Readonly<Record<string, readonly number[]>>;

const gates: Readonly<Record<"elman" | "gru" | "lstm", number>> = { elman: 1, gru: 3, lstm: 4 };

/** Tensors of a PyTorch cell with so many gates. */
const cell = (prefix: string, suffix: string, rows: number, state: number): Shapes => ({
  [`${prefix}weight_ih${suffix}`]: [rows * state, INPUT],
  [`${prefix}weight_hh${suffix}`]: [rows * state, state],
  [`${prefix}bias_ih${suffix}`]: [rows * state],
  [`${prefix}bias_hh${suffix}`]: [rows * state],
});

function shapesOf(id: CellId): Shapes {
  if (id === "sru") {
    return {
      "rnn_lst.0.weight": [INPUT, 3 * HIDDEN],
      "rnn_lst.0.weight_c": [2 * HIDDEN],
      "rnn_lst.0.bias": [2 * HIDDEN],
      "rnn_lst.0.scale_x": [1],
    };
  }
  if (id === "skim") {
    return {
      ...cell("big.", "", gates.lstm, HIDDEN),
      ...cell("small.", "", gates.lstm, SMALL),
      "decision.weight": [2, INPUT + HIDDEN],
      "decision.bias": [2],
    };
  }
  return cell("", "_l0", gates[id], HIDDEN);
}

function layerOf(id: CellId): Readonly<Record<string, unknown>> {
  if (id === "skim") return { type: "skim", cell: "lstm", hidden_size: HIDDEN, small_size: SMALL, small_reads: "slice" };
  if (id !== "sru") return { type: id, hidden_size: HIDDEN, bidirectional: false, ...(id === "elman" && { nonlinearity: "tanh" }) };
  const plain = { bidirectional: false, v1: false, rescale: false, use_tanh: false, layer_norm: false };
  return { type: "sru", hidden_size: HIDDEN, num_layers: 1, has_skip_term: true, normalize_after: false, projection_size: 0, ...plain };
}

/** Numbers in [-bound, bound], the same for the same seed (mulberry32). */
export function noise(count: number, bound: number, seed: number): Uint8Array {
  let state = seed >>> 0;
  const values = new Float32Array(count);
  for (let at = 0; at < count; at++) {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    values[at] = (((bits ^ (bits >>> 14)) >>> 0) / 2 ** 31 - 1) * bound;
  }
  return new Uint8Array(values.buffer);
}

/** Weights of the recurrent layer, in bytes. */
export function weightBytes(id: CellId): number {
  return Object.values(shapesOf(id)).reduce((sum, shape) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
}

/** A model file of one recurrent layer that knows these words. */
export function runner(id: CellId, words: readonly string[]): Uint8Array<ArrayBuffer> {
  const vocabulary = ["<unk>", ...words];
  const shapes: Shapes = {
    "embedding.weight": [vocabulary.length, INPUT],
    ...Object.fromEntries(Object.entries(shapesOf(id)).map(([name, shape]) => [`encoder.0.${name}`, shape])),
    "head.weight": [2, HIDDEN],
    "head.bias": [2],
  };
  const tensors: Tensor[] = Object.entries(shapes).map(([name, shape], seed) => ({
    name,
    dtype: "F32",
    shape,
    // PyTorch's own beginning for a layer of this size.
    bytes: noise(shape.reduce((a, b) => a * b, 1), 1 / Math.sqrt(HIDDEN), seed + 1),
  }));
  const config = {
    format: 1,
    task: "classify",
    tokenizer: { kind: "treebank", lowercase: true },
    vocabulary,
    labels: ["one", "other"],
    data_labels: ["0", "1"],
    embedding_size: INPUT,
    encoder: [layerOf(id)],
    pool: "last",
    ...(id === "skim" && { threshold: 0.5 }),
    training: {},
  };
  return write({ metadata: { saccade: JSON.stringify(config) }, tensors });
}
