/** What crosses as rows of numbers, as words and nodes. */

import type { Score } from "../types.js";
import type { ClassifiedTree, Parsed, ParserConfig, Tagged, TaggerConfig, TreeClassifierConfig, TreeNode } from "./types.js";

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

/** What a text has from a row's first number to its second. */
function placeIn(text: string | undefined, row: Row) {
  const [start, end] = [row.number(0), row.number(1)];
  return { text: text?.slice(start, end) ?? "", start, end };
}

export function taggedTexts(texts: readonly string[], { labels }: TaggerConfig, ...packed: readonly [Uint32Array, Uint32Array]): Tagged[] {
  const all = unpacked(packed, 4, (row, text) => ({ ...placeIn(texts[text], row), tag: labels[row.number(2)] ?? "", probability: row.probability(3) }));
  return all.map((tokens) => ({ tokens }));
}

export function parsedTexts(
  texts: readonly string[],
  { labels, relations }: ParserConfig,
  ...packed: readonly [Uint32Array, Uint32Array]
): Parsed[] {
  const all = unpacked(packed, 6, (row, text) => {
    const head = row.number(3);
    return {
      ...placeIn(texts[text], row),
      tag: labels[row.number(2)] ?? "",
      head: head === NONE ? null : head,
      relation: relations[row.number(4)] ?? "root",
      probability: row.probability(5),
    };
  });
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
    const scores = labels.map((label, i): Score => ({ label, probability: row.probability(5 + i) }));
    const [left, right] = [nodes[row.number(2)], nodes[row.number(3)]];
    const { label, probability } = scores[row.number(4)] ?? { label: "", probability: 0 };
    nodes.push({ ...placeIn(texts[tree], row), label, probability, scores, children: left && right ? [left, right] : [] });
  });
  return made.map((nodes, i) => ({ text: texts[i] ?? "", root: nodes.at(-1) ?? null, nodes }));
}
