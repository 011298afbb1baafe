/** What is asked of a training run, which the binary with gradients holds. */

import type {
  ClassifierFigures,
  LanguageModelFigures,
  TaggerFigures,
  TrainingAbout,
  TrainingEnd as End,
  TrainingEvaluation as Evaluation,
  TrainingFigures,
  TrainingMove,
  TrainingReading,
  TrainingStep,
  TrainingTags,
} from "../../pkg/saccade_train.js";
import type { Caller, Id } from "../engine.js";
import type { InitOptions } from "../types.js";
import type { Left } from "./crew.js";

export type { ClassifierFigures, LanguageModelFigures, TaggerFigures, TrainingAbout, TrainingFigures, TrainingMove, TrainingReading, TrainingStep, TrainingTags };

/** What texts are for. */
export type SetName = "train" | "dev" | "test";

/** A column by its name in the first row, or by its number from 0. */
export type ColumnName = string | number | undefined;

/** A device, as it is asked for. */
export type TrainDevice = "cpu" | "webgpu" | "webgpu-only";

/** Where a run computes, and why not elsewhere. */
export interface Begun {
  readonly id: Id;
  readonly about: TrainingAbout;
  readonly device: "cpu" | "webgpu";
  readonly deviceReason: string | undefined;
}

/** How a text is to be gone on with. */
export type Writing = readonly [text: string, words: number, temperature: number, seed: number];

/** What a run is to write, and after how many steps each time; undefined for after every evaluation. */
export interface Sample {
  readonly every: number | undefined;
  readonly writing: Writing;
}

/** What a run has written as it learns. */
export interface TrainingSample {
  /** Epochs so far, with fraction. */
  readonly epoch: number;
  /** What the model as it was then went on with, without the prompt. */
  readonly text: string;
}

/** An evaluation, in the figures of the run's task. */
export interface TrainingEvaluation<Figures extends TrainingFigures = TrainingFigures> extends Omit<Evaluation, "dev"> {
  /** On the texts to choose by. */
  readonly dev: Figures;
}

/** How a run has ended, in the figures of its task. */
export interface TrainingEnd<Figures extends TrainingFigures = TrainingFigures> extends Omit<End, "dev" | "test"> {
  /** Of the model as stored, on the texts to choose by. */
  readonly dev: Figures;
  /** The same on the texts to report on; null without any. */
  readonly test: Figures | null;
}

/** What is done of a run. */
export type Done<Figures extends TrainingFigures = TrainingFigures> =
  | ({ readonly type: "step" } & TrainingStep)
  | ({ readonly type: "evaluated" } & TrainingEvaluation<Figures>)
  | ({ readonly type: "sample" } & TrainingSample)
  | ({ readonly type: "moved"; readonly device: "cpu"; readonly deviceReason: string } & TrainingMove)
  | ({ readonly type: "left" } & Left)
  | ({ readonly type: "ended" } & TrainingEnd<Figures>);

/** What a run goes on from. It can be cloned and stored. */
export interface Snapshot {
  readonly state: Uint8Array<ArrayBuffer>;
  /** The best model so far. */
  readonly kept: Uint8Array<ArrayBuffer> | undefined;
  readonly adjusted: Adjusted;
}

/** What has changed since the run began. */
export interface Adjusted {
  readonly learningRate?: number | undefined;
  readonly gamma?: number | undefined;
  /** Of the Gumbel softmax, from the next step on: it falls no more. */
  readonly temperature?: number | undefined;
}

/** The calls. */
export interface TrainCalls {
  /** Holds a lock until the thread ends; its name, where there are locks. */
  live(): string | undefined;
  /** Starts the binary unless it runs. */
  start(options: Pick<InitOptions, "wasm">): undefined;
  /** Room for the texts of a run of these settings. */
  texts(settings: string): Id;
  labelled(id: Id, set: SetName, labels: readonly string[], texts: readonly string[], lines: readonly number[]): undefined;
  /**
   * Texts with so many tags each as `counts` says: a word for each of them, or, unless they are `cut`, one text to be cut into as many
   * tokens.
   */
  tagged(id: Id, set: SetName, texts: readonly string[], tags: readonly string[], counts: readonly number[], lines: readonly number[], cut: boolean): undefined;
  /** Begins to read a table, of values with commas or with tabs between them. */
  beginTable(id: Id, tabs: boolean, text: ColumnName, label: ColumnName): undefined;
  /** The next bytes of it, `last` with those that end it; how many texts that gives. */
  table(id: Id, set: SetName, bytes: Uint8Array<ArrayBuffer>, last: boolean): number;
  running(id: Id, set: SetName, text: string): undefined;
  /** Makes a run of the texts, which are gone then. `from` is a file to start from. */
  begin(id: Id, from: Uint8Array | undefined, holdOut: number | undefined, device: TrainDevice): Begun;
  /** Does what is due, again and again for so long, and writes the samples that are asked for. */
  advance(id: Id, milliseconds: number, sample: Sample | undefined): readonly Done[];
  adjust(id: Id, adjusted: Adjusted): undefined;
  read(id: Id, texts: readonly string[]): readonly TrainingReading[];
  tag(id: Id, texts: readonly string[]): readonly TrainingTags[];
  write(id: Id, ...writing: Writing): string;
  /** The best model so far, or the model as it is if none was scored, or if `now`. */
  file(id: Id, now: boolean): Uint8Array<ArrayBuffer>;
  snapshot(id: Id): Omit<Snapshot, "adjusted">;
  restore(id: Id, snapshot: Snapshot): undefined;
  /** Has a run learn from every batch together with others, who are at the ports. */
  lead(id: Id, ports: readonly MessagePort[]): undefined;
  /** Has a run learn for the one at the port from now on. */
  help(id: Id, port: MessagePort): undefined;
  /** Tells a run that one of the others is gone. */
  lose(id: Id, helper: number, reason: string): undefined;
  release(id: Id): undefined;
}

/** What answers them. */
export type Trainer = Caller<TrainCalls>;
