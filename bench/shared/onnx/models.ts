/** A case as an ONNX file, input `x` `[T, B, in]`, one output `[T, B, H]`: by ONNX's own operator, as a Scan, or unrolled. */

import { tensor, type Weights } from "../weights.ts";
import { type Case, columnsInto, gates } from "../workloads.ts";
import { blocks, type Layer, layerOf } from "./cells.ts";
import { Graph, type Value } from "./graph.ts";

/** How the time loop is written. */
export type Form = "op" | "scan" | "unrolled";

/** The forms that a cell has: ONNX knows LSTM and GRU, not SRU. */
export function forms(work: Case): readonly Form[] {
  return work.cell === "sru" ? ["scan", "unrolled"] : ["op", "scan", "unrolled"];
}

/** The file's bytes. */
export function onnxModel(work: Case, weights: Weights, form: Form): Uint8Array<ArrayBuffer> {
  const graph = new Graph();
  let rows = graph.input("x", [work.steps, work.batch, work.inputSize]);
  for (let layer = 0; layer < work.layers; layer++) {
    if (form === "op") rows = operator(graph, work, weights, layer, rows);
    else rows = written(graph, work, layerOf(work, weights, layer), rows, form === "scan" ? scan : unrolled);
  }
  graph.output(rows, [work.steps, work.batch, work.hiddenSize]);
  return graph.model();
}

/** ONNX's LSTM and GRU: gates i, o, f, c and z, r, h; directions are an axis of their own, which Squeeze removes. */
function operator(graph: Graph, work: Case, weights: Weights, layer: number, rows: Value): Value {
  const size = work.hiddenSize;
  const order = work.cell === "lstm" ? [0, 3, 1, 2] : [1, 0, 2];
  const k = gates(work, layer);
  const part = (name: string, columns: number) =>
    blocks(tensor(weights, `${name}_l${layer}`).data, size * columns, order);
  const columns = columnsInto(work, layer);
  const bias = new Float32Array(2 * k * size);
  bias.set(part("bias_ih", 1));
  bias.set(part("bias_hh", 1), k * size);
  const inputs = [
    rows,
    graph.constant([1, k * size, columns], part("weight_ih", columns)),
    graph.constant([1, k * size, size], part("weight_hh", size)),
    graph.constant([1, 2 * k * size], bias),
  ];
  const attributes = work.cell === "lstm" ? {} : { linear_before_reset: 1 };
  const y = graph.op(work.cell.toUpperCase(), inputs, { hidden_size: size, ...attributes });
  return graph.op("Squeeze", [y, graph.integers(1)]);
}

type Loop = (graph: Graph, work: Case, layer: Layer, taken: readonly Value[], constants: readonly Value[]) => Value;

function written(graph: Graph, work: Case, layer: Layer, rows: Value, loop: Loop): Value {
  const taken = layer.before(graph, rows);
  const kept = loop(graph, work, layer, taken.slice(0, layer.widths.length), layer.constants(graph));
  return layer.after(graph, kept, rows, taken);
}

let bodies = 0;

const scan: Loop = (graph, work, layer, taken, constants) => {
  const shape = [work.batch, work.hiddenSize];
  const name = `body${bodies++}_`;
  const body = new Graph(name);
  const states = Array.from({ length: layer.states }, (_, i) => body.input(`${name}state${i}`, shape));
  const slices = layer.widths.map((width, i) => body.input(`${name}slice${i}`, [work.batch, width]));
  const next = layer.step(body, slices, states, constants);
  for (const state of next) body.output(state, shape);
  body.output(body.op("Identity", [next[0]!]), shape);
  const zero = graph.constant(shape, new Float32Array(work.batch * work.hiddenSize));
  const first: Value[] = Array(layer.states).fill(zero);
  const attributes = { body, num_scan_inputs: taken.length };
  return graph.node("Scan", [...first, ...taken], layer.states + 1, attributes).at(-1)!;
};

/** Values that a node takes at most: a shader of onnxruntime-web binds ten buffers. */
const MOST = 8;

const unrolled: Loop = (graph, work, layer, taken, constants) => {
  const shape = [work.batch, work.hiddenSize];
  const zero = graph.constant(shape, new Float32Array(work.batch * work.hiddenSize));
  const axis = graph.integers(0);
  let states: Value[] = Array(layer.states).fill(zero);
  let kept: Value[] = [];
  for (let t = 0; t < work.steps; t++) {
    const index = graph.integer(t);
    const slices = taken.map((value) => graph.op("Gather", [value, index], { axis: 0 }));
    states = layer.step(graph, slices, states, constants);
    kept.push(graph.op("Unsqueeze", [states[0]!, axis]));
  }
  while (kept.length > 1) {
    const groups = Array.from({ length: Math.ceil(kept.length / MOST) }, (_, i) => kept.slice(MOST * i, MOST * (i + 1)));
    kept = groups.map((group) => (group.length > 1 ? graph.op("Concat", group, { axis: 0 }) : group[0]!));
  }
  return kept[0]!;
};
