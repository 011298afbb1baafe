/** What is made of the samples. */

import { expect, test } from "vitest";
import { rows } from "../driver/figures.ts";
import type { Results } from "../driver/main.ts";
import { addressOf, isPeer, parse, UsageError } from "../driver/options.ts";
import { picture } from "../driver/picture.ts";
import { report } from "../driver/report.ts";
import type { CaseResult, Entry } from "../driver/rounds.ts";
import { ratios, spread } from "../driver/statistics.ts";
import type { TrainEntry } from "../driver/train.ts";
import type { Rates, Turn } from "../roofline/limit.ts";
import { loops } from "../roofline/loops.ts";
import { caseOf } from "../shared/workloads.ts";

test("quartiles", () => {
  expect(spread([4, 1, 3, 2, 5])).toEqual({ least: 1, low: 2, median: 3, high: 4 });
  expect(spread([1, 2])).toEqual({ least: 1, low: 1.25, median: 1.5, high: 1.75 });
  expect(spread([])).toBeNull();
});

test("ratios are of the same round", () => {
  expect(ratios([2, null, 8, 9], [1, 1, 2, null])).toEqual([2, 4]);
});

test("the command line", () => {
  const options = parse(["--only", "W1,W3-gru", "--contestants", "ort"]);
  expect(options.cases.map(({ name }) => name)).toEqual(["W1-lstm", "W1-gru", "W1-sru", "W3-gru"]);
  expect(options.contestants).toEqual(["ort-wasm"]);
  expect(parse(["--devices", "webgpu", "--contestants", "tfjs"]).contestants).toEqual(["tfjs-webgpu"]);
  for (const wrong of [["--only", "W9"], ["--contestants", "torch"], ["--rounds", "none"], ["--devices", "tpu"]]) {
    expect(() => parse(wrong), wrong.join(" ")).toThrow(UsageError);
  }
});

test("another build takes the peers' place, on pages of its own", () => {
  const { contestants, before } = parse(["--before", "elsewhere/js", "--devices", "cpu,webgpu"]);
  expect(before).toBe("elsewhere/js");
  expect(contestants).toEqual(["saccade-cpu", "saccade-webgpu", "before-cpu", "before-webgpu"]);
  expect(contestants.some(isPeer)).toBe(false);
  expect(parse(["--before", "b", "--contestants", "ort"]).contestants).toEqual(["ort-wasm", "before-cpu"]);
  expect(parse([]).contestants.some((name) => name.startsWith("before"))).toBe(false);
  expect(addressOf("before-webgpu", "index", "&case=W1-gru")).toBe("before/index.html?contestant=saccade-webgpu&case=W1-gru");
  expect(addressOf("ort-wasm", "start", "")).toBe("start.html?contestant=ort-wasm");
});

/** What a run measured, nothing but what is given. */
const resultsOf = (given: Partial<Results>): Results => ({
  date: "2000-01-01T00:00:00Z",
  machine: { processor: "p", cores: 1, memoryGiB: 1, system: "s", load: 0, browser: "b", adapter: null },
  options: { rounds: 3, turn: 1, budget: 1 },
  versions: {},
  cases: [],
  skim: [],
  texts: null,
  next: null,
  train: [],
  start: [],
  failed: [],
  ...given,
});

const trial = { variant: "v", ms: 1, error: 0, counts: null, reason: null };
const entry = (contestant: string, samples: (number | null)[], reason: string | null = null): Entry => ({
  contestant: contestant as Entry["contestant"],
  prepared: { variant: "v", trials: [{ ...trial, reason }], memory: { wasm: 2 ** 20, gpu: 0 } },
  heap: 2 ** 21,
  samples,
  reason,
});
const rates = (rate: number): Turn => ({ simd128: Object.fromEntries(loops.map((loop) => [loop, rate])) as Rates });
const one = (ours: (number | null)[], theirs: (number | null)[]): CaseResult => ({
  case: caseOf("W1-lstm"),
  entries: [entry("saccade-cpu", ours), entry("ort-wasm", theirs), entry("tfjs-wasm", [], "differs <b>|</b>")],
  // The limit of W1-lstm is 0.5 ms: 1.6 MFLOP hoisted and 1.6 step by step, at the faster of the two turns.
  rates: [rates(3), rates(6.4)],
});

