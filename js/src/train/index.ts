/**
 * Training: from texts to a model, in a worker unless told otherwise.
 *
 * ```ts
 * import { train } from "saccade-rnn/train";
 * const run = train(reviews, {
 *   task: "classify",
 *   model: { encoder: [{ type: "skim", cell: "lstm", hiddenSize: 100, smallSize: 10 }] },
 * });
 * for await (const event of run) {
 *   if (event.type === "evaluated") console.log(event.epoch, event.dev);
 * }
 * const model = await run.model();
 * ```
 */

import { is, number, oneOf, optional, refuse, string, unchecked } from "../arguments/check.js";
import { start, wasm } from "../arguments/entry.js";
import { options as optionsOf } from "../arguments/options.js";
import { maybe, signal } from "../arguments/shared.js";
import { parameter, take } from "../arguments/signature.js";
import { opener } from "../port.js";
import { remote } from "../remote.js";
import type { Classifier, LanguageModel, Source, Tagger } from "../types.js";
import type { ClassifierFigures, LanguageModelFigures, TaggerFigures, TrainCalls } from "./calls.js";
import { sampled, settings, snapshot } from "./checks.js";
import type { ClassifySettings, PredictSettings, TagSettings, TrainSettings } from "./config.js";
import { type LabelledTexts, type RunningText, type Sets, setsOf, type TaggedTexts, type TrainData } from "./data.js";
import { training } from "./local.js";
import { endTeams, team } from "./team.js";
import { Training, type TrainOptions } from "./training.js";

/** Who tells more threads than any machine has processors means something else. */
const MOST_WORKERS = 256;
const workers = is<number>(
  `a whole number from 1 to ${MOST_WORKERS}`,
  (found) => Number.isInteger(found) && (found as number) >= 1 && (found as number) <= MOST_WORKERS,
);

const taken = take("train", [
  parameter("data", unchecked<TrainData>()),
  parameter("settings", settings),
  parameter(
    "options",
    optionsOf<TrainOptions>()({
      device: optional(oneOf("cpu", "webgpu", "webgpu-only")),
      signal: optional(signal),
      from: optional(unchecked<Source>()),
      sample: optional(sampled),
      resume: optional(snapshot),
      checkpoint: optional(string),
      checkpointSeconds: optional(number("a number of seconds from 0", [0, Infinity])),
      workers: optional(workers),
      worker: maybe,
      wasmUrl: wasm,
    }),
  ),
]);

let made: (() => Worker) | undefined;
const open = opener(
  () => new Worker(new URL("./worker-entry.js", import.meta.url), { type: "module" }),
  "saccade-rnn/train/worker-entry",
  () => made,
);
/** A worker for all runs, beside that of `saccade-rnn/worker`, so that models read while others learn. */
const remotely = remote<TrainCalls>(open);

/** Makes the worker by another way, as `useWorker` of `saccade-rnn/worker` does. Before the first run. */
export function useWorker(make: () => Worker): void;
export function useWorker(...given: unknown[]): void {
  [made] = start.useWorker(given);
}

/** Ends the worker, and those of `workers`: all runs in it, and all with `workers`, reject with `ENGINE_FAILED`. */
export function terminate(): void {
  remotely.terminate();
  endTeams();
}

/**
 * Begins a run: texts and settings in, events, and a model in the end. The same texts, settings and seed give the same model, and
 * the same as the command line's, which takes texts in a file of lines for tokenised. The task narrows the figures and the model.
 */
export function train(data: LabelledTexts | Sets<LabelledTexts>, settings: ClassifySettings, options?: TrainOptions): Training<ClassifierFigures, Classifier>;
export function train(data: RunningText | Sets<RunningText>, settings: PredictSettings, options?: TrainOptions): Training<LanguageModelFigures, LanguageModel>;
export function train(data: TaggedTexts | Sets<TaggedTexts>, settings: TagSettings, options?: TrainOptions): Training<TaggerFigures, Tagger>;
export function train(data: TrainData, settings: TrainSettings, options?: TrainOptions): Training;
export function train(...given: unknown[]): Training {
  const [data, settings, options = {}] = taken(given);
  const { workers = 1, device = "cpu" } = options;
  if (workers > 1 && device !== "cpu") refuse("train: options.device", 'with workers "cpu", since workers compute on the CPU', device);
  if (options.sample && settings.task !== "predict") refuse("train: options.sample", 'a run whose task is "predict"', settings.task);
  const leader = options.worker ?? true ? remotely : training;
  const trainer = workers > 1 ? team(leader, workers - 1, open) : leader;
  return new Training({ trainer, sets: setsOf(data), settings, options });
}

export type { ClassifierFigures, LanguageModelFigures, TaggerFigures, TrainingFigures } from "./calls.js";
export type { TrainingAbout, TrainingEnd, TrainingEvaluation, TrainingMove, TrainingReading, TrainingSample, TrainingStep, TrainingTags } from "./calls.js";
export type { Adjusted, Snapshot, TrainDevice } from "./calls.js";
export type * from "./config.js";
export type { LabelledText, LabelledTexts, RunningText, Sets, TaggedText, TaggedTexts, TaggedWords, TextSource, TextTable, TrainData } from "./data.js";
export { Training } from "./training.js";
export type { TrainEvent, TrainOptions } from "./training.js";
export type { SampleOptions, WriteOptions } from "./checks.js";
export { SaccadeError } from "../errors.js";
export type { ErrorCode } from "../errors.js";
