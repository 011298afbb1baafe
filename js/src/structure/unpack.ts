/** What crosses as rows of numbers, as words and nodes: there may be a million, so none is put together of parts. */

import type { Score } from "../types.js";
import type { ClassifiedText, ClassifiedTree, Parsed, ParsedToken, ParserConfig, PhraseNode, Tagged, TaggerConfig, TreeClassifierConfig, TreeNode } from "./types.js";

/** Stands for a word or node that is not there. */
const NONE = 0xffff_ffff;

/** How many rows each text has, and all rows end to end. */
type Packed = readonly [counts: Uint32Array, columns: Uint32Array];

/** Numbers, of which some are the bits of probabilities. */
class Columns {
  readonly #numbers: Uint32Array;
  readonly #reals: Float32Array;

  constructor([, columns]: Packed) {
    this.#numbers = columns;
    this.#reals = new Float32Array(columns.buffer, columns.byteOffset, columns.length);
  }

  number(at: number): number {
    return this.#numbers[at] ?? 0;
  }

  probability(at: number): number {
    return this.#reals[at] ?? 0;
  }

  /** What a text has from one number to the next. */
  part(text: string | undefined, at: number): string {
    return text?.slice(this.number(at), this.number(at + 1)) ?? "";
  }
}

/** What rows of so many columns stand for. `item` is told where a row begins, of which text it is, and what the rows of that text before it are. */
function unpacked<Item>([counts]: Packed, width: number, item: (at: number, text: number, before: readonly Item[]) => Item): Item[][] {
  let at = 0;
  return Array.from(counts, (count, text) => {
    const items: Item[] = [];
    for (let number = 0; number < count; number++, at += width) items.push(item(at, text, items));
    return items;
  });
}

/** How many numbers a parsed word has. */
const PARSED = 6;

function parsedToken(text: string | undefined, columns: Columns, at: number, { labels, relations }: ParserConfig): ParsedToken {
  const head = columns.number(at + 3);
  return {
    text: columns.part(text, at),
    start: columns.number(at),
    end: columns.number(at + 1),
    tag: labels[columns.number(at + 2)] ?? "",
    head: head === NONE ? null : head,
    relation: relations[columns.number(at + 4)] ?? "root",
    probability: columns.probability(at + 5),
  };
}

/** Of a node whose place and label begin there the scores. */
function scoresOf(labels: readonly string[], columns: Columns, at: number): readonly Score[] {
  return labels.map((label, i) => ({ label, probability: columns.probability(at + 3 + i) }));
}

export function taggedTexts(texts: readonly string[], { labels }: TaggerConfig, ...packed: Packed): Tagged[] {
  const columns = new Columns(packed);
  const all = unpacked(packed, 4, (at, text) => ({
    text: columns.part(texts[text], at),
    start: columns.number(at),
    end: columns.number(at + 1),
    tag: labels[columns.number(at + 2)] ?? "",
    probability: columns.probability(at + 3),
  }));
  return all.map((tokens) => ({ tokens }));
}

export function parsedTexts(texts: readonly string[], config: ParserConfig, ...packed: Packed): Parsed[] {
  const columns = new Columns(packed);
  const all = unpacked(packed, PARSED, (at, text) => parsedToken(texts[text], columns, at, config));
  return all.map((tokens) => ({ tokens }));
}

/** Children stand before their parents. */
export function classifiedTrees(texts: readonly string[], { labels }: TreeClassifierConfig, ...packed: Packed): ClassifiedTree[] {
  const columns = new Columns(packed);
  const all = unpacked<TreeNode>(packed, 5 + labels.length, (at, tree, before) => {
    const [left, right, scores] = [before[columns.number(at)], before[columns.number(at + 1)], scoresOf(labels, columns, at + 2)];
    const best = scores[columns.number(at + 4)];
    return {
      text: columns.part(texts[tree], at + 2),
      start: columns.number(at + 2),
      end: columns.number(at + 3),
      label: best?.label ?? "",
      probability: best?.probability ?? 0,
      scores,
      children: left && right ? [left, right] : [],
    };
  });
  return all.map((nodes, i) => ({ text: texts[i] ?? "", root: nodes.at(-1) ?? null, nodes }));
}

export function classifiedTexts(texts: readonly string[], { labels }: TreeClassifierConfig, parser: ParserConfig, ...packed: Packed): ClassifiedText[] {
  const columns = new Columns(packed);
  const all = unpacked(packed, PARSED + 3 + labels.length, (at, text) => {
    const scores = scoresOf(labels, columns, at + PARSED);
    const best = scores[columns.number(at + PARSED + 2)];
    const children: PhraseNode[] = [];
    return {
      token: parsedToken(texts[text], columns, at, parser),
      text: columns.part(texts[text], at + PARSED),
      start: columns.number(at + PARSED),
      end: columns.number(at + PARSED + 1),
      label: best?.label ?? "",
      probability: best?.probability ?? 0,
      scores,
      children,
    };
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
