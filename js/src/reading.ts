/** Readings as they come from the engine. */

import type { PackedReading } from "../pkg/saccade_rnn.js";
import type { Reading, Token } from "./types.js";

/** Numbers of each token: start, end, what is so, and the probability's bits. */
const COLUMNS = 4;
const [KNOWN, SKIMMED, DECIDED] = [1, 2, 4];

/** A reading with its tokens by themselves. */
export function unpackedReading({ words, tokens: columns, ...reading }: PackedReading): Reading {
  const reals = new Float32Array(columns.buffer, columns.byteOffset, columns.length);
  const texts = words.split(" ");
  const tokens: Token[] = [];
  for (let at = 0; at < columns.length; at += COLUMNS) {
    const so = columns[at + 2] ?? 0;
    tokens.push({
      text: texts[tokens.length] ?? "",
      start: columns[at] ?? 0,
      end: columns[at + 1] ?? 0,
      known: (so & KNOWN) !== 0,
      decision: so & SKIMMED ? "skim" : "read",
      skimProbability: so & DECIDED ? (reals[at + 3] ?? null) : null,
    });
  }
  return { ...reading, tokens };
}
