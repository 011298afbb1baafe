/** Adaptive softmaxes with random weights: what they say is noise, what they cost is not. */

import { AdaptiveSoftmax, type Contestant } from "../../engine.ts";
import { write, type Tensor } from "../../study/safetensors.ts";

/** The sizes of `novels-lm`: columns of the softmax's input, and of the two tails. */
export const [COLUMNS, TAILS] = [256, [64, 16]] as const;

/** What a layer is made of: numbers of words. */
export interface Sizes {
  readonly head: number;
  readonly tails: readonly { readonly words: number; readonly columns: number }[];
}

/** Whole numbers from -127 to 127, the same for the same seed. */
function noise(count: number, seed: number): Uint8Array {
  const values = new Int8Array(count);
  let state = seed;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[at] = ((state >>> 16) % 255) - 127;
  }
  return new Uint8Array(values.buffer);
}

/** A matrix as rows of bytes, and the number that each row is multiplied with. */
function matrix(name: string, rows: number, columns: number): Tensor[] {
  const scales = new Float32Array(rows).fill(1 / (127 * Math.sqrt(columns)));
  return [
    { name, dtype: "I8", shape: [rows, columns], bytes: noise(rows * columns, rows + columns) },
    { name: `${name}.scale`, dtype: "F32", shape: [rows], bytes: new Uint8Array(scales.buffer) },
  ];
}

/** A file with the layer, under PyTorch's names. */
export function fileOf({ head, tails }: Sizes): Uint8Array<ArrayBuffer> {
  const tensors = [
    // Each tail is an output beside the head's words.
    ...matrix("head.weight", head + tails.length, COLUMNS),
    ...tails.flatMap(({ words, columns }, at) => [...matrix(`tail.${at}.0.weight`, columns, COLUMNS), ...matrix(`tail.${at}.1.weight`, words, columns)]),
  ];
  return write({ metadata: {}, tensors });
}

/** A layer that takes its turns. */
export interface Timed extends Contestant {
  dispose(): void;
}

/** Finds the probability of one word again and again, as a model does for each token; `next` says of which. */
export async function timed(sizes: Sizes, next: () => number): Promise<Timed> {
  const layer = await AdaptiveSoftmax.fromSafetensors(fileOf(sizes));
  const row = Float32Array.from({ length: COLUMNS }, (_, at) => Math.sin(0.37 * at));
  return {
    async sample(ms, signal) {
      let [total, runs] = [0, 0];
      const begun = performance.now();
      do {
        signal?.throwIfAborted();
        // By the clock of the engine's own thread: the way there and back is no part of the product.
        total += (await layer.loss(row, [next()])).timing.totalMs;
        runs += 1;
      } while (performance.now() - begun < ms);
      return total / runs;
    },
    dispose: () => layer.dispose(),
  };
}
