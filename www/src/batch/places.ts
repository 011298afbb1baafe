/** Where the steps of a sentence stand as a tree that grows to the right: a line for each word, its root outermost. */

import type { Step } from "./program.ts";

/** In units: lines downwards, steps of a tree to the right. */
export interface Place {
  readonly line: number;
  /** 0 for words, one more for what is made of them; of what is looked up and of letters, its number in the word. */
  readonly right: number;
  /** Whether it belongs to a word that is spelt. */
  readonly spelt: boolean;
}

/** A sentence's steps with their places, by their number in the program. */
export interface Drawn {
  readonly places: ReadonlyMap<number, Place>;
  /** Of every line its word. */
  readonly words: readonly string[];
  /** How far to the right it grows. */
  readonly height: number;
}

/** The steps of each sentence, placed. */
export function drawn(program: readonly Step[], sentences: number): Drawn[] {
  const all = Array.from({ length: sentences }, () => ({ places: new Map<number, Place>(), words: [] as string[], height: 0 }));
  /** What was looked up for the word that is to come. */
  let looked: number[] = [];
  for (const [number, { kind, needs, sentence, text }] of program.entries()) {
    const tree = all[sentence];
    if (!tree) continue;
    const line = tree.words.length;
    if (kind === "look") looked.push(number);
    else if (kind === "letter") tree.places.set(number, { line, right: looked.length - 1, spelt: true });
    else if (kind === "word") {
      for (const [right, look] of looked.entries()) tree.places.set(look, { line, right, spelt: looked.length > 1 });
      looked = [];
      tree.places.set(number, { line, right: 0, spelt: false });
      tree.words.push(text);
    } else put(tree, number, needs, kind === "join");
  }
  return all;
}

/** Right of what it needs, in the middle of it. */
function put(tree: { places: Map<number, Place>; height: number }, number: number, needs: readonly number[], further: boolean): void {
  const below = needs.flatMap((need) => tree.places.get(need) ?? []);
  const line = below.reduce((sum, place) => sum + place.line, 0) / below.length;
  const right = Math.max(...below.map((place) => place.right)) + (further ? 1 : 0);
  tree.places.set(number, { line, right, spelt: false });
  tree.height = Math.max(tree.height, right);
}
