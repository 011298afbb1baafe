/**
 * The page of Skim-LSTM beside our own LSTM: what the driver calls is `window.skim`. Both run on the CPU, and see the same
 * input or text right after one another.
 */

import { load, Lstm, type Model, type Reading, Skim } from "saccade-rnn";
import { Random } from "../shared/random.ts";
import { inTurn } from "../shared/turns.ts";
import type { Workload } from "../shared/workloads.ts";
import { time } from "./time.ts";

/** Shares of tokens to skim, from reading everything to skimming everything. */
const RATES = [0, 0.5, 0.84, 0.95, 1];

/** A layer that skims about as many tokens as asked for. */
export interface Skimmer {
  /** The share of tokens that it skims. */
  readonly rate: number;
  /** The LSTM's floating-point operations over its own. */
  readonly reduction: number;
}

/** Milliseconds of a call, ours and at each rate. */
export interface SkimTurn {
  readonly lstm: number;
  readonly skim: readonly number[];
}

/** Both models on some texts: one text at a time, and all in one call. */
export interface TextsTurn {
  readonly lstm: ModelTurn;
  readonly skim: ModelTurn;
  readonly lstmTogether: ModelTurn;
  readonly skimTogether: ModelTurn;
}

/** One model on some texts. */
export interface ModelTurn {
  /** Milliseconds of all calls. */
  readonly wallMs: number;
  /** Of these, from token ids to scores, as the engine measured. */
  readonly engineMs: number;
  readonly flops: number;
  readonly tokens: number;
  readonly skimmed: number;
  /** How many labels were right. */
  readonly right: number;
}

let layers: (() => Promise<unknown>)[] = [];
let models: { lstm: Model; skim: Model } | null = null;

type Texts = readonly (readonly [label: string, text: string])[];

async function oneByOne(model: Model, texts: Texts): Promise<ModelTurn> {
  const readings: Reading[] = [];
  const begun = performance.now();
  for (const [, text] of texts) readings.push(await model.read(text, { device: "cpu" }));
  return counted(readings, texts, performance.now() - begun);
}

async function together(model: Model, texts: Texts): Promise<ModelTurn> {
  const begun = performance.now();
  const readings = await model.readAll(texts.map(([, text]) => text), { device: "cpu" });
  return counted(readings, texts, performance.now() - begun);
}

function counted(readings: readonly Reading[], texts: Texts, wallMs: number): ModelTurn {
  let [engineMs, flops, tokens, skimmed, right] = [0, 0, 0, 0, 0];
  for (const [i, reading] of readings.entries()) {
    engineMs += reading.timing.totalMs;
    flops += reading.flops.spent;
    tokens += reading.tokens.length;
    skimmed += reading.skimRate * reading.tokens.length;
    // The model writes out what the data abbreviate: neg, pos.
    right += Number(reading.label.startsWith(texts[i]![0]));
  }
  return { wallMs, engineMs, flops, tokens, skimmed, right };
}

const skim = {
  /** Makes the layers of a workload; `smallSize` columns are updated when skimming. */
  async prepare({ inputSize, hiddenSize, steps }: Workload, smallSize: number): Promise<Skimmer[]> {
    const input = new Random(1).uniform(steps * inputSize, 1);
    const lstm = await Lstm.random({ inputSize, hiddenSize, seed: 1 });
    const layer = await Skim.random({ inputSize, hiddenSize, smallSize, seed: 1 });
    const whole = (await lstm.forward(input)).flops.spent;
    layers = [() => lstm.forward(input)];
    const skimmers: Skimmer[] = [];
    for (const wanted of RATES) {
      const threshold = await thresholdFor(layer, input, wanted);
      const { decisions, flops } = await layer.forward(input, { threshold });
      skimmers.push({ rate: share(decisions), reduction: whole / flops.spent });
      layers.push(() => layer.forward(input, { threshold }));
    }
    for (const run of layers) await time(run, 200);
    return skimmers;
  },

  /** A turn of the LSTM and of each rate, `ms` milliseconds each, begun with another one in each round. */
  async turn(ms: number, round: number): Promise<SkimTurn> {
    const times: number[] = [];
    for (const at of inTurn([...layers.keys()], round)) times[at] = await time(layers[at]!, ms);
    const [lstm = 0, ...skim] = times;
    return { lstm, skim };
  },

  /** Loads both models. */
  async load(lstm: string, skim: string): Promise<void> {
    const task = "classify";
    models = { lstm: await load(lstm, { task }), skim: await load(skim, { task }) };
  },

  /** Reads the texts with both models, text for text in one order and then in the other. */
  async texts(texts: Texts, lstmFirst: boolean): Promise<TextsTurn> {
    if (!models) throw new Error("load the models first");
    const { lstm, skim } = models;
    const tasks = [() => oneByOne(lstm, texts), () => oneByOne(skim, texts), () => together(lstm, texts), () => together(skim, texts)];
    if (!lstmFirst) tasks.reverse();
    const turns = await inOrder(tasks);
    if (!lstmFirst) turns.reverse();
    const [a, b, c, d] = turns as [ModelTurn, ModelTurn, ModelTurn, ModelTurn];
    return { lstm: a, skim: b, lstmTogether: c, skimTogether: d };
  },
};

async function inOrder<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const task of tasks) results.push(await task());
  return results;
}

function share(decisions: Float32Array): number {
  return decisions.reduce((sum, value) => sum + value, 0) / decisions.length;
}

type SkimLayer = Awaited<ReturnType<typeof Skim.random>>;

/** A threshold at which the layer skims about `wanted` of the rows, by bisection: the higher it is, the fewer. */
async function thresholdFor(layer: SkimLayer, input: Float32Array, wanted: number): Promise<number> {
  if (wanted === 0) return 1;
  if (wanted === 1) return 0;
  let [low, high] = [0, 1];
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    const { decisions } = await layer.forward(input, { threshold: middle });
    if (share(decisions) > wanted) low = middle;
    else high = middle;
  }
  return high;
}

declare global {
  interface Window {
    skim: typeof skim;
  }
}

window.skim = skim;
