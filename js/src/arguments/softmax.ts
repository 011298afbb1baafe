/** What the functions of an adaptive softmax take. */

import type { AdaptiveSoftmaxKind, AdaptiveSoftmaxLayer, KnownSoftmax } from "../adaptive-softmax.js";
import { errorOf } from "../errors.js";
import type { From } from "../layers.js";
import type { Counts, FileSource, Rows } from "../types.js";
import { type Check, number, optional, positive, string, unchecked } from "./check.js";
import { options } from "./options.js";
import { lengths, rows } from "./rows.js";
import { precision } from "./shared.js";
import { parameter, type Signatures, type Take, takers } from "./signature.js";

const choices = options<From & KnownSoftmax>()({
  prefix: optional(string),
  precision: optional(precision),
  cutoffs: optional(lengths),
  divValue: optional(number("a number of at least 1", [1, Number.MAX_VALUE])),
});

/** @internal */
export const softmaxSignatures = {
  fromSafetensors: [
    // What reads it looks at the file.
    parameter("file", unchecked<FileSource | PromiseLike<FileSource>>()),
    parameter("choices", choices),
  ],
} as const satisfies Signatures<AdaptiveSoftmaxKind>;

export const softmax = takers(softmaxSignatures, "AdaptiveSoftmax");

/** Words by their numbers. */
function wordsBelow(count: number): Check<Counts, Uint32Array> {
  return {
    expected: lengths.expected,
    take(found, at) {
      const taken = lengths.take(found, at);
      const wrong = taken.findIndex((word) => word >= count);
      if (wrong >= 0) {
        throw errorOf("OPTION_INVALID", `${at}[${wrong}]: expected a word below ${count}, found ${taken[wrong]}`);
      }
      return Uint32Array.from(taken);
    },
  };
}

/**
 * Rows of finite numbers. Other layers make NaN of NaN, row by row; here there would be no most probable word, nor a tail to open
 * for it.
 */
function finiteRows(width: number): Check<Rows, Float32Array> {
  const given = rows(width);
  return {
    expected: given.expected,
    take(found, at) {
      const taken = given.take(found, at);
      const wrong = taken.findIndex((value) => !Number.isFinite(value));
      if (wrong < 0) return taken;
      const row = Math.floor(wrong / width);
      throw errorOf("OPTION_INVALID", `${at}: row ${row}, column ${wrong - row * width}: expected a finite number (in f32), found ${taken[wrong]}`);
    },
  };
}

/** What is asked of a softmax over so many words. @internal */
export function softmaxRowSignatures(width: number, words: number) {
  const x = parameter("x", finiteRows(width));
  return {
    logProb: [x],
    predict: [x],
    topK: [x, parameter("k", positive)],
    loss: [x, parameter("targets", wordsBelow(words))],
  } as const satisfies Signatures<AdaptiveSoftmaxLayer>;
}

type Loss = ReturnType<typeof softmaxRowSignatures>["loss"];

export function softmaxRows(width: number, words: number) {
  const all = takers(softmaxRowSignatures(width, words), "AdaptiveSoftmax");
  const loss: Take<Loss> = (given) => {
    const [x, targets] = all.loss(given);
    if (x.length === targets.length * width) return [x, targets];
    throw errorOf("OPTION_INVALID", `AdaptiveSoftmax.loss: targets: expected ${x.length / width}, one for each row, found ${targets.length}`);
  };
  return { ...all, loss };
}
