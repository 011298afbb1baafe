import type { LanguageReader } from "../engine.ts";
import type { Ready } from "./language.svelte.ts";

/** A place in a text beside the one that is typed: what is asked there does not disturb the typing. */
export class Aside {
  #at: { readonly ready: Ready; readonly reader: LanguageReader } | null = null;
  #asking: AbortController | null = null;

  /** The reader, for questions that make way for later ones: the signal of the one before is aborted. */
  begin(ready: Ready): { readonly reader: LanguageReader; readonly signal: AbortSignal } {
    this.#asking?.abort();
    this.#asking = new AbortController();
    if (this.#at?.ready !== ready) {
      this.#at?.reader.dispose();
      this.#at = { ready, reader: ready.model.reader() };
    }
    return { reader: this.#at.reader, signal: this.#asking.signal };
  }

  /** Gives up what is asked. */
  stop(): void {
    this.#asking?.abort();
  }

  /** Another reader is made for the next question; the engine may have lost this one. */
  forget(): void {
    this.#at = null;
  }
}
