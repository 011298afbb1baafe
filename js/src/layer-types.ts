/** What a layer by itself takes, and what it gives. */

import type { Device, DevicePreference, Flops } from "../pkg/saccade_rnn.js";
import type { Disposes, Force } from "./types.js";

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
