/** The logits of a softmax as dots: a word each, and in the head, after its words, one for every tail as a whole. */

import type { Anatomy } from "../anatomy.ts";

/** What a dot stands for. */
export type Dot = { readonly kind: "word"; readonly id: number; readonly cluster: number } | { readonly kind: "door"; readonly cluster: number };

/** How many dots every cluster has. */
export function countsOf({ clusters }: Anatomy): number[] {
  return clusters.map(({ from, to }, cluster) => to - from + (cluster === 0 ? clusters.length - 1 : 0));
}

/** The dot of that number. */
export function dotOf({ clusters }: Anatomy, number: number): Dot {
  const [{ to }] = clusters;
  const doors = clusters.length - 1;
  if (number >= to && number < to + doors) return { kind: "door", cluster: number - to + 1 };
  const id = number < to ? number : number - doors;
  return { kind: "word", id, cluster: clusters.findIndex(({ to }) => id < to) };
}

/** The number of a word's dot. */
export const numberOf = ({ clusters }: Anatomy, id: number): number => (id < clusters[0].to ? id : id + clusters.length - 1);

/** A distribution over all words. */
export interface Distribution {
  /** By word. */
  readonly probabilities: Float32Array;
  /** By cluster: of all of its words together. */
  readonly masses: readonly number[];
}

/** What a list of all words with their probabilities is as a distribution. */
export function distributionOf(anatomy: Anatomy, words: readonly { readonly id: number; readonly cluster: number; readonly probability: number }[]): Distribution {
  const probabilities = new Float32Array(anatomy.vocabulary.length);
  const masses = anatomy.clusters.map(() => 0);
  for (const { id, cluster, probability } of words) {
    probabilities[id] = probability;
    masses[cluster] = (masses[cluster] ?? 0) + probability;
  }
  return { probabilities, masses };
}

/** What a dot's logit says: the probability of its word, or of all words of a tail. */
export function probabilityOf({ probabilities, masses }: Distribution, dot: Dot): number {
  return (dot.kind === "word" ? probabilities[dot.id] : masses[dot.cluster]) ?? 0;
}
