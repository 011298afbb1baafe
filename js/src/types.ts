/// <reference lib="esnext.disposable" preserve="true" />
/** What goes in and what comes out, but for language models and layers, which have files of their own. */

import type { CompareOptions, Comparison } from "./compare.js";
import type { LanguageModel } from "./language-types.js";
import type { Parser, Tagger, TreeClassifier } from "./structure/types.js";
import type {
  Costs,
  Decision,
  Device,
  DevicePreference,
  ModelConfig,
  PlainToken,
  Reading as EngineReading,
  Steps as EngineSteps,
  Timing as EngineTiming,
  Token as EngineToken,
} from "../pkg/saccade_rnn.js";

export type {
  Cost,
  Costs,
  Decision,
  Device,
  DevicePreference,
  Flops,
  GpuStatistics,
  LanguageModelConfig,
  LayerConfig,
  ModelConfig,
  PlainToken,
  Score,
  Token as DecidedToken,
  Training,
} from "../pkg/saccade_rnn.js";
export type * from "./language-types.js";
export type * from "./layer-types.js";
export type * from "./structure/types.js";

/** How far a call is: tokens, texts or bytes. */
export interface Progress {
  readonly done: number;
  /** Null while it is not known. */
  readonly total: number | null;
}

/** What every call takes that lasts. */
export interface CallOptions {
  /** Stops the call, which then rejects with the code `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told how far it is, between the pieces of the work and at its end. What it throws stops the call, which then rejects with
   * the code `CALLBACK_FAILED`. It may be `async`: the work goes on meanwhile, the call resolves when all of its promises
   * have, and one that rejects counts as thrown.
   */
  readonly onProgress?: ((progress: Progress) => unknown) | undefined;
}

/** Which of the two binaries: `simd` runs wherever WebAssembly has 128-bit SIMD, `relaxed` is faster where it is supported. */
export type Variant = "simd" | "relaxed";

/** Where the engine's WebAssembly comes from. */
export interface InitOptions extends CallOptions {
  /**
   * The file by its address, its bytes, a response, or the compiled module; by default the file that came with the package,
   * in the variant that fits.
   */
  readonly wasm?: string | URL | Response | BufferSource | WebAssembly.Module | undefined;
  /** `auto` unless told otherwise: `relaxed` where the browser supports it and the file is there. */
  readonly variant?: Variant | "auto" | undefined;
}

/** What holds a file: bytes, as a buffer or any view of one; a blob, such as a `File` that a person chose; a request or response. */
export type FileSource = ArrayBufferLike | ArrayBufferView | Blob | Request | Response;

/** Where a model comes from: an address (in Node also a path or `file:`), what holds the file, or a promise of either. */
export type Source = string | URL | FileSource | PromiseLike<string | URL | FileSource>;

/**
 * How the CPU keeps weights that it multiplies with: with all 32 bits, or rounded to bfloat16, by at most 1/512 of each.
 * `bf16` takes half the memory for that copy of them, and is up to twice as fast where a single sequence is read with weights that fit
 * no near cache (an LSTM of 512 units or more); sums and states have all bits. A GPU keeps 32.
 */
export type Precision = "f32" | "bf16";

/**
 * What a model is asked: the label of a text, its next word, the tags of its words, the trees of its sentences, or the labels of
 * a tree's nodes.
 */
export type Task = "classify" | "predict" | "tag" | "parse" | "tree";

export interface LoadOptions extends CallOptions {
  /** What the model must be for: a file of another task rejects with the code `MODEL_CONFIG`. Any task unless given. */
  readonly task?: Task | undefined;
  /** Where readings are wanted that do not say it themselves; `auto` unless told otherwise. */
  readonly device?: DevicePreference | undefined;
  /**
   * The WebAssembly file ({@link InitOptions.wasm}), if this call starts the engine. With the `task` of a tagger, a parser or a
   * tree classifier it is the file of these, `saccade-rnn/wasm-structure`; without a `task` it never is.
   */
  readonly wasmUrl?: InitOptions["wasm"];
  /** The build of the engine ({@link InitOptions.variant}), if this call starts it; for taggers, parsers and tree classifiers there is one. */
  readonly variant?: InitOptions["variant"];
  /**
   * Keep the file in the browser's Cache API, under its address and its `ETag` or `Last-Modified`, or its hash where
   * `integrity` gives it; true unless told otherwise. Without any of them, and where there is no Cache API, nothing is kept.
   */
  readonly cache?: boolean | undefined;
  /** The hashes that the file may have, as in HTML: `sha256-…`, `sha384-…` or `sha512-…` in base64, separated by spaces. */
  readonly integrity?: string | undefined;
  /** How the CPU keeps the weights; `f32` unless told otherwise. */
  readonly precision?: Precision | undefined;
  /**
   * Read a few words before the model is given, so that no reading waits for compilers; true unless told otherwise. With the
   * device `webgpu` the CPU reads them, and a classifier or a language model is given while the GPU is still being made ready
   * for it: until then the CPU answers, and says so.
   */
  readonly warmUp?: boolean | undefined;
}

