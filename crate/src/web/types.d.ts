/** A recurrent layer as the model file describes it: its kind, its sizes and its choices. */
export type LayerConfig = Readonly<Record<string, unknown>> & { readonly type: "elman" | "lstm" | "gru" | "sru" | "skim" };

/** How a model was made and what it reached. Every part may be absent. */
export interface Training {
  readonly command?: string;
  /** A whole number; above 2 ** 53 JavaScript rounds it. */
  readonly seed?: number;
  readonly commit?: string;
  readonly data_set?: string;
  readonly licence?: string;
  /** Measured figures by name, as fractions of 1. */
  readonly figures?: Readonly<Record<string, number>>;
  readonly notes?: Readonly<Record<string, string>>;
}

/** What a classifier's file says of itself; its words are left out. */
export interface ModelConfig {
  readonly task: "classify";
  /** The classes, in the order of the scores. */
  readonly labels: readonly string[];
  /** Whether a layer decides what to skim. */
  readonly skims: boolean;
  /** A token is skimmed when its skim probability is above this, unless a call says otherwise. */
  readonly threshold: number;
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly vocabularySize: number;
  readonly embeddingSize: number;
  readonly encoder: readonly LayerConfig[];
  readonly pool: "last" | "mean" | "max";
  readonly training: Training & Readonly<Record<string, unknown>>;
}

/** What a language model's file says of itself; its words are left out. */
export interface LanguageModelConfig extends Omit<ModelConfig, "task" | "labels" | "pool"> {
  readonly task: "predict";
  /** The first word of every tail of its softmax; empty if that is over all words. */
  readonly cutoffs: readonly number[];
}

/** What the network did with a token: the big cell read it, or the small cell skimmed it. */
export type Decision = "read" | "skim";

/** Where a computation runs. */
export type Device = "cpu" | "webgpu";
/**
 * Where it is wanted: `auto` is where the answer is expected sooner, as measured by `calibrate`; `webgpu-only` rejects where
 * there is no GPU or it fails, and all others go on with the CPU. `webgpu` has the CPU answer also while a model that was loaded
 * for the GPU is being made ready there.
 */
export type DevicePreference = Device | "auto" | "webgpu-only";

/**
 * Follows a reading: `done` of `total` tokens (of `readAll`: texts) are read. Called between the pieces that a long text is
 * read in, and at the end. The reading waits for the answer and stops, with the code `ABORTED`, at `false`. `decided` has, of
 * the tokens from `from` on, in turn the first Skim layer's decision, 1 to skim, and its probability; it is empty without one.
 */
export type Watch = (
  done: number,
  total: number,
  from: number,
  decided: Float32Array,
) => boolean | void | Promise<boolean | void>;

/** A token before it is read. */
export type PlainToken = Pick<Token, "text" | "start" | "end" | "known">;

export interface Token {
  /** As the network sees it. */
  readonly text: string;
  /** Where the token begins in the original string, in UTF-16 units. */
  readonly start: number;
  /** One past its last UTF-16 unit. */
  readonly end: number;
  /** Whether the model's vocabulary has it. */
  readonly known: boolean;
  readonly decision: Decision;
  /** In [0, 1]; null when the model has no skim cell. */
  readonly skimProbability: number | null;
}

export interface Score {
  readonly label: string;
  /** In [0, 1]; the scores of a reading sum to one. */
  readonly probability: number;
}

/** Floating-point operations of the recurrent layers: 2 for each multiply-add of a matrix product. */
export interface Flops {
  readonly spent: number;
  /** What the same text costs when every token is read by the big cell alone. */
  readonly full: number;
  /** full / spent; 1 when there was nothing to compute. */
  readonly reduction: number;
}

/** The computation from token ids to scores. */
export interface Timing {
  readonly device: Device;
  readonly totalMs: number;
  /** 0 without tokens. */
  readonly microsecondsPerToken: number;
  readonly method: Method;
}

/** How a time was measured: the mean of runs, a share of a batch of texts by tokens, or one run over the rest of a text. */
export type Method =
  | { readonly kind: "mean"; readonly runs: number; readonly elapsedMs: number }
  | { readonly kind: "share"; readonly texts: number; readonly elapsedMs: number }
  | { readonly kind: "rest"; readonly tokens: number };

/** Why a call ran where it did. */
export type Reason =
  | { readonly code: "cpuAsked" | "gpuStarting" | "unmeasured" | "layerOnCpu" | "incremental" }
  | { readonly code: "gpuAsked"; readonly adapter: string }
  | { readonly code: "noGpu"; readonly why: string }
  | { readonly code: "gpuFailed"; readonly error: string }
  | {
      readonly code: "measured";
      readonly tokens: number;
      readonly cpuMs: number;
      readonly gpuMs: number;
      readonly gpuFixedMs: number;
    };

export interface Reading {
  /** The likeliest label. */
  readonly label: string;
  readonly scores: readonly Score[];
  readonly tokens: readonly Token[];
  /** The share of decisions that were to skim, in [0, 1]. */
  readonly skimRate: number;
  readonly flops: Flops;
  readonly timing: Timing;
  /** Why it ran on `timing.device`. */
  readonly deviceReason: Reason;
}

