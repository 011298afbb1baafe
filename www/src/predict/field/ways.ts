/** How many of the next words are asked for: the fewer, the less has to be computed. */
export const ways = ["first", "ten", "every"] as const;

export type Way = (typeof ways)[number];

/** So many words, where it is not all of them. */
export const WORDS: Readonly<Record<Exclude<Way, "every">, number>> = { first: 1, ten: 10 };