test("a target is reached by ratio or by share of the limit", () => {
  expect(rows([one([1, 1, 1], [2.5, 2, 3])], "cpu")[0]).toMatchObject({ target: 2, reached: true });
  expect(rows([one([1, 1, 1], [1.5, 1.5, 1.5])], "cpu")[0]).toMatchObject({ reached: false });
  expect(rows([one([0.55, 0.55, 0.55], [0.6, 0.6, 0.6])], "cpu")[0]).toMatchObject({ reached: true });
  expect(rows([one([1, 1, 1], [2, 2, 2])], "webgpu")).toEqual([]);
});

test("where the limit was passed, the ratio alone tells", () => {
  const [row] = rows([one([0.55, 0.55, 0.45], [0.6, 0.6, 0.6])], "cpu");
  expect(row!.figures[0]).toMatchObject({ share: { median: 0.5 / 0.55 }, atBest: { share: 0.5 / 0.45 } });
  expect(row).toMatchObject({ reached: false });
  expect(rows([one([0.45, 0.45, 0.45], [0.9, 0.9, 0.9])], "cpu")[0]).toMatchObject({ reached: true });
});

test("who was given up is listed with what it took before, and is not judged", () => {
  const late = "a turn took more than 240 s";
  const scan = { ...trial, variant: "scan", reason: "no kernel" };
  const rival: Entry = { ...entry("ort-wasm", [5, null, null], late), prepared: { variant: "v", trials: [trial, scan], memory: { wasm: 0, gpu: 0 } } };
  const cases = [{ ...one([1, 1, 1], []), entries: [entry("saccade-cpu", [1, 1, 1]), rival] }];
  expect(rows(cases, "cpu")[0]).toMatchObject({ reached: null });
  const text = report(resultsOf({ cases }));
  expect(text).toContain("| 5.00 (5.00–5.00; 1 round), **5.00 ×** (5.00–5.00; at best 5.00) | 2 × | – |");
  expect(text).toContain(`- W1-lstm, onnxruntime-web wasm, scan: no kernel\n- W1-lstm, onnxruntime-web wasm, ${late}`);
});

test("who took part in fewer rounds than others has their number beside its time", () => {
  const text = report(resultsOf({ cases: [one([1, 1, 1], [2, null, 2])] }));
  expect(text).toContain("| 1.00 (1.00–1.00), 50 % of the limit, at best 50 % | 2.00 (2.00–2.00; 2 rounds), **2.00 ×** (2.00–2.00; at best 2.00) |");
});

test("at best, the fastest turns stand for each; what is reached is said of medians", () => {
  const [row] = rows([one([2, 0.5, 2], [3, 3, 2])], "cpu");
  expect(row!.figures.map(({ atBest }) => atBest)).toEqual([
    { ratio: null, share: 1 },
    { ratio: 4, share: 0.25 },
    { ratio: null, share: null },
  ]);
  expect(row).toMatchObject({ reached: false });
});

test("weights of 16 bits are held against the rival, and say how far they are off", () => {
  const bf16 = { ...entry("saccade-bf16", [1, 1, 2]) };
  const off = { ...bf16, prepared: { ...bf16.prepared!, trials: [{ ...trial, error: 0.00321 }] } };
  const cases: CaseResult[] = [{ ...one([2, 2, 2], [3, 3, 3]), case: caseOf("W4-lstm") }];
  const results = (entries: readonly Entry[]) => resultsOf({ cases: [{ ...cases[0]!, entries }] });
  expect(report(results([...cases[0]!.entries, off]))).toContain("W4-lstm **3.00 ×** (2.25–3.00; target 1.5 ×), at most 3.2e-3 off");
  expect(report(results(cases[0]!.entries))).not.toContain("16 bits");
});

