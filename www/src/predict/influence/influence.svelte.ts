import { Aside } from "../aside.ts";
import type { Seen } from "../predict.svelte.ts";
import { earlier, effectOf, without } from "./without.ts";

/** What earlier words did for the guess of one. */
export interface Effects {
  readonly seen: Seen;
  /** The word that was guessed. */
  readonly at: number;
  /** By the number of the earlier word, those that were left out so far, in bits; null where that cannot be told. */
  readonly bits: ReadonlyMap<number, number | null>;
  readonly total: number;
  /** How it came to its end; null while it is under way. */
  readonly ended: "done" | "stopped" | null;
}

/** Leaves out the words before a word, one at a time, and reads the rest again. */
export class Influence {
  latest: Effects | null = $state.raw(null);
  readonly #aside = new Aside();

  /** Begins again what was stopped. */
  press(seen: Seen, at: number): Promise<void> {
    if (this.latest?.ended === "stopped") this.latest = null;
    return this.look(seen, at);
  }

  async look(seen: Seen, at: number): Promise<void> {
    if (this.latest?.seen === seen && this.latest.at === at) return;
    const { text, scoring, ready } = seen;
    const { reader, signal } = this.#aside.begin(ready);
    const candidates = earlier(at);
    this.latest = { seen, at, bits: new Map(), total: candidates.length, ended: null };
    try {
      for (const out of candidates) {
        const { tokens } = await reader.update(without(text, scoring.tokens, at, out), { signal });
        if (signal.aborted) return;
        this.latest = { ...this.latest, bits: new Map([...this.latest.bits, [out, effectOf(scoring.tokens, at, out, tokens)]]) };
      }
      this.latest = { ...this.latest, ended: "done" };
    } catch {
      if (signal.aborted) return;
      // The text's own reading says what is wrong with the engine; what was found so far stays.
      this.#aside.forget();
      this.latest = { ...this.latest, ended: "stopped" };
    }
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#aside.stop();
    if (this.latest?.ended === null) this.latest = { ...this.latest, ended: "stopped" };
  }
}
