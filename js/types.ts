/** What the engine takes and gives; the wasm module is checked against these types where it is loaded. */

/** A recurrent layer as the model file describes it: its kind, its sizes and its choices. */
export type LayerConfig = Readonly<Record<string, unknown>>;

/** What a model file says of itself. */
export interface ModelConfig {
  readonly task: string;
  /** The classes, in the order of the model's outputs. */
  readonly labels: readonly string[];
  /** A token is skimmed when its skim probability is above this, unless a call says otherwise. */
  readonly threshold: number;
  readonly encoder: readonly LayerConfig[];
  readonly vocabularySize: number;
  /** Data set, seed, figures: how the model came to be. */
  readonly training: Readonly<Record<string, unknown>>;
}

/** What the network did with a token: the big cell read it, or the small cell skimmed it. */
export type Decision = "read" | "skim";

export interface ReadOptions {
  /** In [0, 1]; in place of the model's own. */
  threshold?: number;
  /** Decisions made for the network, by token index. */
  force?: Readonly<Record<number, Decision>>;
}

export interface Token {
  readonly text: string;
  /** Where the token begins in the original string, in UTF-16 units. */
  readonly start: number;
  /** One past its last UTF-16 unit. */
  readonly end: number;
  readonly decision: Decision;
  /** In [0, 1]; null when the model has no skim cell. */
  readonly skimProbability: number | null;
}

export interface Score {
  readonly label: string;
  /** In [0, 1]; the scores of a reading sum to one. */
  readonly probability: number;
}

/** Floating-point operations of the recurrent layers, embedding and head excluded. */
export interface Flops {
  readonly spent: number;
  /** What the same text costs when every token is read by the big cell alone. */
  readonly full: number;
  /** full / spent. */
  readonly reduction: number;
}

export interface Timing {
  readonly device: "cpu";
  readonly totalMs: number;
  readonly microsecondsPerToken: number;
  /** How the time was measured, as a sentence for people. */
  readonly method: string;
}

export interface Reading {
  readonly label: string;
  readonly scores: readonly Score[];
  readonly tokens: readonly Token[];
  /** The share of tokens that were skimmed, in [0, 1]. */
  readonly skimRate: number;
  readonly flops: Flops;
  readonly timing: Timing;
}

export interface Model {
  readonly config: ModelConfig;
  /** Reads a text of any length; a lone surrogate counts as U+FFFD. Rejects with an {@link EngineError}. */
  read(text: string, options?: ReadOptions): Promise<Reading>;
  /** Returns the model's memory; the model must not be used afterwards. */
  free(): void;
}

/** The wasm module's class. */
export interface ModelClass {
  /** Reads a safetensors file; throws an {@link EngineError} with code `MODEL_INVALID` for any other bytes. */
  load(bytes: Uint8Array): Model;
}

/** What the engine throws: `code` for programs, `message` for people. */
export interface EngineError extends Error {
  readonly code: string;
}
