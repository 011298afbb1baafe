/** A trained language model, of one LSTM, with a softmax over all of its words, for our own engine and for ONNX: what its clusters save. */

import { Graph } from "./onnx/graph.ts";
import { Random } from "./random.ts";
import { writeSafetensors } from "./safetensors.ts";
import type { Tensor, Weights } from "./weights.ts";
import { blocks } from "./onnx/cells.ts";

/** Its name among the trained models, where it has an adaptive softmax. */
export const original = "novels-lstm";
/** Files of its twins with the whole softmax. */
export const twins = { model: "novels-full.safetensors", onnx: "novels-full.onnx" } as const;

interface Config {
  readonly vocabulary: readonly string[];
  readonly encoder: readonly { readonly hidden_size: number }[];
  readonly embedding_size: number;
  readonly task: { readonly predict: Readonly<Record<string, unknown>> };
}

/** The config of a model file, and its LSTM. */
function parsed(bytes: Uint8Array): { config: Config; lstm: Weights } {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const { __metadata__, ...entries } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const part = (name: string) => {
    const [begin, end] = entries[name].data_offsets;
    return Uint8Array.from(bytes.subarray(8 + length + begin, 8 + length + end)).buffer;
  };
  const lstm = new Map<string, Tensor>();
  for (const name of ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]) {
    const full = `encoder.0.${name}`;
    const { dtype, shape } = entries[full] as { dtype: string; shape: number[] };
    const columns = shape[1] ?? 1;
    const scale = dtype === "I8" ? new Float32Array(part(`${full}.scale`)) : null;
    const data = scale
      ? Float32Array.from(new Int8Array(part(full)), (value, at) => value * scale[Math.floor(at / columns)]!)
      : new Float32Array(part(full));
    lstm.set(full, { shape, data });
  }
  return { config: JSON.parse(__metadata__.saccade), lstm };
}

/** Word vectors and rows of the softmax, which are drawn: what they are changes no time of a full softmax. */
function tables({ vocabulary, embedding_size, encoder }: Config): { embedding: Tensor; softmax: Tensor } {
  const random = new Random(1);
  const table = (columns: number): Tensor => ({ shape: [vocabulary.length, columns], data: random.uniform(vocabulary.length * columns, 0.1) });
  return { embedding: table(embedding_size), softmax: table(encoder.at(-1)!.hidden_size) };
}

/** The same vocabulary and LSTM with one softmax over all words, as a model file. */
export function fullModel(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { config, lstm } = parsed(bytes);
  const { cutoffs: _, input: __, ...predict } = config.task.predict;
  const { embedding, softmax } = tables(config);
  const weights = new Map([...lstm, ["embedding.weight", embedding], ["head.head.weight", softmax]] as const);
  return writeSafetensors(weights, { saccade: JSON.stringify({ ...config, task: { predict } }) });
}

/** A step of it in ONNX: `x`, a word's vector, `h` and `c` to the most probable word, `h` and `c`. The caller has the vectors. */
export function fullOnnx(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { config, lstm } = parsed(bytes);
  const { softmax } = tables(config);
  const [size, columns] = [config.encoder.at(-1)!.hidden_size, config.embedding_size];
  const order = [0, 3, 1, 2];
  const part = (name: string, width: number) => blocks(lstm.get(`encoder.0.${name}`)!.data, size * width, order);
  const graph = new Graph();
  const state = [1, 1, size];
  const [x, h, c] = [graph.input("x", [1, 1, columns]), graph.input("h", state), graph.input("c", state)];
  const bias = new Float32Array(8 * size);
  bias.set(part("bias_ih_l0", 1));
  bias.set(part("bias_hh_l0", 1), 4 * size);
  const inputs = [
    x,
    graph.constant([1, 4 * size, columns], part("weight_ih_l0", columns)),
    graph.constant([1, 4 * size, size], part("weight_hh_l0", size)),
    graph.constant([1, 8 * size], bias),
    "",
    h,
    c,
  ];
  const [, nextH, nextC] = graph.node("LSTM", inputs, 3, { hidden_size: size }) as [string, string, string];
  // Transposed, as MatMul wants its right side.
  const words = config.vocabulary.length;
  const transposed = new Float32Array(size * words);
  for (let word = 0; word < words; word++) for (let i = 0; i < size; i++) transposed[i * words + word] = softmax.data[word * size + i]!;
  const logits = graph.op("MatMul", [nextH, graph.constant([size, words], transposed)]);
  graph.output(graph.op("ArgMax", [logits], { axis: 2, keepdims: 0 }), [1, 1], "int64");
  graph.output(nextH, state);
  graph.output(nextC, state);
  return graph.model();
}
