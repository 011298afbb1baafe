/** Sentences with brackets, as binary trees. */

/** A word, or two parts. */
export type Tree = { readonly word: string } | { readonly parts: readonly [Tree, Tree] };

/** What is wrong with a sentence. */
export type Mistake = "unclosed" | "unopened" | "empty";

/** So many words of a sentence are read. */
export const MOST_WORDS = 40;
/** So many letters of a word are read. */
export const MOST_LETTERS = 24;

const TOKEN = /[()]|[^\s()]+/gu;
const WORD = /[^\s()]+/gu;
const LONG = new RegExp(`([^\\s()]{${MOST_LETTERS}})[^\\s()]+`, "gu");

/** A sentence with the letters of its words that are read. */
const shortened = (sentence: string): string => sentence.replaceAll(LONG, "$1");

/** The words of a sentence as they are written. */
const wordsIn = (sentence: string): readonly string[] => sentence.match(WORD) ?? [];

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
  /** Whether a line has more words than are read. */
  readonly over: boolean;
  /** Whether a word has more letters than are read. */
  readonly cut: boolean;
}

/** A tree that was grown for a sentence, and of how many words that is as they were cut for it. */
export interface Grown {
  readonly tree: Tree;
  readonly words: number;
}

/** The lines of a text, with trees that were grown for them, or those of their brackets. */
export function linesOf(text: string, grown: (sentence: string) => Grown | undefined = () => undefined): Lines {
  const written = text.split("\n").flatMap((sentence, at) => (sentence.trim() === "" ? [] : [{ line: at + 1, sentence }]));
  const shown = written.slice(0, MOST_LINES).map(({ line, sentence }) => {
    const own = grown(sentence);
    return { line, sentence, found: own?.tree ?? treeOf(shortened(sentence)), words: Math.max(own?.words ?? 0, wordsIn(sentence).length) };
  });
  return {
    trees: shown.flatMap(({ found }) => (typeof found === "string" ? [] : [found])),
    mistakes: shown.flatMap(({ line, found }) => (typeof found === "string" ? [{ line, mistake: found }] : [])),
    more: written.length > MOST_LINES,
    over: shown.some(({ words }) => words > MOST_WORDS),
    cut: shown.some(({ sentence }) => shortened(sentence) !== sentence),
  };
}

/** A sentence without its brackets, as far as it is read. */
export const plainOf = (sentence: string): string => shortened(wordsIn(sentence).slice(0, MOST_WORDS).join(" "));

/** A word of a sentence, and the number of the word that it depends on; null of a root. */
export interface Dependent {
  readonly text: string;
  readonly head: number | null;
}

/**
 * The tree of words that depend on one another: a word is put together with those behind it that depend on it, then with those
 * before it, the nearest first. Sentences of a line are joined from the left. Null without words.
 */
export function treeOfHeads(words: readonly Dependent[]): Tree | null {
  const some = words.slice(0, MOST_WORDS);
  // What depends on a word that is left out stands by itself.
  const headOf = ({ head }: Dependent) => (head !== null && head < some.length ? head : null);
  const grown = (number: number): Tree => {
    const own = some.flatMap((word, at) => (headOf(word) === number ? [at] : []));
    const start: Tree = { word: some[number]?.text ?? "" };
    const behind = own.filter((at) => at > number).reduce<Tree>((tree, at) => ({ parts: [tree, grown(at)] }), start);
    return own.filter((at) => at < number).reduceRight<Tree>((tree, at) => ({ parts: [grown(at), tree] }), behind);
  };
  return joined(some.flatMap((word, at) => (headOf(word) === null ? [grown(at)] : [])));
}
