/** The settings of a run as the engine takes them: those of a `saccade train` file, as JSON. */

import { refuse } from "../arguments/check.js";
import { type ErrorCode, SaccadeError } from "../errors.js";
import type { ClassifySettings, LayerSettings, LearningSettings, PredictSettings, TagSettings, TrainSettings } from "./config.js";

/** Which sets there are texts of, beside those to learn from. */
export interface Given {
  readonly dev: boolean;
  readonly test: boolean;
}

const TREEBANK = { kind: "treebank", lowercase: true };
const SPACES = { kind: "spaces", lowercase: true };
const NAME = "texts of a page";
const DEV_SHARE = 0.1;

/** The settings as JSON, with the names and the defaults that the engine asks for. */
export function asJson(settings: TrainSettings, given: Given): string {
  return JSON.stringify(snake(named(settings, given)));
}

/** Where a page has what the command line's settings have under their task. */
const OF_TASK = { predict: "prediction", tag: "tagging" };

/** What the engine says of settings. */
const OF_SETTINGS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["OPTION_INVALID", "MODEL_CONFIG", "TRAINING_DIVERGED"]);

/**
 * Has what the engine says name things as the page does: settings, by their path or as they are in this JSON, as `hiddenSize`, not
 * `hidden_size`; items of these sets, which are no files, by their place in the list and not by a line. Throws the error.
 */
export function asGiven(json: string, lists: readonly string[]): (error: unknown) => never {
  const names = new Set(Array.from(json.matchAll(/"(\w+)":/g), ([, name]) => name));
  const setting = (name: string) => (name.includes(".") || names.has(name) ? camel(name.replace(/^task\.(predict|tag)\b/, (_, task: "predict" | "tag") => OF_TASK[task])) : name);
  return (error) => {
    if (!(error instanceof SaccadeError)) throw error;
    if (OF_SETTINGS.has(error.code)) error.message = error.message.replace(/\b(?:data|model|task|train)\.[\w.]+|\w+/g, setting);
    if (error.code === "TRAINING_DATA") {
      error.message = error.message.replace(/^data\.(\w+):(\d+):/, (place, set: string, line: string) => (lists.includes(set) ? `data.${set}[${Number(line) - 1}]:` : place));
    }
    throw error;
  };
}

function named(settings: TrainSettings, given: Given): object {
  switch (settings.task) {
    case "classify":
      return ofClassifier(settings, given);
    case "predict":
      return ofPredictor(settings, given);
    case "tag":
      return ofTagger(settings, given);
  }
}

/** Its texts are given beside it, so that the engine knows of none here. */
function ofClassifier({ task: _, seed, data = {}, model, train, output }: ClassifySettings, { dev }: Given) {
  if (dev && data.holdOut) refuse("train: settings.data.holdOut", "0 where data.dev is given", data.holdOut);
  return {
    ...defined({ seed, output }),
    // A share of the texts is held out, once they are counted: one at least.
    data: { name: NAME, tokenizer: TREEBANK, ...(data.devBlock && !dev && { holdOut: 1 }), ...data },
    model: { embeddingSize: 64, pool: "last", ...model, encoder: model.encoder.map(layer) },
    train: learning(model.encoder, train),
  };
}

function ofPredictor({ task: _, seed, data = {}, prediction = {}, model, train, output }: PredictSettings, { dev, test }: Given) {
  const { layout: format = "text", devShare = DEV_SHARE, ...others } = data;
  const whole = { format, from: 0, to: 1 };
  if (!dev && !(devShare > 0 && devShare < 1)) refuse("train: settings.data.devShare", "a number between 0 and 1, unless there is data.dev", devShare);
  const cut = 1 - devShare;
  return {
    ...defined({ seed, output }),
    data: {
      name: NAME,
      tokenizer: { ...TREEBANK, ends: format === "lines" ? "line" : "paragraph" },
      steps: 32,
      ...others,
      train: [{ ...whole, of: "train", to: dev ? 1 : cut }],
      dev: dev ? { ...whole, of: "dev" } : { ...whole, of: "train", from: cut },
      ...(test && { test: { ...whole, of: "test" } }),
    },
    task: { predict: prediction },
    model: { embeddingSize: 64, ...model, encoder: model.encoder.map(layer) },
    train: learning(model.encoder, train),
  };
}

/** Its texts are given beside it, where the command line's settings have files. */
function ofTagger({ task: _, seed, data = {}, tagging = {}, model, train, output }: TagSettings, { dev, test }: Given) {
  return {
    ...defined({ seed, output }),
    data: { name: NAME, tokenizer: SPACES, ...data, train: {}, ...(dev && { dev: {} }), ...(test && { test: {} }) },
    task: { tag: tagging },
    model: { embeddingSize: 64, ...model, encoder: model.encoder.map(layer) },
    train: learning(model.encoder, train),
  };
}

/** A layer with what the engine asks for by name. */
function layer(settings: LayerSettings): object {
  switch (settings.type) {
    case "elman":
      return { bidirectional: false, nonlinearity: "tanh", ...settings };
    case "lstm":
    case "gru":
      return { bidirectional: false, ...settings };
    case "sru":
      return { numLayers: 1, ...settings };
    case "skim":
      return { smallReads: "slice", ...settings };
  }
}

function learning(encoder: readonly LayerSettings[], train: LearningSettings = {}): object {
  const skims = encoder.some(({ type }) => type === "skim");
  const skim = skims && { skim: { gamma: 0.02, temperatureRate: 1e-3 } };
  return { batch: 32, epochs: 10, learningRate: 2e-3, clip: 5, ...skim, ...train };
}

function defined(options: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** An object with its keys, and those of all in it, in snake case. */
function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), snake(inner)]));
}
