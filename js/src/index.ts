/**
 * Recurrent networks that decide how much to compute, in this thread. `saccade-rnn/worker` offers the same from a worker.
 *
 * ```ts
 * import { load } from "saccade-rnn";
 * const model = await load("/models/sentiment.safetensors", { task: "classify" });
 * const { label, tokens } = await model.read("an intelligent and invigorating film");
 * ```
 */

import { start } from "./arguments/entry.js";
import { type Devices, devices as devicesOf, gpuStatistics as statisticsOf } from "./devices.js";
import { followed } from "./follow.js";
import { layersOf } from "./layers.js";
import { load as loadWith, start as startWith } from "./load.js";
import { local } from "./local.js";
import { platform } from "./platform.js";
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

// Their code comes with the first of their models.
platform.structures ??= async () => (await import("./structure/local.js")).structures;
// And this with the first call that is to have workers.
platform.workers ??= async () => (await import("./workers.js")).engineInWorker;

/**
 * Makes the workers of `workers` by another way: from a CDN, whose scripts can be no worker of another origin, host a file of one
 * line, `import "saccade-rnn/worker-entry"`, and give it here. Before the first call.
 */
export function useWorker(make: () => Worker): void;
export function useWorker(...given: unknown[]): void {
  [platform.worker] = start.useWorker(given);
}

/**
 * Starts the engine: fetches and compiles it. The first call decides where from; later ones wait for it. Optional, as
 * {@link load} does it too. Rejects with `ENGINE_FAILED`; the next call then tries again.
 */
export function init(options?: InitOptions): Promise<void>;
export async function init(...given: unknown[]): Promise<void> {
  const [options] = start.init(given);
  await followed(undefined, options, (follow) => startWith(local, options, follow));
}

/**
 * Opens a model: a classifier, a language model, a tagger, a parser or a tree classifier, as its `task` says; `options.task`
 * insists on one. The last three have code and WebAssembly of their own, which come with the first of them.
 */
export function load(source: Source, options: LoadOptions & { readonly task: "classify" }): Promise<Classifier>;
export function load(source: Source, options: LoadOptions & { readonly task: "predict" }): Promise<LanguageModel>;
export function load(source: Source, options: LoadOptions & { readonly task: "tag" }): Promise<Tagger>;
export function load(source: Source, options: LoadOptions & { readonly task: "parse" }): Promise<Parser>;
export function load(source: Source, options: LoadOptions & { readonly task: "tree" }): Promise<TreeClassifier>;
export function load(source: Source, options?: LoadOptions): Promise<AnyModel>;
export async function load(...given: unknown[]): Promise<AnyModel> {
  const [source, options] = start.load(given);
  return loadWith(local, source, options);
}

/** What can compute here, and why not; rejects with nothing but `OPTION_INVALID`, `ABORTED` and `CALLBACK_FAILED`. */
export function devices(options?: InitOptions): Promise<Devices>;
export async function devices(...given: unknown[]): Promise<Devices> {
  const [options] = start.devices(given);
  return devicesOf(local, options);
}

/** What the GPU did so far, and the memory it holds; null if it was not asked for, or is not there. */
export function gpuStatistics(): Promise<GpuStatistics | null>;
export async function gpuStatistics(...given: unknown[]): Promise<GpuStatistics | null> {
  start.gpuStatistics(given);
  return statisticsOf(local);
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
} = layersOf(local);

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
