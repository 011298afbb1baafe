/** What the figures compute: curves, spreads, states, files made in the browser, and the order of a playback. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { render } from "svelte/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { spread, type HiddenLayer } from "../src/engine.ts";
import { parse, write } from "../src/study/safetensors.ts";
import { colourOf } from "../src/frame/colours.ts";
import { precise } from "../src/frame/format.ts";
import { at, difference, standardError, ticks, type Tradeoff } from "../src/read/curve.ts";
import Figure from "../src/read/Tradeoff.svelte";
import { namesOf } from "../src/read/names.ts";
import { dotsOf, labelsOf, stretched } from "../src/read/scatter.ts";
import { changedCount, largestMoves, logitsAt } from "../src/read/inside.ts";
import { skimSizes } from "../src/study/flops.ts";
import { models } from "../src/study/models.ts";
import { paceOf, Playback } from "../src/study/playback.svelte.ts";
import { twin } from "../src/study/twin.ts";
import { cells, type CellId } from "../src/race/cells.ts";
import { adapterName, report } from "../src/race/report.ts";
import { runner, weightBytes } from "../src/race/runner.ts";
import { decades, place, scaleOf } from "../src/race/scale.ts";
import { fastest, rateOf, standing, type Trial } from "../src/race/trial.ts";

describe("the curve", () => {
  const point = (threshold: number, accuracy: number) => ({ threshold, accuracy, skimRate: 1 - threshold, flopReduction: 2 - threshold });
  const tradeoff: Tradeoff = { model: "m", dataset: "d", texts: 100, of: 100, points: [point(0, 0.8), point(0.5, 0.9), point(1, 0.85)] };

  test("between two points it is their line, at a point the point", () => {
    expect(at(tradeoff, 0.25)).toEqual({ threshold: 0.25, accuracy: expect.closeTo(0.85), skimRate: 0.75, flopReduction: 1.75 });
    expect(at(tradeoff, 0.5)).toEqual(point(0.5, 0.9));
    expect([at(tradeoff, 0)?.accuracy, at(tradeoff, 1)?.accuracy]).toEqual([0.8, 0.85]);
    expect(at({ ...tradeoff, points: [] }, 0.5)).toBeNull();
  });

  for (const { id } of models) {
    test(`at the threshold of ${id} it is as accurate as the model's file says, or said to be a sample`, () => {
      const repository = join(import.meta.dirname, "..", "..");
      const { metadata } = parse(new Uint8Array(readFileSync(join(repository, "models", `${id}.safetensors`))));
      const { threshold, training } = JSON.parse(metadata["saccade"] ?? "{}");
      const tradeoff: Tradeoff = JSON.parse(readFileSync(join(repository, "www", "data", `tradeoff-${id}.json`), "utf8"));
      const { body } = render(Figure, { props: { tradeoff, threshold, own: threshold } });
      const [, spoken] = /aria-label="([^"]*)"/.exec(body) ?? [];
      const [, caption] = /<figcaption[^>]*>([^<]*)/.exec(body) ?? [];
      const accuracy = precise(training.figures.test_accuracy);
      if (tradeoff.texts === tradeoff.of) expect(spoken).toContain(`right on ${accuracy} of its test texts`);
      else for (const said of [spoken, caption]) expect(said).toContain("2,500 of its 25,000 test texts");
    });
  }

  test("ticks are round and within the range", () => {
    expect(ticks(0.811, 0.862, 5).map((tick) => tick.toFixed(2))).toEqual(["0.82", "0.84", "0.86"]);
    expect(ticks(0, 100, 4)).toEqual([0, 50, 100]);
  });

  test("the standard error is that of a share", () => {
    expect(standardError(0.5, 100)).toBeCloseTo(0.05);
    expect(standardError(1, 100)).toBe(0);
  });
});

describe("what is noise", () => {
  const curve = (accuracy: number, texts: number): Tradeoff => ({
    model: "m",
    dataset: "d",
    texts,
    of: texts,
    points: [0.5, 1].map((threshold) => ({ threshold, accuracy: threshold === 1 ? 0.85 : accuracy, skimRate: 0.5, flopReduction: 2 })),
  });
  const of = (accuracy: number, texts: number) => {
    const tradeoff = curve(accuracy, texts);
    const found = difference(tradeoff, tradeoff.points[0] as Tradeoff["points"][number]);
    return found && { accuracy: found.accuracy, noise: Math.abs(found.accuracy) < found.noise };
  };

  test("is a difference within two standard errors, by the number of texts", () => {
    expect(of(0.83, 872)).toEqual({ accuracy: expect.closeTo(-0.02), noise: true });
    expect(of(0.83, 87_200)).toEqual({ accuracy: expect.closeTo(-0.02), noise: false });
    expect(of(0.7, 872)?.noise).toBe(false);
  });

  test("with every word read there is no difference to tell", () => {
    const tradeoff = curve(0.8, 872);
    expect(difference(tradeoff, tradeoff.points[1] as Tradeoff["points"][number])).toBeNull();
  });
});

describe("names", () => {
  const tokens = Array.from({ length: 60 }, (_, at) => ({ decision: at % 7 === 0 ? ("read" as const) : ("skim" as const), skimProbability: at % 7 === 0 ? 0.1 : 0.9 }));

  test("stand under all columns if they have room", () => {
    expect(namesOf(tokens, 3, 60 * 17, 17)).toHaveLength(60);
    expect(namesOf([], 0, 500, 17)).toEqual([]);
  });

  test("leave each other room, keep the word in focus, and those that are read before others", () => {
    for (const width of [288, 390, 700]) {
      const named = namesOf(tokens, 31, width, 17);
      expect(named).toContain(31);
      named.slice(1).forEach((index, at) => expect(((index - (named[at] ?? 0)) * width) / 60).toBeGreaterThanOrEqual(17));
      const read = named.filter((index) => index % 7 === 0).length;
      expect(read).toBeGreaterThanOrEqual(6);
    }
  });
});

describe("the scatter of words", () => {
  const frame = { left: 50, right: 300, top: 20, bottom: 300 };
  const words = Array.from({ length: 80 }, (_, at) => ({ word: `word${at}`, count: 10 + 20 * at, skimmed: at % 3 === 0 ? 0 : 10 + 20 * at - (at % 5) }));

  test("stands in its frame, the frequent to the right, the read on top", () => {
    const dots = dotsOf(words, frame, 8);
    for (const { x, y } of dots) expect(x >= frame.left && x <= frame.right && y >= frame.top && y <= frame.bottom).toBe(true);
    for (const { decision, y } of dots) expect(decision === "read").toBe(y < 160);
    expect(dots.map(({ x }) => x)).toEqual(dots.map(({ x }) => x).sort((a, b) => a - b));
    expect(dotsOf([...words, ...words], frame, 8)).toHaveLength(80);
  });

  test("a share of none and of all say the more, the more there are", () => {
    expect(stretched(5, 10)).toBe(0);
    expect(stretched(0, 1000)).toBeLessThan(stretched(0, 10));
    expect(stretched(10, 10)).toBeCloseTo(-stretched(0, 10), 9);
  });

  test("has names that lie across neither each other nor the edge, as many as have room", () => {
    for (const right of [300, 900]) {
      const edge = { ...frame, right: right + 20 };
      const labels = labelsOf(dotsOf(words, { ...frame, right }, 8), edge, (word) => 8 * word.length, 15);
      const boxes = labels.map(({ word, x, y, anchor }) => {
        const width = 8 * word.length;
        const left = { start: x, end: x - width, middle: x - width / 2 }[anchor];
        return { left, right: left + width, top: y - 7.5, bottom: y + 7.5 };
      });
      for (const [at, a] of boxes.entries()) {
        expect(a.left >= edge.left && a.right <= edge.right && a.top >= edge.top && a.bottom <= edge.bottom).toBe(true);
        for (const b of boxes.slice(at + 1)) expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
      }
      expect(labels.length).toBeGreaterThan(right === 300 ? 5 : 20);
    }
  });
});

describe("inside a step", () => {
  const layer: HiddenLayer = {
    name: "encoder.0",
    kind: "skim",
    size: 3,
    smallSize: 1,
    states: Float32Array.of(0.5, -0.25, 0, 0.75, -0.25, 0),
    logits: Float32Array.of(2, -1, 0.5, 1.5),
  };

  test("the first step moves from zeros, a skimmed one copies the rest", () => {
    expect(changedCount(layer, 0)).toBe(2);
    expect(changedCount(layer, 1)).toBe(1);
    expect(largestMoves(layer, 1, 1)).toEqual([{ unit: 0, from: 0.5, to: 0.75 }]);
    expect(largestMoves(layer, 0, 2).map(({ unit }) => unit)).toEqual([0, 1]);
  });

  test("logits come read first", () => {
    expect(logitsAt(layer, 1)).toEqual({ read: 0.5, skim: 1.5 });
    const { logits: _, ...plain } = layer;
    expect(logitsAt(plain, 1)).toBeNull();
  });

  test("the sizes of a cell follow from what lies before it", () => {
    const skim = { type: "skim", cell: "lstm", hidden_size: 100, small_size: 10, small_reads: "slice" };
    expect(skimSizes({ embeddingSize: 50, encoder: [skim] })).toEqual({ cell: "lstm", input: 50, hidden: 100, small: 10, smallReads: 10 });
    const below = { type: "lstm", hidden_size: 30, bidirectional: true };
    expect(skimSizes({ embeddingSize: 50, encoder: [below, skim] })?.input).toBe(60);
    expect(skimSizes({ embeddingSize: 50, encoder: [below] })).toBeNull();
  });

  test("colours are the paper's at zero and keep to their ends", () => {
    expect(colourOf(0, "light")).toEqual([247, 244, 237]);
    expect(colourOf(5, "dark")).toEqual(colourOf(1, "dark"));
    expect(colourOf(-1, "light")).not.toEqual(colourOf(1, "light"));
  });
});

describe("files made in the browser", () => {
  const file = new Uint8Array(readFileSync(join(import.meta.dirname, "..", "..", "models", "sst2-skim-lstm-small.safetensors")));

  test("a file that is parsed and written again says the same", () => {
    const first = parse(file);
    const second = parse(write(first));
    expect(second.metadata).toEqual(first.metadata);
    expect(second.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual(
      first.tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
    );
    expect(second.tensors.every(({ bytes }, at) => Buffer.compare(bytes, first.tensors[at]?.bytes ?? new Uint8Array()) === 0)).toBe(true);
  });

  test("the twin is the big cell under an LSTM's names, byte for byte", () => {
    const made = twin(file);
    if (!made) throw new Error("the model skims");
    const { metadata, tensors } = parse(made);
    const config = JSON.parse(metadata["saccade"] ?? "{}");
    expect(config.encoder).toEqual([{ type: "lstm", hidden_size: 100, bidirectional: false }]);
    expect("threshold" in config).toBe(false);
    expect(tensors.some(({ name }) => /small|decision|big/.test(name))).toBe(false);
    const bytesOf = (name: string, of: typeof tensors) => Buffer.from(of.find((tensor) => tensor.name === name)?.bytes ?? []);
    const original = parse(file).tensors;
    expect(bytesOf("encoder.0.weight_hh_l0", tensors)).toEqual(bytesOf("encoder.0.big.weight_hh", original));
    expect(bytesOf("encoder.0.weight_hh_l0.scale", tensors)).toEqual(bytesOf("encoder.0.big.weight_hh.scale", original));
    expect(twin(made)).toBeNull();
  });

  for (const { id } of cells) {
    test(`the ${id} that races has as many bytes of weights as it says`, () => {
      const { tensors } = parse(runner(id, ["a", "word"]));
      const encoder = tensors.filter(({ name }) => name.startsWith("encoder."));
      expect(encoder.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(weightBytes(id));
      const values = encoder.flatMap(({ bytes }) => [...new Float32Array(bytes.slice().buffer)]);
      expect(Math.max(...values.slice(0, 1000).map(Math.abs))).toBeLessThanOrEqual(0.1);
      expect(new Set(values.slice(0, 100)).size).toBeGreaterThan(90);
    });
  }
});

describe("the race", () => {
  test("rates that differ by orders stand on a logarithmic scale, others begin at zero", () => {
    const near = scaleOf([50_000, 120_000]);
    expect([near.log, place(near, 60_000), decades(near)]).toEqual([false, 0.5, []]);
    const far = scaleOf([2_000, 500, 200_000]);
    expect([far.log, place(far, 100), place(far, 200_000)]).toEqual([true, 0, 1]);
    expect(decades(far)).toEqual([100, 1000, 10_000, 100_000]);
    expect(place(far, 2000) - place(far, 200)).toBeCloseTo(place(far, 20_000) - place(far, 2000));
    expect(scaleOf([50_000, 120_000], [4000, 150_000])).toEqual({ log: false, low: 0, high: 150_000 });
    expect(scaleOf([]).high).toBe(1);
  });

  test("a rate covers the speeds of all sittings, and the fastest is told only where every round agrees", () => {
    const trial = (cell: CellId, samples: readonly number[]): Trial => ({ cell, device: "cpu", length: 20, batch: 1, alone: false, samples, flops: 1, method: "" });
    const speeds = [1, 1, 1, 1, 1.4, 1.4, 1.4, 1.4, 1, 1, 1, 1];
    const at = (ms: number) => speeds.map((speed) => speed * ms);
    const rate = rateOf(trial("elman", at(2)));
    expect(rate).toMatchObject({ median: 10_000, most: 10_000, untold: null });
    expect(rate.least).toBeCloseTo(10_000 / 1.4, 6);
    for (const speed of [1, 1.4]) {
      const { median } = rateOf(trial("elman", at(2).map(() => 2 * speed)));
      expect(median >= rate.least && median <= rate.most).toBe(true);
    }
    expect(rateOf(trial("elman", [1, 1, 1, 3, 3, 3, 1])).untold).toBe("apart");
    expect([1, 4, 5].map((rounds) => rateOf(trial("elman", at(2).slice(0, rounds))).untold)).toEqual(["few", "few", null]);
    expect(fastest([trial("lstm", at(4)), trial("elman", at(2)), trial("gru", at(3))])?.cell).toBe("elman");
    expect(fastest([trial("lstm", at(4)), trial("elman", at(2)), trial("gru", at(2).map((ms, round) => (round % 2 ? ms * 1.1 : ms * 0.95)))])).toBeNull();
    expect(fastest([])).toBeNull();
  });

  test("a time that a line gives is told where every round is above zero and they agree, and else what stands against it", () => {
    const of = (...rounds: readonly number[]) => standing(spread(rounds).median, spread(rounds));
    expect(of(0.9, 1, 1.1)).toBe("told");
    expect(of(-0.1, 1, 1, 1, 1.1)).toBe("nothing");
    expect(of(0, 1, 1, 1, 1.1)).toBe("nothing");
    expect(of(0.1, 0.2, 1, 3, 4)).toBe("apart");
    // The line through the medians is none of the rounds' lines.
    expect(standing(-0.01, spread([0.9, 1, 1.1]))).toBe("nothing");
  });

  test("the report names browser, adapter and method, has a row for each trial, and tells no more than the page", () => {
    const trial = { cell: "sru", device: "webgpu", length: 20, batch: 1, alone: false, samples: [2, 2, 2, 2, 2], flops: 1200, method: "mean of 9 runs" } as const;
    const text = report([trial], { browser: "Browser 1", adapter: null, when: "today" });
    expect(text).toContain("Browser: Browser 1");
    expect(text).toContain("WebGPU adapter: none");
    expect(text).toContain("mean of 9 runs");
    expect(text).toContain("| SRU | WebGPU | 20 | 1 | 5 | 2.00 | 2.00 to 2.00 | 10000 | 1200 |");
    const row = (samples: readonly number[]) => report([{ ...trial, samples }], { browser: "", adapter: null, when: "" }).split("\n").at(-2);
    expect(row([1, 1, 2, 3, 4])).toBe("| SRU | WebGPU | 20 | 1 | 5 | too busy | 1.00 to 4.00 | too busy | 1200 |");
    expect(row([1, 2])).toBe("| SRU | WebGPU | 20 | 1 | 2 | too few turns | 1.00 to 2.00 | too few turns | 1200 |");
  });

  test("the adapter is named that the engine asks for", async () => {
    const names = { "high-performance": "discrete", "low-power": "integrated" };
    const requestAdapter = async ({ powerPreference = "low-power" }: { powerPreference?: keyof typeof names } = {}) => ({ info: { vendor: "v", description: names[powerPreference] } });
    vi.stubGlobal("navigator", { gpu: { requestAdapter } });
    expect(await adapterName()).toBe("v discrete");
    vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => ({ info: { vendor: "" } }) } });
    expect(await adapterName()).toBe("unnamed");
    for (const gpu of [undefined, { requestAdapter: async () => null }, { requestAdapter: () => Promise.reject(new Error("lost")) }]) {
      vi.stubGlobal("navigator", { gpu });
      expect(await adapterName()).toBeNull();
    }
    vi.unstubAllGlobals();
  });
});

describe("the playback", () => {
  afterEach(() => vi.useRealTimers());

  test("stays longer where the network reads, and ends where it began", () => {
    vi.useFakeTimers();
    const durations = [100, 10, 10];
    const playback = new Playback(() => ({ count: 3, duration: (index) => durations[index] ?? 0 }));
    playback.play();
    expect(playback.at).toBe(0);
    vi.advanceTimersByTime(99);
    expect(playback.at).toBe(0);
    vi.advanceTimersByTime(1);
    expect(playback.at).toBe(1);
    vi.advanceTimersByTime(10);
    expect(playback.at).toBe(2);
    vi.advanceTimersByTime(10);
    expect([playback.at, playback.playing]).toEqual([null, false]);
  });

  test("its pace is what was measured, as far as it can be seen", () => {
    const tokens = [{ decision: "read" }, { decision: "skim" }] as const;
    const stays = (ratio: number | null) => tokens.map((_, index) => paceOf(tokens, ratio).duration(index));
    expect(stays(null)).toEqual([520, 520 / 6]);
    expect(stays(4)).toEqual([520, 130]);
    expect(stays(1000)).toEqual([520, 45]);
    // A busy machine may have measured that.
    expect(stays(0.5)).toEqual([520, 520]);
    expect(paceOf(tokens, 4).count).toBe(2);
  });

  test("twice the speed is half the time; a step stops it", () => {
    vi.useFakeTimers();
    const playback = new Playback(() => ({ count: 9, duration: () => 100 }));
    playback.speed = 2;
    playback.play();
    vi.advanceTimersByTime(50);
    expect(playback.at).toBe(1);
    playback.step(1);
    vi.advanceTimersByTime(1000);
    expect([playback.at, playback.playing]).toEqual([2, false]);
    playback.seek(99);
    expect(playback.at).toBe(8);
  });

  test("there is nothing to play in no text", () => {
    const playback = new Playback(() => ({ count: 0, duration: () => 1 }));
    playback.play();
    expect([playback.at, playback.playing]).toEqual([null, false]);
    playback.step(1);
    expect(playback.at).toBeNull();
  });
});
