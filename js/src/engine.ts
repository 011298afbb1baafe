/** What the package asks of an engine, be it in this thread or in a worker. */

import type {
  CursorValues,
  DevicePreference,
  FoundGpu,
  GpuStatistics,
  HiddenValues,
  LayerValues,
  PackedReading,
  PlainToken,
  Reason,
  SoftmaxValues,
  Steps,
} from "../pkg/saccade_rnn.js";
import type { StructureCalls } from "./structure/calls.js";
import type { Costs, Decision, InitOptions, Inspection, LanguageModelConfig, ModelConfig, Precision, Progress } from "./types.js";

export type { CursorValues, FoundGpu, HiddenValues, LayerValues, PlainToken, Reason, SoftmaxValues };

/** A model, reader, cursor or layer in the engine. */
export type Id = number;

/** Follows a call, and stops it: a signal's reason is the `SaccadeError` that the call rejects with. */
export interface Follow {
  readonly signal?: AbortSignal | undefined;
  /** `decided` is what the engine's `Watch` is told, and `from` the token it begins with. */
  readonly onProgress?: ((progress: Progress, from: number, decided: Float32Array | null) => void) | undefined;
}

/** Options of a reading as the engine takes them. */
export interface PlainReadOptions {
  readonly device?: DevicePreference;
  readonly threshold?: number;
  readonly force?: Readonly<Record<number, Decision>>;
  readonly measureMs?: number;
}

/** Options of a layer's call as the engine takes them. */
export interface PlainForwardOptions {
  readonly device: DevicePreference | undefined;
  readonly threshold: number | undefined;
  readonly lengths: readonly number[] | undefined;
  readonly force: Readonly<Record<number, Decision>> | undefined;
  readonly profile: boolean | undefined;
}

/** The kinds of recurrent layers. */
export type LayerName = "elman" | "lstm" | "gru" | "sru" | "skim";

/** Sizes and choices of a layer, with the names that the layers' functions have for them. */
export type Choices = Readonly<Record<string, number | boolean | string | undefined>>;

/** What a cursor is for. */
export interface PlainCursor {
  readonly device?: DevicePreference | undefined;
  /** What is told of the words that are read: nothing unless given. */
  readonly scores?: "total" | "all";
  /** Whether states are kept on the way, so that the text may change. */
  readonly keeps?: boolean;
}

/** What is asked of a cursor. */
export interface CursorAsk {
  /** The text is this now. */
  readonly text?: string;
  /** So many of the most probable next words. */
  readonly top?: number;
  /** A next word that is drawn, with which the text goes on. */
  readonly draw?: { readonly temperature: number; readonly topP: number; readonly topK: number; readonly seed: number };
}

/** A layer that was made. */
export interface MadeLayer {
  readonly id: Id;
  readonly inputSize: number;
  readonly outputSize: number;
  /** `hc`, `h` or `c`. */
  readonly stateParts: string;
  /** The columns of each part. */
  readonly stateColumns: readonly number[];
}

/** An adaptive softmax that was opened. */
export interface MadeSoftmax {
  readonly id: Id;
  readonly inputSize: number;
  /** The first word of every tail, and how many words there are. */
  readonly ends: readonly number[];
}

/**
 * The calls. Every one may be followed, takes and gives what can be cloned to another thread, and rejects with a
 * `SaccadeError`: its signal's reason at once when that is aborted, `ENGINE_FAILED` when the engine fails meanwhile.
 */
export interface Calls extends StructureCalls {
  /** Starts the engine unless it runs. */
  start(options: Pick<InitOptions, "wasm" | "variant">): undefined;
  gpu(): FoundGpu;
  statistics(): GpuStatistics | null;
  /** What the engine was compiled to, for others of its kind. */
  module(): WebAssembly.Module | undefined;
  /** Takes the bytes of a model file. */
  open(bytes: Uint8Array, precision: Precision): { readonly id: Id; readonly config: ModelConfig | LanguageModelConfig };
  read(id: Id, text: string, options: PlainReadOptions): PackedReading;
  readAll(id: Id, texts: readonly string[], options: PlainReadOptions): readonly PackedReading[];
  tokenize(id: Id, text: string): readonly PlainToken[];
  /** Makes the GPU ready for a model; until it is, the CPU answers what is asked of `webgpu`. */
  prepare(id: Id): undefined;
  calibrate(id: Id): Costs;
  steps(id: Id, device: DevicePreference | undefined): Steps;
  inspect(id: Id): Omit<Inspection, "config">;
  /** The same model, with a CPU of its own that keeps no products of words. */
  withoutWordCache(id: Id): Id;
  reader(id: Id, options: PlainReadOptions): Id;
  update(id: Id, text: string): { readonly reading: PackedReading; readonly computed: number };
  /** And the reading of its text, if it was given one. */
  hidden(id: Id, text: string): HiddenValues & { readonly reading: PackedReading };
  cursor(id: Id, options: PlainCursor): Id;
  ask(id: Id, ask: CursorAsk): CursorValues;
  /** Asks a cursor that nobody goes on with. */
  askOnce(id: Id, options: PlainCursor, ask: CursorAsk): CursorValues;
  layer(
    from:
      | { readonly bytes: Uint8Array; readonly prefix: string; readonly choices: Choices }
      | { readonly choices: Choices; readonly seed: number },
    kind: LayerName,
    precision: Precision,
  ): MadeLayer;
  forward(id: Id, x: Float32Array, state: Float32Array, options: PlainForwardOptions): LayerValues;
  softmax(
    bytes: Uint8Array,
    prefix: string,
    cutoffs: Uint32Array | undefined,
    divValue: number | undefined,
    precision: Precision,
  ): MadeSoftmax;
  /** Log-probabilities of the targets, if there are any, otherwise the `top` most probable words, all words if that is 0. */
  words(id: Id, x: Float32Array, top: number, targets: Uint32Array | undefined): SoftmaxValues;
  /** Frees what `id` stands for; calls under way still end. */
  release(id: Id): undefined;
}

/** A call's name. */
export type CallName = keyof Calls;

/** What a call takes beside the id of what it is about. */
export type About<Name extends CallName> = Parameters<Calls[Name]> extends [Id, ...infer Others] ? Others : never;

/** What answers calls about one thing that an engine holds. */
export interface Answerer {
  ask<Name extends CallName>(name: Name, args: About<Name>, follow: Follow): Promise<ReturnType<Calls[Name]>>;
  /** The id that another model has where this one answers. */
  idOf(other: Lent, follow: Follow): Promise<Id>;
}

/** A model that calls about another one need. */
export interface Lent {
  readonly engine: Engine;
  /** Its id in its engine; throws `DISPOSED` once it is disposed. */
  id(): Id | Promise<Id>;
  /** Opens it in another engine as well; the same function each time that it is lent. */
  readonly openIn: (engine: Engine) => Promise<Id>;
}

/** What answers the calls of a table. */
export interface Caller<Table extends { readonly [Name in keyof Table]: (...args: never) => unknown }> {
  call<Name extends keyof Table>(
    name: Name,
    args: Parameters<Table[Name]>,
    follow?: Follow,
    /** Buffers that may be taken from the caller. */
    transfer?: readonly Transferable[],
  ): Promise<ReturnType<Table[Name]>>;
}

/** An engine. */
export type Engine = Caller<Calls>;
