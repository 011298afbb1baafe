/** The package's interface, served by a worker: the page can be typed in while it reads. */

import { start } from "./arguments/entry.js";
import { type Devices, devices as devicesOf, gpuStatistics as statisticsOf } from "./devices.js";
import { followed } from "./follow.js";
import { layersOf } from "./layers.js";
import { load as loadWith, start as startWith } from "./load.js";
import { platform } from "./platform.js";
import { endTwins } from "./pool.js";
import type {
  AnyModel,
  Classifier,
  GpuStatistics,
  InitOptions,
  LanguageModel,
  LoadOptions,
  Parser,
  Source,
  Tagger,
  TreeClassifier,
} from "./types.js";
import { engineInWorker } from "./workers.js";

platform.workers ??= async () => engineInWorker;
const engine = engineInWorker();

/**
 * Makes the worker by another way: from a CDN, whose scripts can be no worker of another origin, host a file of one line,
 * `import "saccade-rnn/worker-entry"`, and give it here. Before the first call.
 */
export function useWorker(make: () => Worker): void;
export function useWorker(...given: unknown[]): void {
  [platform.worker] = start.useWorker(given);
}

/** Ends the worker, and those of `workers` of its models; models and layers in them are lost, and calls under way reject with `ENGINE_FAILED`. */
export function terminate(): void {
  engine.terminate();
  endTwins(engine);
}

/** As in the main entry; a response's bytes go to the worker. */
export function init(options?: InitOptions): Promise<void>;
export async function init(...given: unknown[]): Promise<void> {
  const [options] = start.init(given);
  await followed(undefined, options, (follow) => startWith(engine, options, follow));
}

/** Opens a model, which then lives in the worker, as in the main entry. */
export function load(source: Source, options: LoadOptions & { readonly task: "classify" }): Promise<Classifier>;
export function load(source: Source, options: LoadOptions & { readonly task: "predict" }): Promise<LanguageModel>;
export function load(source: Source, options: LoadOptions & { readonly task: "tag" }): Promise<Tagger>;
export function load(source: Source, options: LoadOptions & { readonly task: "parse" }): Promise<Parser>;
export function load(source: Source, options: LoadOptions & { readonly task: "tree" }): Promise<TreeClassifier>;
export function load(source: Source, options?: LoadOptions): Promise<AnyModel>;
export async function load(...given: unknown[]): Promise<AnyModel> {
  const [source, options] = start.load(given);
  return loadWith(engine, source, options);
}

/** What can compute in the worker, and why not; rejects with nothing but `OPTION_INVALID`, `ABORTED` and `CALLBACK_FAILED`. */
export function devices(options?: InitOptions): Promise<Devices>;
export async function devices(...given: unknown[]): Promise<Devices> {
  const [options] = start.devices(given);
  return devicesOf(engine, options);
}

/** What the worker's GPU did so far, and the memory it holds; null if it was not asked for, or is not there. */
export function gpuStatistics(): Promise<GpuStatistics | null>;
export async function gpuStatistics(...given: unknown[]): Promise<GpuStatistics | null> {
  start.gpuStatistics(given);
  return statisticsOf(engine);
}

export const {
  /** Elman network (PyTorch `nn.RNN`). */
  Elman,
  /** Long short-term memory (PyTorch `nn.LSTM`). */
  Lstm,
  /** Gated recurrent unit (PyTorch `nn.GRU`). */
  Gru,
  /** Simple recurrent unit (the `sru` package's `SRU`). */
  Sru,
  /** Skim-RNN over an LSTM or a GRU. */
  Skim,
  /** Adaptive softmax (PyTorch `nn.AdaptiveLogSoftmaxWithLoss`). */
  AdaptiveSoftmax,
} = layersOf(engine);

export { race } from "./race.js";
export type { Devices };
export type { CompareOptions, Comparison, Way } from "./compare.js";
export type { Clock, Contestant, Entrant, Factor, Race, RaceOptions, Spread } from "./measure.js";
export type { Account, Tokens } from "./account.js";
export type * from "./adaptive-softmax.js";
export type * from "./layers.js";
export type * from "./types.js";
export {
  AbortError,
  CallbackError,
  DeviceError,
  DisposedError,
  EngineError,
  type ErrorCode,
  FetchError,
  ModelError,
  OptionError,
  SaccadeError,
} from "./errors.js";
