/** The words of the page's own sentences, by what they do for the label. */

import grammar from "./grammar.json";

export const wordClasses = ["opinion", "denial", "other"] as const;
export type WordClass = (typeof wordClasses)[number];

const opinion = new Set([grammar.good, grammar.bad].flatMap(({ opinion, verb }) => [...opinion, ...verb]));
/** The first word of each says it: a *but* may stand elsewhere. */
const denial = new Set(grammar.words.denied.map((phrase) => phrase.split(" ")[0]));

export function classOf(word: string): WordClass {
  const small = word.toLowerCase();
  return opinion.has(small) ? "opinion" : denial.has(small) ? "denial" : "other";
}
