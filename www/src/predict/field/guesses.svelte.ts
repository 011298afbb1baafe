import type { NextWords } from "../../engine.ts";
import { Aside } from "../aside.ts";
import type { Seen } from "../predict.svelte.ts";
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
  readonly #aside = new Aside();

  async look(seen: Seen): Promise<void> {
    if (this.latest?.seen === seen) return;
    const { ready, text } = seen;
    const { reader, signal } = this.#aside.begin(ready);
    try {
      await reader.update(text, { signal });
      const answers = {
        first: await reader.predict({ top: WORDS.first, signal }),
        ten: await reader.predict({ top: WORDS.ten, signal }),
        every: await reader.predict({ top: ready.vocabulary.length, signal }),
      };
      if (!signal.aborted) this.latest = { seen, answers, distribution: distributionOf(ready, answers.every.words) };
    } catch {
      // The text's own reading says what is wrong with the engine; the field stays as it was.
      if (!signal.aborted) this.#aside.forget();
    }
  }

  stop(): void {
    this.#aside.stop();
  }
}
