/** What a loop over trees records: a Tree-LSTM with a guess at every node, and rare words spelt letter by letter. */

import type { Tree } from "./trees.ts";

/** The kinds of node, in the order in which a sentence needs them. */
export const kinds = ["look", "letter", "word", "join", "guess"] as const;
export type Kind = (typeof kinds)[number];

/** A node of the program. */
export interface Step {
  readonly kind: Kind;
  /** The numbers of the steps that it needs the results of. */
  readonly needs: readonly number[];
  /** The number of its sentence. */
  readonly sentence: number;
  /** What it stands for: a letter, a word, or the words that it puts together. */
  readonly text: string;
}

/** A word of so many letters counts as rare. */
export const RARE = 8;

/** The steps for some trees, each after those that it needs. */
export function programOf(trees: readonly Tree[]): Step[] {
  const steps: Step[] = [];
  for (const [sentence, tree] of trees.entries()) {
    const add = (kind: Kind, needs: readonly number[], text: string) => steps.push({ kind, needs, sentence, text }) - 1;
    const guessed = (step: number, text: string) => {
      add("guess", [step], text);
      return { step, text };
    };
    const word = (text: string) => {
      const [first = "", ...others] = [...text];
      if (others.length + 1 < RARE) return guessed(add("word", [add("look", [], text)], text), text);
      let spelt = add("look", [], first);
      for (const letter of others) spelt = add("letter", [spelt, add("look", [], letter)], letter);
      return guessed(add("word", [spelt], text), text);
    };
    // Without recursion, since a chain is as deep as it is long.
    const done: { step: number; text: string }[] = [];
    const open: (Tree | "join")[] = [tree];
    for (let next = open.pop(); next; next = open.pop()) {
      if (next === "join") {
        const [right, left] = [done.pop(), done.pop()];
        if (!left || !right) continue;
        const text = `${left.text} ${right.text}`;
        done.push(guessed(add("join", [left.step, right.step], text), text));
      } else if ("word" in next) done.push(word(next.word));
      else open.push("join", next.parts[1], next.parts[0]);
    }
  }
  return steps;
}
