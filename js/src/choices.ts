/** The sizes and choices of a layer, as they cross to the engine. */

import type { Choices } from "./engine.js";

/** Their names, in the order of the engine's `Choice` (`crate/src/web/layer.rs`); a test compares the two. */
export const CHOICES = [
  "nonlinearity",
  "inputSize",
  "hiddenSize",
  "numLayers",
  "bias",
  "bidirectional",
  "projSize",
  "layerNorm",
  "projectionSize",
  "v1",
  "rescale",
  "hasSkipTerm",
  "useTanh",
  "normalizeAfter",
  "smallSize",
  "cell",
  "smallReads",
];
/** Words that stand for 1; others stand for 0. */
const ONES: ReadonlySet<unknown> = new Set(["relu", "gru", "all"]);
const NOT_CHOSEN = 2 ** 32 - 1;

/** A number for each of {@link CHOICES}. */
export function numbered(choices: Choices): Uint32Array {
  return Uint32Array.from(CHOICES, (name) => {
    const choice = choices[name];
    if (choice === undefined) return NOT_CHOSEN;
    return typeof choice === "string" ? Number(ONES.has(choice)) : Number(choice);
  });
}
