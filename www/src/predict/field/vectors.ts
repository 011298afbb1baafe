/** The vectors of words as a language model's file has them: what its network reads. */

import { parse, type Tensor } from "../../study/safetensors.ts";
import type { Anatomy } from "../anatomy.ts";

/** Rows of floats, or of int8 numbers, each row with its scale. */
class Matrix {
  readonly columns: number;
  readonly #values: Float32Array | Int8Array;
  readonly #scales: Float32Array | null;

  constructor(tensors: ReadonlyMap<string, Tensor>, name: string) {
    const tensor = tensors.get(name);
    const scales = tensors.get(`${name}.scale`);
    if (!tensor) throw new Error(name);
    this.columns = tensor.shape[1] ?? 0;
    this.#values = scales ? new Int8Array(tensor.bytes.slice().buffer) : new Float32Array(tensor.bytes.slice().buffer);
    this.#scales = scales ? new Float32Array(scales.bytes.slice().buffer) : null;
  }

  row(at: number): Float32Array {
    const scale = this.#scales?.[at] ?? 1;
    return Float32Array.from(this.#values.subarray(at * this.columns, (at + 1) * this.columns), (value) => value * scale);
  }

  /** `M v`. */
  times(vector: Float32Array, rows: number): Float32Array {
    return Float32Array.from({ length: rows }, (_, at) => this.row(at).reduce((sum, value, column) => sum + value * (vector[column] ?? 0), 0));
  }
}

/** The vectors of words, one row each: those of rare words have fewer numbers in the file and are projected. */
export function vectorsOf(file: Uint8Array, { clusters: [head, ...tails] }: Anatomy, ids: readonly number[]): Float32Array {
  const tensors = new Map(parse(file).tensors.map((tensor) => [tensor.name, tensor]));
  const bands = [head, ...tails].map(({ from, to }, band) => ({
    from,
    to,
    table: new Matrix(tensors, band === 0 ? "head.head.weight" : `head.tail.${band - 1}.1.weight`),
    projection: new Matrix(tensors, `embedding.embeddings.${band}.1.weight`),
    rows: tensors.get(`embedding.embeddings.${band}.1.weight`)?.shape[0] ?? 0,
  }));
  const vectors = ids.map((id) => {
    const band = bands.find(({ to }) => id < to);
    return band ? band.projection.times(band.table.row(id - band.from), band.rows) : new Float32Array();
  });
  return Float32Array.from(vectors.flatMap((vector) => [...vector]));
}
