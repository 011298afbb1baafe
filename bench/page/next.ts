/**
 * The page of the next word: a trained language model beside the same with one softmax over all words, and beside
 * onnxruntime-web with that. What the driver calls is `window.next`. All run on the CPU, on one thread, at the same places of a
 * text, right after one another.
 */

import { AdaptiveSoftmax, type AdaptiveSoftmaxLayer, type LanguageModel, type LanguageReader, load } from "saccade-rnn";
import { Random } from "../shared/random.ts";
import { inTurn } from "../shared/turns.ts";
import { time } from "./time.ts";

/** What is asked at a place. */
export type Question = "argmax" | "top10" | "all" | "tokenArgmax" | "tokenDrawn";

/** Milliseconds of an answer, by question, of one contestant at one place; what it cannot be asked is left out. */
export type Answers = Readonly<Partial<Record<Question, number>>>;

/** Every contestant at one place. */
export interface NextTurn {
  readonly adaptive: Answers;
  readonly full: Answers;
  readonly onnx: Answers | null;
  /** Milliseconds of the slowest word that the adaptive softmax drew there. */
  readonly slowest: number;
  /** How many rows its clusters computed for the most probable word. */
  readonly rows: number;
}

interface Ours {
  readonly model: LanguageModel;
  readonly reader: LanguageReader;
  readonly softmax: AdaptiveSoftmaxLayer;
  /** As many values as a row of hidden units has. */
  readonly row: Float32Array;
}

type Step = () => Promise<void>;

let adaptive: Ours;
let full: Ours;
let onnx: Step | null = null;

/** Words drawn one after the other at a place. */
const WORDS = 16;

async function ours(address: string): Promise<Ours> {
  const model = await load(address, { task: "predict", device: "cpu" });
  const softmax = await AdaptiveSoftmax.fromSafetensors(await (await fetch(address)).arrayBuffer(), { prefix: "head." });
  return { model, reader: model.reader(), softmax, row: new Random(1).uniform(softmax.inputSize, 1) };
}

/** A step of onnxruntime-web, whose states go on. */
async function onnxStep(address: string): Promise<Step> {
  const runtime = await import("onnxruntime-web/wasm");
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmPaths = { wasm: (await import("onnxruntime-web/ort-wasm-simd-threaded.wasm?url")).default };
  const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
  const session = await runtime.InferenceSession.create(bytes, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  const [word = "", h = "", c = ""] = session.outputNames;
  const size = adaptive.row.length;
  const tensor = (values: Float32Array) => new runtime.Tensor("float32", values, [1, 1, size]);
  const vector = new Random(2).uniform(size, 0.1);
  let states = { h: tensor(new Float32Array(size)), c: tensor(new Float32Array(size)) };
  return async () => {
    const answer = await session.run({ x: tensor(vector), ...states });
    if (answer[word]?.data.length !== 1) throw new Error("onnxruntime-web gave no word");
    states = { h: answer[h] as typeof states.h, c: answer[c] as typeof states.c };
  };
}

/** Mean and largest milliseconds of a word after the first, whose time is that of the prompt as well. */
async function drawn({ model }: Ours, prompt: string, options: { temperature: number; seed: number }): Promise<{ mean: number; slowest: number }> {
  const times: number[] = [];
  let last: number | undefined;
  for await (const _ of model.generate(prompt, { ...options, maxTokens: WORDS + 1, device: "cpu" })) {
    const now = performance.now();
    if (last !== undefined) times.push(now - last);
    last = now;
  }
  return { mean: times.reduce((sum, one) => sum + one, 0) / times.length, slowest: Math.max(...times) };
}

async function answers(of: Ours, prompt: string, seed: number, ms: number): Promise<{ answers: Answers; slowest: number; rows: number }> {
  await of.reader.update(prompt);
  const { rowsComputed } = await of.reader.predict({ top: 1 });
  const argmax = await time(() => of.reader.predict({ top: 1 }), ms);
  const top10 = await time(() => of.reader.predict({ top: 10 }), ms);
  const all = await time(() => of.softmax.logProb(of.row), ms);
  const best = await drawn(of, prompt, { temperature: 0, seed });
  const random = await drawn(of, prompt, { temperature: 1, seed });
  // A text that ends at once has no word after the first.
  const words = { ...(best.mean > 0 && { tokenArgmax: best.mean }), ...(random.mean > 0 && { tokenDrawn: random.mean }) };
  return { answers: { argmax, top10, all, ...words }, slowest: Math.max(best.slowest, random.slowest), rows: rowsComputed };
}

const next = {
  /** Loads all contestants, and warms them; `peer` is onnxruntime-web's model, if it takes part. */
  async prepare(model: string, twin: string, peer: string | null): Promise<void> {
    [adaptive, full] = [await ours(model), await ours(twin)];
    onnx = peer === null ? null : await onnxStep(peer);
    for (const one of [adaptive, full]) await answers(one, "It was a dark and stormy night", 1, 50);
    if (onnx) await time(onnx, 200);
  },

  /** Every contestant after a piece of text, begun with another one each time; `ms` for each question. */
  async turn(prompt: string, round: number, ms: number): Promise<NextTurn> {
    const got: { adaptive?: Awaited<ReturnType<typeof answers>>; full?: Awaited<ReturnType<typeof answers>>; onnx?: number } = {};
    const tasks: Step[] = [
      async () => void (got.adaptive = await answers(adaptive, prompt, round, ms)),
      async () => void (got.full = await answers(full, prompt, round, ms)),
      async () => void (onnx && (got.onnx = await time(onnx, ms))),
    ];
    for (const task of inTurn(tasks, round)) await task();
    const { answers: ofAdaptive, slowest, rows } = got.adaptive!;
    return { adaptive: ofAdaptive, full: got.full!.answers, onnx: got.onnx === undefined ? null : { tokenArgmax: got.onnx }, slowest, rows };
  },
};

declare global {
  interface Window {
    next: typeof next;
  }
}

window.next = next;