/** Decisions made for a network, by number of the token or row: an object, an array or a `Map`. */
export type Force = Readonly<Record<number, Decision>> | ReadonlyMap<number, Decision>;

export interface ReadOptions extends CallOptions {
  /** In place of the model's own. */
  readonly device?: DevicePreference | undefined;
  /** In [0, 1]; skim a token if its skim probability is above it, in place of the model's own threshold. */
  readonly threshold?: number | undefined;
  /** Decisions made for the network, by token index. */
  readonly force?: Force | undefined;
  /** Repeat the computation until it has lasted this many milliseconds, at most 60,000, and report the mean time. */
  readonly measureMs?: number | undefined;
}

/** What calls about many texts take as well. */
export interface ManyOptions {
  /**
   * So many workers answer, on as many processors: `"auto"` is as many as there are, 8 at most, and 0 none. Answers are those that
   * the model alone gives, in the same order. Workers compute on the CPU: with the device `webgpu` they are refused.
   *
   * ```ts
   * const readings = await model.readAll(texts, { workers: "auto" });
   * for await (const { tokens } of tagger.tagAll(lines(), { workers: 2, signal })) console.log(tokens.length);
   * ```
   *
   * Each holds the model as well. They begin with the first call, which takes some tenths of a second, and wait for the next
   * until the model is disposed; a call that does not come to its end (it is aborted or left, or fails) ends its own at once.
   * Each has two batches at most before it, so that of endless texts a few are in memory; `readAll` takes all texts first. One that
   * dies rejects the call with `ENGINE_FAILED`; the model goes on. No cross-origin isolation is needed.
   */
  readonly workers?: number | "auto" | undefined;
}

export interface ReadAllOptions extends Omit<ReadOptions, "force" | "measureMs">, ManyOptions {}
export type StreamOptions = Omit<ReadOptions, "measureMs">;
export type ReaderOptions = Pick<ReadOptions, "threshold" | "force">;
export type StepsOptions = CallOptions & Pick<ReadOptions, "device">;

/** A token of a reading. */
export interface Token extends EngineToken {
  /** Microseconds that a step of its kind takes on the reading's device, as `steps` measured it; null before it has, and where it found 0. */
  readonly timeUs: number | null;
}

/** How long a reading took. */
export interface PlainTiming extends Omit<EngineTiming, "method"> {
  /** How the time was measured, in words. */
  readonly method: string;
}

/** How long a reading took, and its steps. */
export interface Timing extends PlainTiming {
  /** Microseconds of a token that is read, by `steps`; null before it has measured them on this device, and where it found 0. */
  readonly readStepUs: number | null;
  /** The same of one that is skimmed; null too in a model that does not skim. */
  readonly skimStepUs: number | null;
}

/** What the network made of a text, without what its steps cost. */
export interface PlainReading extends Omit<EngineReading, "timing" | "deviceReason"> {
  readonly timing: PlainTiming;
  /** Why it ran on `timing.device`, in words. */
  readonly deviceReason: string;
}

/** What the network made of a text. */
export interface Reading extends PlainReading {
  readonly tokens: readonly Token[];
  readonly timing: Timing;
}

/** What one token costs on one device. */
export interface Steps extends Omit<EngineSteps, "method"> {
  /** How it was measured, in words. */
  readonly method: string;
}

/** What one layer, in one direction, did at every token of a text. Matrices are row-major, a row a token. */
export interface HiddenLayer {
  /** Where the layer stands in the model file: `encoder.0`. */
  readonly name: string;
  readonly kind: "embedding" | "elman" | "lstm" | "gru" | "sru" | "skim";
  /** Columns of each matrix. */
  readonly size: number;
  /** Of a Skim layer: the columns that skimming updates. */
  readonly smallSize?: number;
  /** Absent for the embedding. */
  readonly direction?: "forward" | "backward";
  /** The state after each token: `tokens x size`. */
  readonly states: Float32Array;
  /** The memory after each token, `tokens x size`: LSTM, SRU, and Skim over an LSTM. */
  readonly cells?: Float32Array;
  /**
   * Gates at each token, `tokens x size` each: `input`, `forget`, `cell` and `output` of an LSTM; `reset`, `update` and `new`
   * of a GRU; `forget` and `reset` of an SRU. At a token that a Skim layer skimmed they are those of its small cell in the
   * first `smallSize` columns and 0 in the others.
   */
  readonly gates?: Readonly<Record<string, Float32Array>>;
  /** Of a Skim layer: `tokens x 2`, read and skim, before the softmax. */
  readonly logits?: Float32Array;
}

