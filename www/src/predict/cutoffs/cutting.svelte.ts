import recordedTimes from "./recorded.json";
import recordedShares from "../../../data/shares-novels-lm.json";
import type { Spread } from "../../engine.ts";
import { cheapest, costOf, still, wordsOf, type Cost, type Cut, type Shares, type Times } from "./costs.ts";
import { check, measure, type Follow } from "./measure.ts";

/** How often the words of the novels that `novels-lm` learned from occur (`npm run shares`). */
export const shares: Shares = recordedShares;
/** The model's own cut. */
export const shipped: Cut = recordedShares.cutoffs;
/** Times that were measured elsewhere (`npm run record:cutoffs`), to be seen, pale, before some are measured here. */
export const recorded = { machine: recordedTimes.machine, times: still(recordedTimes.times) };
/** The fewest words a head can be dragged to: with fewer, the product costs nothing that could be measured. */
export const LEAST = 64;
/** The head is to hold so much of the text unless the visitor wants otherwise. */
const COVERAGE = 0.85;

/** A cut as it was measured, and what had been expected of it. */
export interface Held {
  readonly cut: Cut;
  readonly expected: Cost;
  readonly ms: Spread;
}

/** What cuts cost on this device, and the cut that the visitor drags. */
class Cutting {
  /** What was measured here; null before. */
  measured: Times | null = $state.raw(null);
  cut: Cut = $state.raw(shipped);
  coverage = $state(COVERAGE);
  held: readonly Held[] = $state.raw([]);
  running: { readonly what: "times" | "cuts"; readonly done: number; readonly total: number } | null = $state.raw(null);
  failure: string | null = $state(null);
  #stop: AbortController | null = null;

  readonly times: Times = $derived(this.measured ?? recorded.times);
  readonly cost: Cost = $derived(costOf(this.cut, this.times, shares));
  readonly own: Cost = $derived(costOf(shipped, this.times, shares));
  readonly best: Cut | null = $derived(cheapest(this.times, shares, this.coverage));
  readonly bestCost: Cost | null = $derived(this.best && costOf(this.best, this.times, shares));
  /** One product for all words. */
  readonly whole: Cost = $derived(costOf([], this.times, shares));

  /** Puts a cut at a number of words, as far as the other leaves room. */
  move(which: number, words: number): void {
    const { places } = shares;
    const [low, high] = [this.cut[which - 1] ?? LEAST - 1, this.cut[which + 1] ?? wordsOf(shares)];
    const free = places.filter((place) => place > low && place < high);
    const nearest = free.reduce((a, b) => (Math.abs(Math.log(b / words)) < Math.abs(Math.log(a / words)) ? b : a), free[0] ?? this.cut[which] ?? LEAST);
    this.cut = this.cut.map((at, index) => (index === which ? nearest : at));
  }

  /** Moves a cut so many places on. */
  step(which: number, by: number): void {
    const { places } = shares;
    const at = places.findIndex((place) => place >= (this.cut[which] ?? 0));
    this.move(which, places[Math.min(places.length - 1, Math.max(0, at + by))] ?? LEAST);
  }

  /** Measures the parts of the softmax; what was measured before stays until this has come to an end. */
  async measure(): Promise<void> {
    await this.#run("times", async (follow) => {
      const times = await measure(wordsOf(shares), follow);
      this.measured = times;
      this.held = [];
    });
  }

  /** Measures whole softmaxes: the visitor's cut, the model's own, and the cheapest. */
  async check(): Promise<void> {
    const cuts = [this.cut, shipped, ...(this.best ? [this.best] : [])];
    const different = cuts.filter((cut, at) => cuts.findIndex((other) => other.join() === cut.join()) === at);
    const expected = different.map((cut) => costOf(cut, this.times, shares));
    await this.#run("cuts", async (follow) => {
      const all = await check(different, shares, follow);
      this.held = different.flatMap((cut, at) => {
        const [cost, ms] = [expected[at], all[at]];
        return cost && ms ? [{ cut, expected: cost, ms }] : [];
      });
    });
  }

  /** Stops what is being measured, which leaves no trace. */
  cancel(): void {
    this.#stop?.abort();
  }

  async #run(what: "times" | "cuts", work: (follow: Follow) => Promise<void>): Promise<void> {
    if (this.running) return;
    const { signal } = (this.#stop = new AbortController());
    this.failure = null;
    this.running = { what, done: 0, total: 1 };
    try {
      await work({ signal, onRound: (done, total) => (this.running = { what, done, total }) });
    } catch (error) {
      if (!signal.aborted) this.failure = error instanceof Error ? error.message : String(error);
    } finally {
      this.running = null;
    }
  }
}

/** The page's one: what was measured stays while other chapters are open. */
export const cutting = new Cutting();
