import type { GeneratedToken } from "../../engine.ts";
import { failureOf, type Failure } from "../../study/reader.svelte.ts";
import type { Ready } from "../language.svelte.ts";

/** How words are drawn. */
export interface Draw {
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

/** What was written: from what, and how. */
export interface Written {
  readonly ready: Ready;
  readonly prompt: string;
  readonly draw: Draw;
  readonly words: readonly GeneratedToken[];
}

/** So many words, or letters, are written at most. */
export const MOST = { words: 60, letters: 400 };
/** How long each stays the last, so that it can be seen coming, in milliseconds. */
const PACE_MS = { words: 90, letters: 18 };

/** Texts that a model goes on with, one word after the other. */
export class Writing {
  latest: Written | null = $state.raw(null);
  running = $state(false);
  failure: Failure | null = $state.raw(null);
  #stop: AbortController | null = null;

  stop(): void {
    this.#stop?.abort();
  }

  /** Goes on with a prompt; what was written before makes way. */
  async write(ready: Ready, prompt: string, draw: Draw): Promise<void> {
    this.stop();
    const { signal } = (this.#stop = new AbortController());
    const unit = ready.model.config.tokenizer["kind"] === "characters" ? "letters" : "words";
    this.failure = null;
    this.running = true;
    let words: readonly GeneratedToken[] = [];
    this.latest = { ready, prompt, draw, words };
    try {
      for await (const token of ready.model.generate(prompt, { ...draw, maxTokens: MOST[unit], signal })) {
        if (signal.aborted) break;
        words = [...words, token];
        this.latest = { ready, prompt, draw, words };
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
