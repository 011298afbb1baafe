import type { GeneratedToken } from "../../engine.ts";
import { failureOf, type Failure } from "../../study/reader.svelte.ts";
import type { LanguageSource } from "../../study/language.ts";
import type { Ready } from "../language.svelte.ts";
import { unitOf } from "../words.ts";

/** How words are drawn. */
export interface Draw {
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

/** What was written: from what, and how. */
export interface Written {
  readonly prompt: string;
  readonly draw: Draw;
  readonly words: readonly GeneratedToken[];
}

/** So many words, or letters, are written at most. */
export const MOST = { word: 60, letter: 400 };
/** How long each stays the last, so that it can be seen coming, in milliseconds. */
const PACE_MS = { word: 90, letter: 18 };

/** Texts that models go on with, one word after the other; of each model the latest is kept. */
export class Writing {
  #latest: ReadonlyMap<LanguageSource, Written> = $state.raw(new Map());
  running = $state(false);
  failure: Failure | null = $state.raw(null);
  #stop: AbortController | null = null;

  /** What a model wrote last. */
  of({ source }: Ready): Written | null {
    return this.#latest.get(source) ?? null;
  }

  stop(): void {
    this.#stop?.abort();
    this.failure = null;
  }

  /** Goes on with a prompt; what the model wrote before makes way for the first word. */
  async write(ready: Ready, prompt: string, draw: Draw): Promise<void> {
    this.stop();
    const { signal } = (this.#stop = new AbortController());
    const unit = unitOf(ready);
    const show = (words: readonly GeneratedToken[]) => (this.#latest = new Map(this.#latest).set(ready.source, { prompt, draw, words }));
    this.running = true;
    let words: readonly GeneratedToken[] = [];
    try {
      for await (const token of ready.model.generate(prompt, { ...draw, maxTokens: MOST[unit], signal })) {
        if (signal.aborted) break;
        words = [...words, token];
        show(words);
        if (!matchMedia("(prefers-reduced-motion: reduce)").matches) await pause(PACE_MS[unit], signal);
      }
    } catch (error) {
      if (!signal.aborted) this.failure = failureOf(error);
    } finally {
      // A later one may have begun.
      if (this.#stop?.signal === signal) this.running = false;
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** The page's one: what was written is there when its model is chosen again, or the chapter opened. */
export const writing = new Writing();