test("the report and the picture name every contestant, and who failed", () => {
  const results = resultsOf({
    versions: { peer: "1.0" },
    cases: [one([1, 1, 1], [2.5, 2, 3])],
    skim: [{ workload: "W1", skimmers: [{ rate: 0.8, reduction: 4 }], turns: [{ lstm: 9, skim: [3] }, { lstm: 9, skim: [3] }], reason: null }],
  });
  const text = report(results);
  expect(text).toContain("**2.50 ×**");
  expect(text).toContain("| W1 | 80.0 % | 4.00 × | **3.00 ×** (3.00–3.00) | 75 % | 9.00 / 3.00 |");
  expect(text).toContain("50 % of the limit");
  expect(text).toContain("- W1-lstm, TensorFlow.js wasm, v: differs");
  expect(picture(results)).toContain("onnxruntime-web wasm: 2.50 ×");
});

test("the build before stands beside this one, turn by turn", () => {
  const model = { wallMs: 4, engineMs: 2, flops: 1, tokens: 10, skimmed: 5, right: 1 };
  const turn = (ms: number) => {
    const of = { ...model, engineMs: ms, wallMs: 2 * ms };
    return { lstm: of, skim: of, lstmTogether: of, skimTogether: of };
  };
  const results = resultsOf({
    cases: [{ ...one([1, 1, 1], []), entries: [entry("saccade-cpu", [1, 1, 1]), entry("before-cpu", [3, 2, 3])] }],
    texts: { lstm: "a", skim: "b", texts: 40, turns: [turn(1), turn(2)], before: [turn(3), turn(6)], reason: null },
  });
  const text = report(results);
  expect(text).toContain("Saccade before, wasm");
  expect(text).toContain("**3.00 ×** (2.50–3.00; at best 2.00)");
  expect(text).toContain("Skim-LSTM **3.00 ×** (3.00–3.00) from token ids, **3.00 ×** (3.00–3.00) from text");
  expect(report({ ...results, texts: { ...results.texts!, before: null } })).not.toContain("the build before");
});

test("a word of the language model is held against a full softmax, in sum over all places", () => {
  const answers = (ms: number) => ({ argmax: ms, top10: ms, all: ms, tokenArgmax: ms, tokenDrawn: ms });
  const { tokenDrawn: _, ...ended } = answers(1);
  const results = resultsOf({
    next: {
      model: "m",
      reason: null,
      turns: [
        { adaptive: answers(1), full: answers(20), onnx: { tokenArgmax: 30 }, slowest: 2, rows: 2000 },
        { adaptive: answers(3), full: answers(20), onnx: { tokenArgmax: 30 }, slowest: 4, rows: 4000 },
        // A text that ended at once.
        { adaptive: ended, full: answers(16), onnx: null, slowest: 1, rows: 3000 },
      ],
    },
  });
  const text = report(results);
  expect(text).toContain("| the most probable word | 1.00 (1.00–2.00) | **11.2 ×** (11.3–18.0) | 15 × | – |");
  expect(text).toContain("| a step, and its most probable word | 1.00 (1.00–2.00) | **11.2 ×** (11.3–18.0) | 15 × | **15.0 ×** (15.0–25.0) |");
  expect(text).toContain("| a step, and a word drawn | 2.00 (1.50–2.50) | **10.0 ×** (10.0–16.7) | 15 × | – |");
  expect(text).toContain("takes 3000 rows. The slowest of 32 words at a place took 2.00 ms in the median, 4.00 ms at most");
});

test("steps of training are held against ours on the same device", () => {
  const turn = (ms: number, dispatches = 0) => ({ ms, dispatches });
  const losses = Array(10).fill(1.25);
  const results = resultsOf({
    train: [
      { contestant: "saccade-cpu", losses, turns: [turn(1), turn(2)], reason: null },
      { contestant: "tfjs-wasm", losses, turns: [turn(10), turn(40)], reason: null },
      { contestant: "saccade-webgpu", losses, turns: [turn(4, 23)], reason: "a turn took more than 240 s" },
      { contestant: "tfjs-webgpu", losses: [], turns: [], reason: "no adapter" },
    ],
  });
  const text = report(results);
  expect(text).toContain("Adam, 2 rounds");
  expect(text).toContain("| 25.0 (17.5–32.5) | **15.0 ×** (12.5–17.5) | – | 1.250 after 20,480 letters |");
  expect(text).toContain("| 4.00 (4.00–4.00; 1 round) | – | 23 | 1.250 after 20,480 letters |");
  expect(text).toContain("| no adapter | – | – | – |");
  expect(text).toContain("## Errors\n\n- training, Saccade WebGPU, a turn took more than 240 s\n- training, TensorFlow.js WebGPU, no adapter");
});

