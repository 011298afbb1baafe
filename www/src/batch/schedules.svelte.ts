import { untrack } from "svelte";
import { failureOf, type Failure } from "../study/reader.svelte.ts";
import { groupsOf, padded } from "./padding.ts";
import type { Step } from "./program.ts";
import { byHand, strategies, type Explain, type Report, type Way } from "./schedule.ts";

export type Reports = Readonly<Record<Way, Report>>;

/** While sentences are typed their schedules wait: the engine makes them in the page's own thread. */
const PAUSE_MS = 150;

/** A program batched in all ways. */
export class Schedules {
  /** The latest, with the program that it is of. */
  found: { readonly program: readonly Step[]; readonly sentences: number; readonly reports: Reports } | null = $state.raw(null);
  /** Why there is none of the latest program. */
  failure: Failure | null = $state.raw(null);
  readonly #explain: Explain;
  #looking: AbortController | null = null;

  constructor(explain: Explain) {
    this.#explain = explain;
  }

  /** Batches a program in place of the one before: the first at once, others after a pause. */
  look(program: readonly Step[], sentences: number): void {
    this.stop();
    this.failure = null;
    const { signal } = (this.#looking = new AbortController());
    const timer = setTimeout(() => void this.#find(program, sentences, signal), untrack(() => this.found) ? PAUSE_MS : 0);
    signal.addEventListener("abort", () => clearTimeout(timer));
  }

  stop(): void {
    this.#looking?.abort();
  }

  async #find(program: readonly Step[], sentences: number, signal: AbortSignal): Promise<void> {
    const all: [Way, Report][] = byHand.map((way) => [way, padded(program, groupsOf(program, sentences, way === "buckets"))]);
    try {
      for (const strategy of strategies) {
        all.push([strategy, await this.#explain(program, strategy)]);
        if (signal.aborted) return;
      }
      this.found = { program, sentences, reports: Object.fromEntries(all) as Reports };
    } catch (error) {
      if (!signal.aborted) this.failure = failureOf(error);
    }
  }
}
