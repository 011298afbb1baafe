import type { NextWord } from "../engine.ts";
import { Aside } from "./aside.ts";
import type { Seen } from "./predict.svelte.ts";

/** How many words are shown that were expected in a word's place. */
export const EXPECTED = 5;

/** What a model expected in the place of a word: the latest that was asked for. */
export class Expected {
  #found: { readonly seen: Seen; readonly at: number; readonly words: readonly NextWord[] } | null = $state.raw(null);
  readonly #aside = new Aside();

  /** The words that were expected at a token, once they are known; none where that cannot be told. */
  at(seen: Seen, at: number): readonly NextWord[] | null {
    return this.#found?.seen === seen && this.#found.at === at ? this.#found.words : null;
  }

  /** Asks for them. */
  async look(seen: Seen, at: number): Promise<void> {
    if (seen.scoring.tokens[at]?.kind !== "predicted") return;
    // An answer that is still on its way to another question would take this one's place.
    if (this.at(seen, at)) return this.#aside.stop();
    const { reader, signal } = this.#aside.begin(seen.ready);
    try {
      let words: readonly NextWord[] = [];
      for (const before of textsBefore(seen, at)) {
        const { tokens } = await reader.update(before, { signal });
        if (tokens.length !== at || tokens.some(({ text }, each) => text !== seen.scoring.tokens[each]?.text)) continue;
        ({ words } = await reader.predict({ top: EXPECTED, signal }));
        break;
      }
      if (!signal.aborted) this.#found = { seen, at, words };
    } catch {
      // The text's own reading says what is wrong with the engine; what was expected stays away.
      if (!signal.aborted) this.#aside.forget();
    }
  }

  stop(): void {
    this.#aside.stop();
  }
}

/**
 * What may be read as the text before a token: as it is written, or with the last word as the model has it, since how that is cut
 * may depend on what follows.
 */
function textsBefore({ text, scoring: { tokens } }: Seen, at: number): readonly string[] {
  const last = tokens[at - 1];
  return last ? [text.slice(0, last.end), text.slice(0, last.start) + last.text] : [""];
}
