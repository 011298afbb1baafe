import type { Hidden, Model, ReadOptions } from "../engine.ts";
import type { Seen } from "./reader.svelte.ts";

/** The states of a longer text are a lot to carry between threads, and more columns than a screen has. */
const MOST = 3000;

/** What a reading looked like from inside. The latest is kept; one that is overtaken is dropped. */
export class Insight {
  #latest: { readonly of: string; readonly hidden: Hidden } | null = $state.raw(null);
  #wanted = "";

  /** The hidden states of a reading, once they are there. */
  of(seen: Seen): Hidden | null {
    return this.#latest?.of === signature(seen) ? this.#latest.hidden : null;
  }

  /** Whether a text is too long to be looked into. */
  isLong({ reading }: Seen): boolean {
    return reading.tokens.length > MOST;
  }

  /** Asks for the hidden states of a reading, as it was made. */
  async look(model: Model, seen: Seen, options: ReadOptions): Promise<void> {
    const { length } = seen.reading.tokens;
    const of = (this.#wanted = signature(seen));
    if (length === 0 || this.isLong(seen) || this.#latest?.of === of) return;
    try {
      const hidden = await model.hidden(seen.text, options);
      if (this.#wanted === of) this.#latest = { of, hidden };
    } catch {
      // The reading itself says what is wrong with the engine; the figures that look inside stay away.
    }
  }
}

/** Probabilities of so many labels if the text ended at a token; null where a layer reads backwards, so that only the whole text has any. */
export function scoresAt({ tokens, scores }: Hidden, index: number, labels: number): Float32Array | null {
  return scores.length === tokens.length * labels ? scores.subarray(index * labels, (index + 1) * labels) : null;
}

/** Readings with the same text, decisions and scores went through the same states. */
function signature({ text, reading }: Seen): string {
  const decisions = reading.tokens.map(({ decision }) => (decision === "read" ? "1" : "0")).join("");
  return `${text}\n${decisions}\n${reading.scores.map(({ probability }) => probability.toFixed(5)).join()}`;
}
