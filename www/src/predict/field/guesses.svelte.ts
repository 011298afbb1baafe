import type { NextWords } from "../../engine.ts";
import { predict, type Seen } from "../predict.svelte.ts";
import { distributionOf, type Distribution } from "./dots.ts";
import { WORDS, type Way } from "./ways.ts";

/** What was computed at a text's end, in each way, and what it came to. */
export interface Guess {
  readonly seen: Seen;
  readonly answers: Readonly<Record<Way, NextWords>>;
  readonly distribution: Distribution;
}

/** The guesses at the end of the latest text that was asked about. */
export class Guesses {
  latest: Guess | null = $state.raw(null);
  #wanted: Seen | null = null;

  async look(seen: Seen): Promise<void> {
    if (this.latest?.seen === seen) return;
    this.#wanted = seen;
    try {
      const [first, ten, every] = await predict.ask(seen, [WORDS.first, WORDS.ten, seen.ready.vocabulary.length]);
      if (!first || !ten || !every || this.#wanted !== seen) return;
      this.latest = { seen, answers: { first, ten, every }, distribution: distributionOf(seen.ready, every.words) };
    } catch {
      // The text's own reading says what is wrong with the engine; the field stays as it was.
    }
  }
}
