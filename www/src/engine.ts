/**
 * All that the page knows of the engine: models and layers in a worker, what they answer, and their types. No other file of
 * the page imports the package.
 */

import type { LoadedModel } from "../../js/src/model.ts";
import { init, load as open, useWorker, type LanguageModel, type Model } from "../../js/src/worker.ts";

export { accountOf } from "../../js/src/account.ts";
export { factorOf, FEWEST_ROUNDS, isTold, spread } from "../../js/src/measure.ts";
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

/**
 * Opens a classifier whose CPU keeps no products of words. Only a network that skims would keep any: beside others, and on the same
 * few words again and again, its times would be those of a copy.
 */
export async function loadWithoutWordCache(bytes: Uint8Array): Promise<Model> {
  const model = (await load(bytes)) as LoadedModel;
  try {
    return await model.withoutWordCache();
  } finally {
    model.dispose();
  }
}

/** Opens a language model's file, as {@link load} does. */
export const loadLanguageModel = (bytes: Uint8Array): Promise<LanguageModel> => open(bytes, { cache: false, task: "predict" });