/** What the network did inside, computed on the CPU. All arrays are views of one buffer. */
export interface Hidden {
  readonly tokens: readonly Token[];
  /** The word vectors, then every layer and direction. */
  readonly layers: readonly HiddenLayer[];
  /**
   * Probabilities of the labels if the text ended at each token: `tokens x labels`. In a model with a layer that reads
   * backwards every state depends on the end of the text, and there is one row: that of the whole text.
   */
  readonly scores: Float32Array;
}

/** What a model is made of. */
export interface Inspection<Config = ModelConfig> {
  readonly config: Config;
  /** How many numbers were learned. */
  readonly parameters: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/**
 * Gives back what it holds at once; calls under way reject with the code `DISPOSED`, and so do later ones. What is forgotten
 * without it is given back when it is collected, sooner or later.
 */
export interface Disposes extends Disposable {
  dispose(): void;
}

/** An array of texts, or whatever else gives one after the other; a string would give its letters, and is refused. */
export type Texts = Iterable<string> & object;

/** Texts one after the other: an array of them, or whatever else gives them, also later. */
export type TextStream = Texts | AsyncIterable<string>;

/** A text classifier. */
export interface Classifier extends Disposes {
  readonly task: "classify";
  readonly config: ModelConfig;
  /** Where the last reading ran; before the first, where it is expected to. */
  readonly device: Device;
  /** Why there, in words. */
  readonly deviceReason: string;
  /** Reads a text of any length; a lone surrogate counts as U+FFFD. */
  read(text: string, options?: ReadOptions): Promise<Reading>;
  /**
   * Reads many texts in batches, which takes less time than one by one. Their progress counts texts. A text's time is its
   * share of its batch's.
   */
  readAll(texts: Texts, options?: ReadAllOptions): Promise<readonly Reading[]>;
  /** Reads a text and gives its tokens as soon as they are decided, piece by piece; to leave the loop stops the reading. */
  stream(text: string, options?: StreamOptions): AsyncIterableIterator<EngineToken>;
  /** The tokens of a text, with which `force` counts, without reading it. */
  tokenize(text: string): Promise<readonly PlainToken[]>;
  /** A reader of text that is still being typed, or arrives in pieces. It runs on the CPU. A forced decision waits for its token. */
  reader(options?: ReaderOptions): Reader;
  /** What the network did inside in such a reading, computed on the CPU whatever the device. */
  hidden(text: string, options?: StreamOptions): Promise<Hidden>;
  /** Measures both devices on the text read last, some tenths of a second, so that `auto` can choose. */
  calibrate(options?: CallOptions): Promise<Costs>;
  /**
   * Measures what one read and one skimmed token cost, on the text read last. Where noise hides a cost it measures again, three times
   * in all, and tells 0 if it was hidden each time.
   */
  steps(options?: StepsOptions): Promise<Steps>;
  /** Times a text as the network decides, with every word read, and by another network, in turns. */
  compare(text: string, options?: CompareOptions): Promise<Comparison>;
  /** What the model is made of. */
  inspect(): Promise<Inspection>;
  /** The file that it was loaded from, for {@link load} and the command line. */
  save(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A {@link Classifier}. */
export type Model = Classifier;

/** What {@link load} gives: `task` says which. */
export type AnyModel = Classifier | LanguageModel | Tagger | Parser | TreeClassifier;

/** Keeps the state after every token, so that only what changed is read. Calls are answered in their order. */
export interface Reader extends Disposes {
  /** The text as of the last call. */
  readonly text: string;
  /** How many tokens the last reading computed: all from the first that changed on; all of them if the model reads backwards. */
  readonly computed: number;
  /** The text is this now. */
  update(text: string, options?: CallOptions): Promise<Reading>;
  /** The text goes on with this. */
  append(text: string, options?: CallOptions): Promise<Reading>;
  /** What the network did inside, on the text as of the last call; what is left of it after a call that was stopped is read first. */
  hidden(options?: CallOptions): Promise<Hidden>;
}