/** A reading as it crosses: its words between spaces, and of every token start, end, what is so, and a probability's bits. */
export type PackedReading = Omit<Reading, "tokens"> & { readonly words: string; readonly tokens: Uint32Array };

/** What a cursor found of its text and of what may come next. */
export type CursorValues = readonly [
  /** The texts of all words, end to end. */
  words: string,
  /**
   * Of every token of the text, and then of the next words: start, end, length of its word, id, cluster, rank (0 where it is
   * not known), how many logits were computed (0 of a word that nothing came before), and the bits of ln p.
   */
  columns: Uint32Array,
  /**
   * The bits of as many doubles: milliseconds, tokens computed, the sum of ln p of all words that were predicted, how many
   * these are, how many next words there are, how many logits were computed for them.
   */
  figures: Uint32Array,
  /** The clusters that were computed for the next words. */
  opened: Uint32Array,
  device: Device,
  deviceReason: Reason | null,
];

/**
 * What an adaptive softmax found of all rows, end to end: log-probabilities, the words that they are of (none where they are of
 * all words), how many logits were computed for each row, milliseconds.
 */
export type SoftmaxValues = readonly [values: Float32Array, words: Uint32Array, rows: Uint32Array, totalMs: number];

/** Expected wall time of a reading on one device. */
export interface Cost {
  /** Milliseconds of a text without words: launching kernels, reading back. */
  readonly fixedMs: number;
  /** Milliseconds of each token. */
  readonly tokenMs: number;
}

/** What both devices were measured to take. */
export interface Costs {
  readonly cpu: Cost;
  readonly webgpu: Cost | null;
  /** Why there is no GPU. */
  readonly webgpuAbsent: string | null;
}

/** What one token costs on one device. */
export interface Steps {
  readonly device: Device;
  /** Microseconds of a token that is read. */
  readonly readUs: number;
  /** Microseconds of one that is skimmed; null in a model that does not skim. */
  readonly skimUs: number | null;
  /** The smallest difference that the clock shows, in microseconds. */
  readonly clockUs: number;
  /** How they were measured. */
  readonly method: Replay;
  /**
   * Of one reading of the longer text: what each kernel took on the GPU, the longest first. Null on the CPU and where the
   * adapter has no timestamp queries.
   */
  readonly kernels: readonly { readonly kernel: string; readonly launches: number; readonly nanoseconds: number }[] | null;
}

/**
 * The text, repeated to two lengths in tokens, read again and again for `sampleMs`, `samples` times over, of which the least
 * counts.
 */
export interface Replay {
  readonly lengths: readonly [short: number, long: number];
  readonly sampleMs: number;
  readonly samples: number;
}

/** What the GPU did so far, and the memory it holds. */
export interface GpuStatistics {
  readonly dispatches: number;
  readonly submissions: number;
  readonly reads: number;
  /** Bytes that crossed between host and GPU, in both directions. */
  readonly bytesMoved: number;
  readonly bytesAllocated: number;
  readonly bytesFree: number;
}

/** What the engine throws: `code` for programs, `message` for people. */
export interface EngineError extends Error {
  readonly code:
    | "MODEL_TRUNCATED"
    | "MODEL_INVALID"
    | "MODEL_UNSUPPORTED"
    | "MODEL_CONFIG"
    | "MODEL_TENSORS"
    | "MODEL_OVERFLOW"
    | "OPTION_INVALID"
    | "ABORTED"
    | "DEVICE_LOST"
    | "DEVICE_MEMORY"
    | "DEVICE_FAILED"
    | "DEVICE_LIMIT"
    | "DEVICE_UNAVAILABLE"
    | "ENGINE";
}

/** The GPU, or why there is none. */
export type FoundGpu =
  | { readonly name: string; readonly software: boolean; readonly timestamps: boolean }
  | { readonly reason: string };

/** A cell's matrices in `HiddenValues.values`, one after the other: `rows` x `size` each, logits `rows` x 2. */
export interface CellContents {
  readonly name: string;
  readonly kind: "embedding" | "elman" | "lstm" | "gru" | "sru" | "skim";
  readonly size: number;
  /** 0 for all but Skim cells. */
  readonly smallSize: number;
  readonly backward: boolean;
  /** Whether memories follow the states. */
  readonly cells: boolean;
  /** Names of the gates, whose matrices follow. */
  readonly gates: readonly string[];
  /** Whether logits come last. */
  readonly logits: boolean;
}

/** What every cell did; `values` ends with the scores. */
export interface HiddenValues {
  readonly rows: number;
  readonly cells: readonly CellContents[];
  readonly values: Float32Array;
}

/** What a model is made of. */
export interface Made {
  /** How many numbers were learned. */
  readonly parameters: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** What a layer computed: output, state, and for a Skim layer logits and decisions, end to end. */
export type LayerValues = readonly [
  values: Float32Array,
  /**
   * The bits of as many doubles: milliseconds, FLOPs spent, those of reading every row, how many times as many these are;
   * of a GPU also kernel launches, command buffers, bytes that crossed, and where the run was profiled, milliseconds in
   * kernels.
   */
  figures: Uint32Array,
  /** Undefined where the CPU was asked for. */
  deviceReason: Reason | undefined,
];
