import type { Token } from "../engine.ts";

/**
 * The tokens that have room for an upright name of so many pixels under their columns: all, if they do; else the one in focus,
 * then those that were read with the most conviction, then others.
 */
export function namesOf(tokens: readonly Pick<Token, "decision" | "skimProbability">[], focus: number, width: number, name: number): number[] {
  const step = width / Math.max(1, tokens.length);
  const worth = (index: number) => {
    const token = tokens[index];
    if (index === focus) return 3;
    return (token?.decision === "read" ? 1 : 0) + (1 - (token?.skimProbability ?? 0));
  };
  const order = tokens.map((_, index) => index);
  if (step < name) order.sort((a, b) => worth(b) - worth(a) || a - b);
  const free = Math.ceil(name / step);
  const taken = new Set<number>();
  const named: number[] = [];
  for (const index of order) {
    if (taken.has(index)) continue;
    named.push(index);
    for (let near = index - free + 1; near < index + free; near++) taken.add(near);
  }
  return named.sort((a, b) => a - b);
}
