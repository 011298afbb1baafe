/** Figures computed beforehand over whole data sets and kept in `www/data`, fetched when the page comes to need them. */

import type { Tradeoff } from "./curve.ts";

export interface WordCount {
  readonly word: string;
  /** How often it occurs in the test set. */
  readonly count: number;
  /** How often it was skimmed. */
  readonly skimmed: number;
}

export interface WordTable {
  readonly model: string;
  readonly dataset: string;
  readonly tokens: number;
  /** Most often skimmed, and most often read. */
  readonly skimmed: readonly WordCount[];
  readonly read: readonly WordCount[];
}

interface Looked {
  readonly words: number;
  /** The mean share of readers that looked at such a word. */
  readonly lookedAt: number;
}

export type Interval = readonly [low: number, high: number];

export interface Eyes {
  readonly model: string;
  readonly dataset: string;
  readonly sentences: number;
  readonly words: number;
  readonly readers: number;
  /** Between the share of readers that looked at a word and the network's probability of reading it. */
  readonly correlation: number;
  readonly correlationCi: Interval;
  /** The same with people's share, for what needs no network. */
  readonly baselines: Readonly<Record<"length" | "frequency", number>>;
  /** What is left of the correlation when length and frequency are taken out of both. */
  readonly partial: number;
  readonly partialCi: Interval;
  readonly byDecision: Readonly<Record<"read" | "skim", Looked>>;
  /** `read` is the share of such words that the network reads. */
  readonly byClass: readonly (Looked & { readonly class: string; readonly read: number })[];
  readonly byLength: readonly (Looked & { readonly length: number; readonly read: number })[];
}

const files = import.meta.glob("../../data/*.json", { import: "default" });

/** A file of `www/data` once it has come; stays null where there is none of that name. */
export class Data<T> {
  value: T | null = $state.raw(null);
  #name: string | null = null;

  /** Asks for a file by its name, or for none; what came for another name is dropped. */
  want(name: string | null): void {
    if (this.#name === name) return;
    this.#name = name;
    this.value = null;
    if (name === null) return;
    void files[`../../data/${name}.json`]?.().then(
      (value) => {
        if (this.#name === name) this.value = value as T;
      },
      // Without the network the figure stays away, as where there is no such file.
      () => undefined,
    );
  }
}

/** Of a model's own test set; a visitor's own model has none. */
export class ModelData {
  readonly tradeoff = new Data<Tradeoff>();
  readonly words = new Data<WordTable>();

  want(model: string | null): void {
    this.tradeoff.want(model && `tradeoff-${model}`);
    this.words.want(model && `words-${model}`);
  }
}
