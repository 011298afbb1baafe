/**
 * All that the page knows of the engine: models and layers in a worker, what they answer, and their types. No other file of
 * the page imports the package.
 */

import { init, load as open, useWorker, type LanguageModel, type Model } from "../../js/src/worker.ts";

export { accountOf } from "../../js/src/account.ts";
export { factorOf, isTold, spread } from "../../js/src/measure.ts";
export { AdaptiveSoftmax, Elman, gpuStatistics, Gru, Lstm, race, Skim, Sru } from "../../js/src/worker.ts";
export type {
  Account,
  Comparison,
  Contestant,
  Cost,
  Costs,
  DecidedToken as Token,
  Decision,
  Device,
  DevicePreference,
  Factor,
  GeneratedToken,
  Hidden,
  HiddenLayer,
  LanguageModel,
  LanguageReader,
  LayerConfig,
  Model,
  ModelConfig,
  NextWord,
  NextWords,
  PlainReading as Reading,
  Progress,
  Race,
  Reader as LiveReader,
  ReadOptions,
  Score,
  ScoredToken,
  Scoring,
  Spread,
  Steps,
  Timing,
} from "../../js/src/worker.ts";

// Written out, so that the bundler finds the script.
useWorker(() => new Worker(new URL("../../js/src/worker-entry.ts", import.meta.url), { type: "module" }));

/** Fetches and compiles the engine, as {@link load} would; rejects with the code `ENGINE_FAILED`. */
export const prepare = (): Promise<void> => init();

/** Opens a classifier's file, whose bytes are copied. Rejects with an error that has a `code`. */
export const load = (bytes: Uint8Array): Promise<Model> => open(bytes, { cache: false, task: "classify" });

/** Opens a language model's file, likewise. */
export const loadLanguageModel = (bytes: Uint8Array): Promise<LanguageModel> => open(bytes, { cache: false, task: "predict" });
