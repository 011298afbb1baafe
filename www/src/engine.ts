/**
 * All that the page knows of the engine: models and layers in a worker, what they answer, and their types. No other file of
 * the page imports the package.
 */

import { init, load as open, useWorker, type Model } from "../../js/src/worker.ts";

export { accountOf } from "../../js/src/account.ts";
export { factorOf, isTold, spread } from "../../js/src/measure.ts";
export { Elman, gpuStatistics, Gru, Lstm, race, Skim, Sru } from "../../js/src/worker.ts";
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
  Hidden,
  HiddenLayer,
  LayerConfig,
  Model,
  ModelConfig,
  PlainReading as Reading,
  Progress,
  Race,
  Reader as LiveReader,
  ReadOptions,
  Score,
  Spread,
  Steps,
  Timing,
} from "../../js/src/worker.ts";

// Written out, so that the bundler finds the script.
useWorker(() => new Worker(new URL("../../js/src/worker-entry.ts", import.meta.url), { type: "module" }));

/** Fetches and compiles the engine, as {@link load} would; rejects with the code `ENGINE_FAILED`. */
export const prepare = (): Promise<void> => init();

/** Opens a model file, whose bytes are copied. Rejects with an error that has a `code`. */
export const load = (bytes: Uint8Array): Promise<Model> => open(bytes, { cache: false, task: "classify" });
