/// <reference lib="esnext.disposable" preserve="true" />
/** What goes in and what comes out. */

import type { CompareOptions, Comparison } from "./compare.js";
import type {
  Costs,
  Decision,
  Device,
  DevicePreference,
  Flops,
  LanguageModelConfig,
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
   * the code `CALLBACK_FAILED`; what it returns is not waited for.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
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

/** What a model is asked: the label of a text, or its next word. */
export type Task = "classify" | "predict";

export interface LoadOptions extends CallOptions {
  /** What the model must be for: a file of another task rejects with the code `MODEL_CONFIG`. Any task unless given. */
  readonly task?: Task | undefined;
  /** Where readings are wanted that do not say it themselves; `auto` unless told otherwise. */
  readonly device?: DevicePreference | undefined;
  /** The WebAssembly file ({@link InitOptions.wasm}), if this call starts the engine. */
  readonly wasmUrl?: InitOptions["wasm"];
  /** The build of the engine ({@link InitOptions.variant}), if this call starts it. */
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
  /** Read a few words before the model is given, so that no reading waits for compilers; true unless told otherwise. */
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

export type ReadAllOptions = Omit<ReadOptions, "force" | "measureMs">;
export type StreamOptions = Omit<ReadOptions, "measureMs">;
export type ReaderOptions = Pick<ReadOptions, "threshold" | "force">;
export type StepsOptions = CallOptions & Pick<ReadOptions, "device">;

/** A token of a reading. */
export interface Token extends EngineToken {
  /** Microseconds that a step of its kind takes on the reading's device, as `steps` measured it; null before it has. */
  readonly timeUs: number | null;
}

/** How long a reading took. */
export interface PlainTiming extends Omit<EngineTiming, "method"> {
  /** How the time was measured, in words. */
  readonly method: string;
}

/** How long a reading took, and its steps. */
export interface Timing extends PlainTiming {
  /** Microseconds of a token that is read, by `steps`; null before it has measured them on this device. */
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
  /** A reader of text that is still being typed, or arrives in pieces. It runs on the CPU. */
  reader(options?: ReaderOptions): Reader;
  /** What the network did inside in such a reading, computed on the CPU whatever the device. */
  hidden(text: string, options?: ReadOptions): Promise<Hidden>;
  /** Measures both devices on the text read last, some tenths of a second, so that `auto` can choose. */
  calibrate(options?: CallOptions): Promise<Costs>;
  /** Measures what one read and one skimmed token cost, on the text read last. */
  steps(options?: StepsOptions): Promise<Steps>;
  /** Times a text as the network decides, with every word read, and by another network, in turns. */
  compare(text: string, options?: CompareOptions): Promise<Comparison>;
  /** What the model is made of. */
  inspect(): Promise<Inspection>;
}

/** A {@link Classifier}. */
export type Model = Classifier;

/** What {@link load} gives: `task` says which. */
export type AnyModel = Classifier | LanguageModel;

export interface ScoreOptions extends CallOptions {
  /** In place of the model's own. */
  readonly device?: DevicePreference | undefined;
}

export interface NextOptions extends CallOptions {
  /** How many of the most probable words; 10 unless given. */
  readonly top?: number | undefined;
}

export interface PredictOptions extends NextOptions, ScoreOptions {}

/** How words are drawn. Progress is that of reading the prompt. */
export interface GenerateOptions extends ScoreOptions {
  /** 1 unless given: the model's own probabilities. Less prefers probable words; 0 takes the most probable. */
  readonly temperature?: number | undefined;
  /** Draw from the most probable words that together reach this probability; from all unless given. */
  readonly topP?: number | undefined;
  /** Draw from so many of the most probable words; from all unless given. */
  readonly topK?: number | undefined;
  /** The same seed, prompt and options give the same words, on every device but for rounding; another one each time unless given. */
  readonly seed?: number | undefined;
  /** 100 unless given. */
  readonly maxTokens?: number | undefined;
}

/** A word of a language model's text. */
export interface LanguageToken extends PlainToken {
  /** Its number in the vocabulary; 0 of words that are not in it. */
  readonly id: number;
  /** Where the softmax has it: 0 is the head, then come the tails. */
  readonly cluster: number;
}

/** The first word of a text, in a model that begins without one: nothing comes before it that could predict it. */
export interface FirstToken extends LanguageToken {
  readonly kind: "first";
}

/** A word, and what the model made of it before it read it. */
export interface PredictedToken extends LanguageToken {
  readonly kind: "predicted";
  readonly probability: number;
  /** Its surprisal: -log2 of its probability. */
  readonly bits: number;
  /** How many words were more probable, plus 1; of equals the one with the lower number comes first. */
  readonly rank: number;
  /** How many logits were computed to know that. */
  readonly rowsComputed: number;
}

/**
 * A word of a text that was scored, by `kind`. Where the model's tokenizer has ends, the end of a line or paragraph is a word
 * too: `<eos>`, whose place in the text is the white space there.
 */
export type ScoredToken = FirstToken | PredictedToken;

/** What a language model made of a text. */
export interface Scoring {
  readonly tokens: readonly ScoredToken[];
  /** How many tokens were predicted: all, or all but the first. */
  readonly predicted: number;
  /** The surprisal of all of them together. */
  readonly bits: number;
  /** Two to the mean of their surprisals; NaN if there are none. */
  readonly perplexity: number;
  readonly timing: PlainTiming;
  /** Why it ran on `timing.device`, in words. */
  readonly deviceReason: string;
}

/** A word that may come next. */
export interface NextWord {
  readonly text: string;
  readonly id: number;
  readonly cluster: number;
  readonly probability: number;
  /** Its surprisal: -log2 of its probability. */
  readonly bits: number;
}

/** What finding the next words took. */
export interface NextCost {
  /** The tails that were computed, in that order, as `cluster` numbers them: the others cannot matter. */
  readonly clustersOpened: readonly number[];
  /** How many logits were computed: those of the head and of these tails. */
  readonly rowsComputed: number;
  readonly timing: PlainTiming;
  /** Why it ran on `timing.device`, in words. */
  readonly deviceReason: string;
}

/** The most probable next words, the most probable first: exactly those of the whole distribution. */
export interface NextWords extends NextCost {
  readonly words: readonly NextWord[];
}

/** A word that was drawn. */
export interface GeneratedWord extends NextWord, NextCost {
  readonly kind: "word";
  /** What the text goes on with: the word, behind a space where words have spaces between them. */
  readonly piece: string;
}

/** The end of what the model's texts are: of the line, paragraph or document. Nothing is generated after it. */
export interface GeneratedEnd extends NextWord, NextCost {
  readonly kind: "end";
  /** What the text goes on with: the white space that ends a line or a paragraph. */
  readonly piece: string;
}

/** What was drawn, by `kind`. */
export type GeneratedToken = GeneratedWord | GeneratedEnd;

/** A language model: how probable words are in their places, and what may come next. */
export interface LanguageModel extends Disposes {
  readonly task: "predict";
  readonly config: LanguageModelConfig;
  /** Where the last call ran; before the first, where it is expected to. */
  readonly device: Device;
  /** Why there, in words. */
  readonly deviceReason: string;
  /** How surprising every word of a text is, read from its beginning, piece by piece however long it is. */
  score(text: string, options?: ScoreOptions): Promise<Scoring>;
  /** The perplexity of a text by the words that {@link score} predicts, without a token's object for each; NaN if there are none. */
  perplexity(text: string, options?: ScoreOptions): Promise<number>;
  /** The words that may come after a text, which may be empty. */
  predict(text: string, options?: PredictOptions): Promise<NextWords>;
  /**
   * Draws one word after the other, each when it is asked for, until there are `maxTokens` or the model draws the end of the
   * line, paragraph or document. To leave the loop ends it. The prompt may be empty.
   */
  generate(prompt: string, options?: GenerateOptions): AsyncIterableIterator<GeneratedToken>;
  /** The tokens of a text, without reading it. */
  tokenize(text: string): Promise<readonly PlainToken[]>;
  /** A reader of text that is still being typed, or arrives in pieces. It runs on the CPU. */
  reader(): LanguageReader;
  /** What the model is made of. */
  inspect(): Promise<Inspection<LanguageModelConfig>>;
}

/** Keeps states on the way, so that typing costs the new words. Calls are answered in their order. */
export interface LanguageReader extends Disposes {
  /** The text as of the last call. */
  readonly text: string;
  /** How many tokens the last `update` or `append` read: those that are new, and of a change further back also up to 16 before it. */
  readonly computed: number;
  /** The text is this now. */
  update(text: string, options?: CallOptions): Promise<Scoring>;
  /** The text goes on with this. */
  append(text: string, options?: CallOptions): Promise<Scoring>;
  /** The words that may come next. */
  predict(options?: NextOptions): Promise<NextWords>;
}

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
  /** What the network did inside, on the text read last. */
  hidden(options?: CallOptions): Promise<Hidden>;
}

/** Numbers by any array of them. */
export type Numbers =
  | readonly number[]
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** The rows of all sequences end to end: `rows x inputSize` numbers, row-major, or an array of rows. */
export type Rows = Numbers | readonly Numbers[];

/** Counts by any array of them. */
export type Counts = Numbers | BigInt64Array | BigUint64Array;

/**
 * A state to begin with: an earlier one, or the whole result that has it; also as PyTorch writes it, a pair `[h, c]`, or `h`
 * alone where there is no `c`.
 */
export type Initial<State> =
  | { readonly [Part in keyof State]: Numbers }
  | { readonly output: Float32Array; readonly state: State }
  | ("h" | "c" extends keyof State ? readonly [h: Numbers, c: Numbers] : Numbers);

/** Sequences for a layer. */
export interface ForwardOptions<State> {
  /** `cpu` unless told otherwise. */
  readonly device?: DevicePreference | undefined;
  /** The states to begin with, as an earlier call left them; zeros unless given. */
  readonly state?: Initial<State> | undefined;
  /** Rows of each sequence; one sequence of all rows unless given. */
  readonly lengths?: Counts | undefined;
  /** Time the kernels of the GPU, where it can; that takes longer. */
  readonly profile?: boolean | undefined;
  /** The call rejects with the code `ABORTED` at once; what its device has begun it ends, unseen. */
  readonly signal?: AbortSignal | undefined;
}

/** Sequences for a Skim layer. */
export interface SkimForwardOptions<State> extends ForwardOptions<State> {
  /** Skim where the probability is above it; 0.5 unless given. */
  readonly threshold?: number | undefined;
  /** Decisions made for it, by row. */
  readonly force?: Force | undefined;
}

/** What a layer took to compute. */
export interface LayerTiming {
  readonly device: Device;
  /** Wall time in milliseconds, from the rows given to the rows computed. */
  readonly totalMs: number;
  /** Kernel launches on the GPU; what other calls did meanwhile counts as well. */
  readonly dispatches?: number;
  /** Command buffers sent to the GPU. */
  readonly submissions?: number;
  /** Bytes that crossed between host and GPU, in both directions. */
  readonly bytesMoved?: number;
  /** Milliseconds in kernels; absent without timestamp queries, and where the run was not profiled. */
  readonly kernelMs?: number;
}

/** What a layer computed. */
export interface Computed<State> {
  /** `rows x outputSize`, rows of all sequences end to end. */
  readonly output: Float32Array;
  readonly state: State;
  readonly flops: Flops;
  readonly timing: LayerTiming;
  /** Why it ran on `timing.device`, in words. */
  readonly deviceReason: string;
}

/** What a Skim layer computed. */
export interface SkimComputed<State> extends Computed<State> {
  /** `rows x 2`, read and skim, before the softmax. */
  readonly logits: Float32Array;
  /** 1 where it skimmed, otherwise 0. */
  readonly decisions: Float32Array;
}

/** A layer with its weights. */
export interface SequenceLayer<State, Out = Computed<State>, Options = ForwardOptions<State>> extends Disposes {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Runs sequences as one batch. `x` holds their rows end to end, `rows x inputSize`, row-major. */
  forward(x: Rows, options?: Options): Promise<Out>;
}

/** States as PyTorch has them: `[layers · directions, sequences, hiddenSize]`. */
export interface HiddenState {
  readonly h: Float32Array;
}

/** States, and memories `c` of the same shape. */
export interface LstmState extends HiddenState {
  readonly c: Float32Array;
}

/** Memories `[layers, sequences, hiddenSize · directions]`. */
export interface SruState {
  readonly c: Float32Array;
}

/** `[1, sequences, hiddenSize]` each; `c` over an LSTM. */
export interface SkimState extends HiddenState {
  readonly c?: Float32Array;
}
