/** What crosses as rows of numbers, as words and nodes. */

import type { Score } from "../types.js";
import type { ClassifiedText, ClassifiedTree, Parsed, ParsedToken, ParserConfig, PhraseNode, Tagged, TaggerConfig, TreeClassifierConfig, TreeNode } from "./types.js";

/** Stands for a word or node that is not there. */
const NONE = 0xffff_ffff;

/** A row: numbers, of which some are the bits of probabilities. */
interface Row {
  number(column: number): number;
  probability(column: number): number;
}

/** What rows of so many columns stand for, as many of them for each text as `counts` says. */
function unpacked<Item>(
  [counts, columns]: readonly [Uint32Array, Uint32Array],
  width: number,
  item: (row: Row, text: number) => Item,
): Item[][] {
  const reals = new Float32Array(columns.buffer, columns.byteOffset, columns.length);
  let at = 0;
  const row: Row = { number: (column) => columns[at + column] ?? 0, probability: (column) => reals[at + column] ?? 0 };
  return Array.from(counts, (count, text) =>
    Array.from({ length: count }, () => {
      const found = item(row, text);
      at += width;
      return found;
    }),
  );
}

/** What a text has from one number of a row, by default its first, to the next. */
function placeIn(text: string | undefined, row: Row, from = 0) {
  const [start, end] = [row.number(from), row.number(from + 1)];
  return { text: text?.slice(start, end) ?? "", start, end };
}

/** How many numbers a parsed word has. */
const PARSED = 6;

function parsedToken(text: string | undefined, row: Row, { labels, relations }: ParserConfig): ParsedToken {
  const head = row.number(3);
  return {
    ...placeIn(text, row),
    tag: labels[row.number(2)] ?? "",
    head: head === NONE ? null : head,
    relation: relations[row.number(4)] ?? "root",
    probability: row.probability(5),
  };
}

/** A node's place and labels, which begin with this number of a row. */
function labelled(text: string | undefined, row: Row, from: number, labels: readonly string[]) {
  const scores = labels.map((label, i): Score => ({ label, probability: row.probability(from + 3 + i) }));
  const { label, probability } = scores[row.number(from + 2)] ?? { label: "", probability: 0 };
  return { ...placeIn(text, row, from), label, probability, scores };
}

export function taggedTexts(texts: readonly string[], { labels }: TaggerConfig, ...packed: readonly [Uint32Array, Uint32Array]): Tagged[] {
  const all = unpacked(packed, 4, (row, text) => ({ ...placeIn(texts[text], row), tag: labels[row.number(2)] ?? "", probability: row.probability(3) }));
  return all.map((tokens) => ({ tokens }));
}

export function parsedTexts(texts: readonly string[], config: ParserConfig, ...packed: readonly [Uint32Array, Uint32Array]): Parsed[] {
  const all = unpacked(packed, PARSED, (row, text) => parsedToken(texts[text], row, config));
  return all.map((tokens) => ({ tokens }));
}

export function classifiedTrees(
  texts: readonly string[],
  { labels }: TreeClassifierConfig,
  ...packed: readonly [Uint32Array, Uint32Array]
): ClassifiedTree[] {
  /** The nodes of the tree at hand: children stand before their parents. */
  const made: TreeNode[][] = texts.map(() => []);
  unpacked(packed, 5 + labels.length, (row, tree) => {
    const nodes = made[tree] ?? [];
    const [left, right] = [nodes[row.number(0)], nodes[row.number(1)]];
    nodes.push({ ...labelled(texts[tree], row, 2, labels), children: left && right ? [left, right] : [] });
  });
  return made.map((nodes, i) => ({ text: texts[i] ?? "", root: nodes.at(-1) ?? null, nodes }));
}

export function classifiedTexts(
  texts: readonly string[],
  { labels }: TreeClassifierConfig,
  parser: ParserConfig,
  ...packed: readonly [Uint32Array, Uint32Array]
): ClassifiedText[] {
  const all = unpacked(packed, PARSED + 3 + labels.length, (row, text) => {
    const children: PhraseNode[] = [];
    return { token: parsedToken(texts[text], row, parser), ...labelled(texts[text], row, PARSED, labels), children };
  });
  return all.map((nodes, i) => {
    const roots: PhraseNode[] = [];
    for (const node of nodes) {
      const { head } = node.token;
      (head === null ? roots : nodes[head]?.children)?.push(node);
    }
    return { text: texts[i] ?? "", roots, nodes };
  });
}
