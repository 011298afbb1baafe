/**
 * Short opinions with a label each, for a network to learn from: all of them are made here, by the sentences and words of
 * `grammar.json`, which are this project's own. The same seed makes the same texts.
 */

import { pick, random, type Draw } from "../shared/random.ts";
import grammar from "./grammar.json";

/** A text and its label. */
export interface Opinion {
  readonly text: string;
  readonly label: string;
}

export const labels = ["good", "bad"] as const;
export type Label = (typeof labels)[number];

const other = { good: "bad", bad: "good" } satisfies Record<Label, Label>;

/** The number of one of several, the more often the larger its weight. */
function weighted(draw: Draw, weights: readonly number[]): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let left = draw() * sum;
  return weights.findIndex((weight) => (left -= weight) < 0);
}

/** A sentence with this label. */
function sentence(draw: Draw, label: Label): string {
  const shape = grammar.sentence.of[weighted(draw, grammar.sentence.weights)] ?? "";
  const filled = shape.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === "either") return pick(draw, grammar[pick(draw, labels)].opinion);
    // What is denied is the contrary of what is meant.
    if (name === "contrary") return pick(draw, grammar[other[label]].opinion);
    if (name === "opinion" || name === "verb") return pick(draw, grammar[label][name]);
    return pick(draw, grammar.words[name as keyof typeof grammar.words]);
  });
  const spaced = `${filled.replace(/\s+/g, " ").trim()}.`.replace(/ ([,:])/g, "$1");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** So many texts, no two of them equal, half of them with each label in turn. */
export function opinions(count: number, seed: number): Opinion[] {
  const draw = random(seed);
  const made = new Map<string, Label>();
  while (made.size < count) {
    const label = labels[made.size % 2] as Label;
    const text = sentence(draw, label);
    if (!made.has(text)) made.set(text, label);
  }
  return [...made].map(([text, label]) => ({ text, label }));
}
