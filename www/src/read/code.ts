import type { Token } from "../engine.ts";

/** More bars than a screen has pixels say nothing. */
const MOST = 1500;

/**
 * The text as a bar code in a box of 1000 by 100, one path for each decision: a tall bar is a word that was read, a low one a
 * word that was skimmed, the taller the less probably.
 */
export function code(tokens: readonly Token[]): Readonly<Record<"read" | "skim", string>> {
  const stride = Math.max(1, Math.ceil(tokens.length / MOST));
  const width = (1000 * stride) / Math.max(1, tokens.length);
  const bars = { read: "", skim: "" };
  for (let index = 0; index < tokens.length; index += stride) {
    const token = tokens[index];
    if (!token) continue;
    const height = 12 + 88 * (1 - (token.skimProbability ?? 0));
    const x = (1000 * index) / tokens.length;
    bars[token.decision] += `M${(x + width * 0.14).toFixed(1)} 100v${-height.toFixed(0)}h${(width * 0.72).toFixed(1)}V100z`;
  }
  return bars;
}
