/** What the package asks of an engine, be it in this thread or in a worker. */

import type { DevicePreference, FoundGpu, GpuStatistics, HiddenValues, LayerCall, LayerShape, LayerValues, PackedReading, PlainToken, Reason, Steps, StoredLayer } from "../pkg/saccade_rnn.js";
import type { Costs, Decision, InitOptions, Inspection, ModelConfig, Precision, Progress } from "./types.js";

export type { FoundGpu, HiddenValues, LayerShape, LayerValues, PlainToken, Reason, StoredLayer };

/** A model, reader or layer in the engine. */
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
  readonly rest: LayerCall | undefined;
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

/**
 * The calls. Every one may be followed, takes and gives what can be cloned to another thread, and rejects with a
 * `SaccadeError`: its signal's reason at once when that is aborted, `ENGINE_FAILED` when the engine fails meanwhile.
 */
export interface Calls {
  /** Starts the engine unless it runs. */
  start(options: Pick<InitOptions, "wasm" | "variant">): undefined;
  gpu(): FoundGpu;
  statistics(): GpuStatistics | null;
  /** Takes the bytes of a model file. */
  open(bytes: Uint8Array, precision: Precision): { readonly id: Id; readonly config: ModelConfig };
  read(id: Id, text: string, options: PlainReadOptions): PackedReading;
  readAll(id: Id, texts: readonly string[], options: PlainReadOptions): readonly PackedReading[];
  tokenize(id: Id, text: string): readonly PlainToken[];
  calibrate(id: Id): Costs;
  steps(id: Id, device: DevicePreference | undefined): Steps;
  inspect(id: Id): Omit<Inspection, "config">;
  /** The same model, with a CPU of its own that keeps no products of words. */
  withoutWordCache(id: Id): Id;
  reader(id: Id, options: PlainReadOptions): Id;
  update(id: Id, text: string): { readonly reading: PackedReading; readonly computed: number };
  hidden(id: Id): HiddenValues;
  layer(
    from:
      | { readonly bytes: Uint8Array; readonly prefix: string; readonly stored: StoredLayer }
      | { readonly shape: LayerShape; readonly seed: number },
    precision: Precision,
  ): MadeLayer;
  forward(id: Id, x: Float32Array, state: Float32Array, options: PlainForwardOptions): LayerValues;
  /** Frees what `id` stands for; calls under way still end. */
  release(id: Id): undefined;
}

/** A call's name. */
export type CallName = keyof Calls;

/** An engine. */
export interface Engine {
  call<Name extends CallName>(
    name: Name,
    args: Parameters<Calls[Name]>,
    follow?: Follow,
    /** Buffers that may be taken from the caller. */
    transfer?: readonly Transferable[],
  ): Promise<ReturnType<Calls[Name]>>;
}
