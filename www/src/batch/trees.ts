/** Sentences with brackets, as binary trees. */

/** A word, or two parts. */
export type Tree = { readonly word: string } | { readonly parts: readonly [Tree, Tree] };

/** What is wrong with a sentence. */
export type Mistake = "unclosed" | "unopened" | "empty";

/** So many words of a sentence are read. */
export const MOST_WORDS = 40;

const TOKEN = /[()]|[^\s()]+/gu;

/**
 * Reads a sentence: brackets hold together what they enclose, and what stands side by side is put together from the left,
 * so that a sentence without brackets is a chain. Words beyond {@link MOST_WORDS} are left out.
 */
export function treeOf(sentence: string): Tree | Mistake {
  const open: Tree[][] = [[]];
  let words = 0;
  for (const [token] of sentence.matchAll(TOKEN)) {
    if (token === "(") open.push([]);
    else if (token === ")") {
      const parts = open.pop() ?? [];
      const around = open.at(-1);
      if (!around) return "unopened";
      const whole = joined(parts);
      if (whole) around.push(whole);
    } else if (words++ < MOST_WORDS) open.at(-1)?.push({ word: token });
  }
  if (open.length > 1) return "unclosed";
  return joined(open[0] ?? []) ?? "empty";
}

function joined([first, ...others]: readonly Tree[]): Tree | null {
  return first ? others.reduce((left, right) => ({ parts: [left, right] }), first) : null;
}

/** The words of a tree, from left to right. */
export function wordsOf(tree: Tree): string[] {
  const words: string[] = [];
  const open: Tree[] = [tree];
  for (let next = open.pop(); next; next = open.pop()) {
    if ("word" in next) words.push(next.word);
    else open.push(next.parts[1], next.parts[0]);
  }
  return words;
}

/** So many sentences are drawn. */
export const MOST_LINES = 6;

/** Sentences as somebody wrote them, one a line. */
export interface Lines {
  readonly trees: readonly Tree[];
  /** What is wrong with the lines that have no tree; lines count from 1. */
  readonly mistakes: readonly { readonly line: number; readonly mistake: Mistake }[];
  /** Whether there are more than are drawn. */
  readonly more: boolean;
}

export function linesOf(text: string): Lines {
  const lines = text.split("\n").map((sentence, at) => ({ line: at + 1, sentence, found: treeOf(sentence) }));
  const written = lines.filter(({ sentence }) => sentence.trim() !== "");
  const shown = written.slice(0, MOST_LINES);
  return {
    trees: shown.flatMap(({ found }) => (typeof found === "string" ? [] : [found])),
    mistakes: shown.flatMap(({ line, found }) => (typeof found === "string" ? [{ line, mistake: found }] : [])),
    more: written.length > MOST_LINES,
  };
}
