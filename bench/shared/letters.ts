/** The text that everybody learns from, and how it is cut. */

import { Random } from "./random.ts";

export const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,";

/** Texts side by side, letters that a step reads of each, steps that there are before they begin anew. */
export const [lanes, steps, most] = [32, 64, 200];

/** Units, and columns of a letter's vector where a library has one. */
export const [hiddenSize, embeddingSize] = [128, 64];

/** Adam's. */
export const learningRate = 2e-3;

/** Letters of which each has three that may follow it, drawn with equal chances, and one more. */
export function text(): Uint8Array {
  const random = new Random(7);
  const ids = new Uint8Array(lanes * steps * most + 1);
  for (let at = 1; at < ids.length; at++) ids[at] = (7 * ids[at - 1]! + Math.floor(3 * random.next())) % letters.length;
  return ids;
}

/** Letters of a step, lane by lane, and those that follow them; after the last step come those of the first. */
export function batch(ids: Uint8Array, step: number): { readonly now: number[][]; readonly next: number[][] } {
  const lane = (ids.length - 1) / lanes;
  const begin = (step % most) * steps;
  const from = (offset: number) => Array.from({ length: lanes }, (_, i) => [...ids.subarray(i * lane + begin + offset, i * lane + begin + offset + steps)]);
  return { now: from(0), next: from(1) };
}
