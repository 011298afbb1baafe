/** What a language model's file says of its vocabulary: its words, the clusters that the softmax has them in, and how a text begins. */

import { parse } from "../study/safetensors.ts";

/** Words with neighbouring numbers, whose logits are computed together. */
export interface Cluster {
  /** The first word, and one past the last. */
  readonly from: number;
  readonly to: number;
  /** How many numbers each word's logit is a product of. */
  readonly width: number;
}

export interface Anatomy {
  /** The words by number; the most frequent come first. */
  readonly vocabulary: readonly string[];
  /** The head, then the tails. */
  readonly clusters: readonly [Cluster, ...Cluster[]];
  /** The word that stands before every text; null where none does. */
  readonly start: number | null;
}

interface Config {
  readonly vocabulary: readonly string[];
  readonly task: { readonly predict: { readonly cutoffs?: readonly number[]; readonly start?: string } };
}

/** Throws on bytes that are no language model. */
export function anatomyOf(file: Uint8Array): Anatomy {
  const { metadata, tensors } = parse(file);
  const { vocabulary, task } = JSON.parse(metadata["saccade"] ?? "{}") as Config;
  const columns = (name: string) => tensors.find((tensor) => tensor.name === name)?.shape[1] ?? 0;
  const ends = [...(task.predict.cutoffs ?? []), vocabulary.length];
  const tail = (to: number, at: number) => ({ from: ends[at] ?? 0, to, width: columns(`head.tail.${at}.1.weight`) });
  const head = { from: 0, to: ends[0] ?? 0, width: columns("head.head.weight") };
  const { start } = task.predict;
  return { vocabulary, clusters: [head, ...ends.slice(1).map(tail)], start: start === undefined ? null : vocabulary.indexOf(start) };
}

/** How many logits there are: one a word, and in the head one for each tail as a whole. */
export const rowsOf = ({ vocabulary, clusters }: Anatomy): number => vocabulary.length + clusters.length - 1;

/** How many numbers are multiplied to compute all logits: with a vector of each word, which in a tail is shorter, and the state made as short. */
export function productsOf({ clusters: [head, ...tails] }: Anatomy): number {
  const own = (head.to + tails.length) * head.width;
  return tails.reduce((sum, { from, to, width }) => sum + (to - from + head.width) * width, own);
}

/** The same of a softmax whose vectors are all as long as the state. */
export const plainProductsOf = ({ vocabulary, clusters: [head] }: Anatomy): number => vocabulary.length * head.width;
