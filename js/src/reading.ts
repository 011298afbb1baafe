/** Readings as they come from the engine. */

import type { PackedReading } from "../pkg/saccade_rnn.js";
import type { Reading, Steps, Token } from "./types.js";
import { methodInWords, reasonInWords } from "./words.js";

/** Numbers of each token: start, end, what is so, and the probability's bits. */
const COLUMNS = 4;
const [KNOWN, SKIMMED, DECIDED] = [1, 2, 4];

/** A reading by itself, with what its steps cost as far as it was measured. Its tokens are made when they are first looked at. */
export function unpackedReading(
  { words, tokens: columns, timing, deviceReason, ...reading }: PackedReading,
  steps?: Pick<Steps, "readUs" | "skimUs">,
): Reading {
  // A cost of 0 is one that noise has hidden.
  const [readUs, skimUs] = [steps?.readUs || null, steps?.skimUs || null];
  const method = methodInWords(timing.method, timing.device);
  let tokens: readonly Token[] | undefined;
  return {
    ...reading,
    get tokens() {
      return (tokens ??= unpackedTokens(words, columns, readUs, skimUs));
    },
    timing: { ...timing, method, readStepUs: readUs, skimStepUs: skimUs },
    deviceReason: reasonInWords(deviceReason),
  };
}

function unpackedTokens(words: string, columns: Uint32Array, readUs: number | null, skimUs: number | null): readonly Token[] {
  const reals = new Float32Array(columns.buffer, columns.byteOffset, columns.length);
  const texts = words.split(" ");
  let next = 0;
  const tokens: Token[] = [];
  for (let at = 0; at < columns.length; at += COLUMNS) {
    const so = columns[at + 2] ?? 0;
    const skims = (so & SKIMMED) !== 0;
    // A character that is a space itself was cut into two that are empty.
    const text = texts[next] || " ";
    next += text === " " ? 2 : 1;
    tokens.push({
      text,
      start: columns[at] ?? 0,
      end: columns[at + 1] ?? 0,
      known: (so & KNOWN) !== 0,
      decision: skims ? "skim" : "read",
      skimProbability: so & DECIDED ? (reals[at + 3] ?? null) : null,
      timeUs: skims ? skimUs : readUs,
    });
  }
  return tokens;
}