test("a learner whose loss is far from ours after the same letters is listed, without a ratio", () => {
  const turns = [{ ms: 10, dispatches: 0 }];
  // What others have learned after more letters, or later, does not count.
  const ours = [4.18, 4.17, ...Array(18).fill(4.1), 3, 2];
  const textOf = (losses: number[]) =>
    report(resultsOf({ train: [{ contestant: "saccade-cpu", losses: ours, turns: [{ ms: 1, dispatches: 0 }], reason: null }, { contestant: "tfjs-wasm", losses, turns, reason: null }] }));
  for (const near of [[4.15], [4.15, 4.4], [...ours.slice(0, 20), 4, 4]]) {
    expect(textOf(near)).toContain("**10.0 ×**");
    expect(textOf(near)).not.toContain("## Errors");
  }
  for (const [far, told] of [[[4.17, 0], "0.000"], [[4.15, 4.43], "4.430"], [[4.15, Number.NaN], "NaN"]] as const) {
    const text = textOf([...far]);
    expect(text).not.toContain("**10.0 ×**");
    expect(text).toContain(`| 10.0 (10.0–10.0) | – | – | ${told} after 4,096 letters |`);
    expect(text).toContain(`- training, TensorFlow.js wasm, its loss is ${told} after 4,096 letters, where that of Saccade wasm is 4.170`);
  }
});

test("nobody is held against ours on a device where ours computes something else", () => {
  const learner = (contestant: TrainEntry["contestant"], loss: number, ms: number): TrainEntry => ({ contestant, losses: [loss], turns: [{ ms, dispatches: 1 }], reason: null });
  const text = report(resultsOf({ train: [learner("saccade-cpu", 4, 2), learner("saccade-webgpu", 0, 1), learner("tfjs-webgpu", 4, 10)] }));
  expect(text).toContain("| 10.0 (10.0–10.0) | – | 1 | 4.000 after 2,048 letters |");
  expect(text).toContain("- training, Saccade WebGPU, its loss is 0.000 after 2,048 letters, where that of Saccade wasm is 4.000");
});

test("what was measured before a part failed stands beside why it failed", () => {
  const visits = (...times: number[]) => times.map((answerMs) => ({ codeMs: 1, answerMs, value: 1 }));
  const bytes = { script: 2000, wasm: 3000, model: 0 };
  const reason = "Target crashed";
  const text = report(
    resultsOf({
      skim: [{ workload: "W1", skimmers: [], turns: [], reason }],
      texts: { lstm: "a", skim: "b", texts: 0, turns: [], before: null, reason },
      next: { model: "m", turns: [], reason },
      start: [
        { contestant: "saccade-cpu", cold: visits(4, 4), warm: visits(2, 2), bytes, reason: null },
        { contestant: "ort-wasm", cold: visits(8), warm: [], bytes, reason },
        { contestant: "tfjs-wasm", cold: [], warm: [], bytes, reason: "no page" },
      ],
      failed: ["W1-gru, Target closed"],
    }),
  );
  expect(text).toContain("| Saccade wasm | 5 | 2 | 3 | 4 (4–4) | 2 (2–2) |");
  expect(text).toContain("| onnxruntime-web wasm | 5 | 2 | 3 | 8 (8–8; 1 visit) | – |");
  expect(text).toContain("| TensorFlow.js wasm | no page | – | – | – | – |");
  const told = ["Skim-LSTM, W1", "Skim-LSTM, IMDb", "the next word", "start-up, onnxruntime-web wasm"].map((what) => `- ${what}, ${reason}\n`);
  expect(text).toContain(`## Errors\n\n${told.join("")}- start-up, TensorFlow.js wasm, no page\n- W1-gru, Target closed`);
  expect(text).not.toMatch(/NaN|## Skim|## The next/);
});
