/** A word that was picked in a text: kept while the text up to it stays, forgotten with it. */

import type { Seen } from "./predict.svelte.ts";

type Where = Pick<Seen, "ready" | "text" | "scoring">;

export interface Picked {
  readonly ready: Seen["ready"];
  /** The number of the word, and the text up to its end. */
  readonly at: number;
  readonly upTo: string;
}

export function pick({ ready, text, scoring }: Where, at: number): Picked {
  return { ready, at, upTo: text.slice(0, scoring.tokens[at]?.end) };
}

/** The number of the word that was picked; null in another text, where that number is another word's. */
export function pickedIn({ ready, text, scoring }: Where, picked: Picked | null): number | null {
  return picked?.ready === ready && picked.at < scoring.tokens.length && text.startsWith(picked.upTo) ? picked.at : null;
}
