/** Measurements by clocks that are told what to say: turns, numbers, intervals, and when there is nothing to tell. */

import { describe, expect, test } from "vitest";
import { accountOf } from "../../js/src/account.ts";
import { compare } from "../../js/src/compare.ts";
import { factorOf, isTold, race, spread, tickOf, timed, type Contestant, type Race, type RaceOptions } from "../../js/src/measure.ts";
import type { Model } from "../src/engine.ts";
import { between, digits, inverse, roughly, saved, savedInWords, sum, time, TOO_BUSY } from "../src/frame/measured.ts";
import { noise } from "./noise.ts";

/** A machine whose clock moves only by what runs on it; it ticks in steps of `tick` milliseconds. */
function machine({ tick = 0.005, busy = () => 1 }: { tick?: number; busy?: () => number } = {}) {
  let at = 0;
  const heard: string[] = [];
  const clock = () => Math.floor((at += 1e-4) / tick) * tick;
  const contestant = (name: string, ms: number, cold = 0): Contestant => {
    let warm = false;
    const inner = timed(() => {
      at += ms * busy() + (warm ? 0 : cold);
      warm = true;
    }, clock);
    return {
      sample(span, signal) {
        heard.push(name);
        return inner.sample(span, signal);
      },
    };
  };
  return { clock, heard, contestant };
}

/** A clock that moves only by what it is told. */
function scripted() {
  let now = 0;
  return { clock: () => now, at: () => now, pass: (ms: number) => void (now += ms) };
}

const known = <T>(value: T | undefined | null): T => {
  if (value === undefined || value === null) throw new Error("nothing there");
  return value;
};

describe("a race", () => {
  test("warms every contestant, then lets them take turns, each round begun by another", async () => {
    const { clock, heard, contestant } = machine();
    const all = { a: contestant("a", 1), b: contestant("b", 2), c: contestant("c", 3) };
    const { samples, rounds } = await race(all, { clock, rounds: 4 });
    expect(heard.join("")).toBe("abc" + "abc" + "bca" + "cab" + "abc");
    expect(rounds).toBe(4);
    expect(Object.values(samples).map((each) => each.length)).toEqual([4, 4, 4]);
  });

  test("a cold start is no sample, and nothing else is left out", async () => {
    const { clock, contestant } = machine();
    const { samples } = await race({ cold: contestant("cold", 1, 5000) }, { clock, rounds: 7 });
    expect(known(samples.cold)).toHaveLength(7);
    expect(spread(known(samples.cold)).most).toBeLessThan(1.01);
  });

  test("an outlier stays a sample", async () => {
    let n = 0;
    const { clock, contestant } = machine({ busy: () => (n++ === 300 ? 1000 : 1) });
    const { samples } = await race({ a: contestant("a", 1) }, { clock, rounds: 11, budgetMs: 1e9, sampleMs: 50 });
    expect(known(samples.a)).toHaveLength(11);
    expect(spread(known(samples.a)).most).toBeGreaterThan(20);
    expect(spread(known(samples.a)).median).toBeLessThan(1.1);
  });

  test("on a clock of whole milliseconds a turn is long enough to count", async () => {
    const { clock, contestant } = machine({ tick: 1 });
    expect(tickOf(clock)).toBe(1);
    const { samples, sampleMs } = await race({ a: contestant("a", 0.123) }, { clock });
    expect(sampleMs).toBe(50);
    for (const sample of known(samples.a)) expect(Math.abs(sample - 0.123)).toBeLessThan(0.123 * 0.03);
  });

  test("what fails is absent with its reason and without its samples; the others go on", async () => {
    const { clock, contestant } = machine();
    let turns = 0;
    const lost: Contestant = { sample: async () => (++turns < 3 ? 1 : Promise.reject(new Error("the device was lost"))) };
    const { samples, absent } = await race({ a: contestant("a", 1), lost }, { clock, rounds: 5 });
    expect(absent).toEqual({ lost: "the device was lost" });
    expect(samples.lost).toBeUndefined();
    expect(samples.a).toHaveLength(5);
    expect(turns).toBe(3);
  });

  test("functions take turns as contestants do, by the clock that is given, and medians and quartiles come with every round", async () => {
    const { clock, at, pass } = scripted();
    const heard: (readonly [number, number])[] = [];
    const onRound = ({ rounds, times }: Race) => heard.push([rounds, known(times["b"]).median]);
    const { samples, times } = await race({ a: () => pass(2), b: async () => pass(at() < 480 ? 3 : 5) }, { clock, rounds: 5, sampleMs: 60, onRound });
    // Warmed until 120, then rounds of 120; what slows the second comes with the fourth.
    expect(samples.a).toEqual([2, 2, 2, 2, 2]);
    expect(samples.b).toEqual([3, 3, 3, 5, 5]);
    expect(times.b).toEqual({ least: 3, low: 3, median: 3, high: 5, most: 5 });
    expect(heard).toEqual([[1, 3], [2, 3], [3, 3], [4, 3], [5, 3]]);
  });

  test("what its listener throws stops it", async () => {
    const { clock, contestant } = machine();
    const onRound = () => {
      throw new Error("enough");
    };
    await expect(race({ a: contestant("a", 1) }, { clock, onRound })).rejects.toMatchObject({ code: "CALLBACK_FAILED", message: /enough/ });
  });

  test("an entrant that never comes back is left when the race is stopped", async () => {
    const stop = new AbortController();
    const { clock } = machine();
    const run = race({ a: () => new Promise(() => undefined) }, { clock, signal: stop.signal });
    stop.abort("enough");
    await expect(run).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
  });

  test("entrants that never wait leave a turn to timers, which may stop the race", async () => {
    const stop = new AbortController();
    const spin = () => {
      for (const begun = performance.now(); performance.now() - begun < 1; );
    };
    setTimeout(() => stop.abort(), 1);
    await expect(race({ spin }, { signal: stop.signal, rounds: 1000, budgetMs: 60_000, sampleMs: 2 })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("a clock that stands, runs backwards or throws ends the race, and a sample that is no number its entrant", async () => {
    await expect(race({ a: () => {} }, { clock: () => 0 })).rejects.toMatchObject({ code: "OPTION_INVALID", message: /clock/ });
    let early = 1e6;
    await expect(race({ a: () => {} }, { clock: () => --early })).rejects.toMatchObject({ code: "OPTION_INVALID", message: /nothing later than 999999$/ });
    const throws = () => {
      throw new Error("no clock here");
    };
    await expect(race({ a: () => {} }, { clock: throws, sampleMs: 1 })).rejects.toMatchObject({ code: "CALLBACK_FAILED", message: /no clock here/ });
    const { clock, contestant } = machine();
    const mute = { sample: async () => undefined as unknown as number };
    const { samples, absent } = await race({ a: contestant("a", 1), mute }, { clock, rounds: 2 });
    expect([samples.a?.length, samples.mute, absent.mute]).toEqual([2, undefined, "its sample is no number of milliseconds but undefined"]);
  });

  test("it can be stopped, and stops by itself when its time is spent", async () => {
    const { clock, contestant } = machine();
    const stop = new AbortController();
    const onRound = () => stop.abort(new Error("enough"));
    await expect(race({ a: contestant("a", 1) }, { clock, signal: stop.signal, onRound })).rejects.toMatchObject({ code: "ABORTED" });
    const { rounds } = await race({ slow: contestant("slow", 3000) }, { clock });
    expect(rounds).toBe(5);
  });
});

describe("sittings", () => {
  /** A race on a machine that works at another speed in each sitting, in times of a run. */
  async function inSittings(speeds: readonly number[], options: RaceOptions = {}) {
    const { clock, pass } = scripted();
    const heard: string[] = [];
    let speed = 0;
    const runs = (name: string, ms: number): Contestant => ({
      sample: async (span) => {
        heard.push(name);
        const each = ms * (speeds[speed] ?? 1);
        pass(span);
        return each;
      },
    });
    const onRound = ({ rounds }: Race) => {
      if (rounds % 4 === 0) speed = rounds / 4;
    };
    const run = await race({ one: runs("1", 0.1), two: runs("2", 0.2) }, { clock, sampleMs: 1, rounds: 12, sittings: 3, pauseMs: 0, onRound, ...options });
    return { ...run, heard: heard.join("") };
  }

  test("each warms everybody anew, and the rounds are divided among them", async () => {
    const { heard, rounds, samples } = await inSittings([1, 1, 1]);
    expect(heard).toBe("12" + "12211221" + "12" + "12211221" + "12" + "12211221");
    expect([rounds, samples.one?.length, samples.two?.length]).toEqual([12, 12, 12]);
    // No more sittings than rounds, and a part of the time for each; the first five rounds are run in any case.
    expect((await inSittings([1], { rounds: 2, sittings: 5 })).rounds).toBe(2);
    expect((await inSittings([1], { budgetMs: 0 })).rounds).toBe(5);
  });

  test("the interval of a time covers both speeds, and so does what the next measurement finds; the ratio is that of any moment", async () => {
    const { samples, times } = await inSittings([1, 1.4, 1]);
    const [one, two] = [known(times.one), known(times.two)];
    expect(between(one)).toBe("100 to 140 µs");
    expect(between({ ...one, least: -0.085 })).toBe("−85 to 140 µs");
    expect(between({ ...one, least: -30, median: -5, most: 2 })).toBe("−30 to 2 ms");
    for (const speed of [1, 1.4]) {
      const next = known((await inSittings([speed, speed, speed])).times.one).median;
      expect(next >= one.least && next <= one.most).toBe(true);
    }
    expect(isTold(two)).toBe(true);
    const factor = factorOf(known(samples.one), known(samples.two));
    expect(saved(factor)).toEqual({ factor: "2×", direction: "less", interval: "2×" });
  });

  test("speeds too far apart are no time at all, where one sitting would have told of one; the ratio stands", async () => {
    const { samples, times } = await inSittings([1, 1, 3]);
    expect(time(known(times.one))).toBe(TOO_BUSY);
    expect(time(known((await inSittings([1, 1, 3], { rounds: 4, sittings: 1 })).times.one))).toBe("100 µs");
    expect(saved(factorOf(known(samples.one), known(samples.two)))?.factor).toBe("2×");
  });

  test("a pause ends with the signal", async () => {
    const stop = new AbortController();
    const onRound = () => void setTimeout(() => stop.abort("enough"));
    await expect(inSittings([1], { rounds: 3, pauseMs: 60_000, signal: stop.signal, onRound })).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
  });
});

describe("what is told", () => {
  test("a factor on which all rounds agree, with what they lay between", () => {
    const factor = factorOf([1, 1, 1, 1, 1], [2.5, 2.7, 2.8, 2.9, 3.1]);
    expect(saved(factor)).toEqual({ factor: "2.8×", direction: "less", interval: "2.5 to 3.1×" });
    expect(savedInWords(factor, "time")).toBe("2.8× less time");
  });

  test("a ratio below 1 is never told as a saving", () => {
    const factor = factorOf([2, 2, 2, 2, 2], [1, 1.02, 1.05, 1.04, 0.98]);
    expect(factor.median).toBeLessThan(1);
    expect(saved(factor)).toEqual({ factor: "2×", direction: "more", interval: "1.9 to 2.1×" });
    expect(savedInWords(factor, "time")).toBe("2× more time");
  });

  test("for any noise: what is printed is more than 1, between its ends, and nothing where the spread exceeds the effect", () => {
    const random = noise(7);
    let [told, untold] = [0, 0];
    for (let n = 0; n < 2000; n++) {
      const [ratio, width] = [Math.exp(3 * (random() - 0.5)), random()];
      const ours = Array.from({ length: 11 }, () => 1 + width * random());
      const theirs = ours.map(() => ratio * (1 + width * random()));
      const factor = factorOf(ours, theirs);
      const words = savedInWords(factor, "time");
      const exceeds = Math.log(factor.high / factor.low) >= Math.abs(Math.log(factor.median));
      const contradicts = factor.least <= 1 && factor.most >= 1;
      const nothing = digits(Math.max(factor.median, 1 / factor.median)) === "1";
      expect(words === TOO_BUSY).toBe(exceeds || contradicts || nothing);
      if (words === TOO_BUSY) untold++;
      else {
        told++;
        const number = Number.parseFloat(words);
        expect(number).toBeGreaterThan(1);
        expect(words.includes("less")).toBe(factor.median > 1);
      }
    }
    expect(Math.min(told, untold)).toBeGreaterThan(200);
  });

  test("a time on which the rounds agree, with two digits; a time on which they do not is none", () => {
    const quiet = spread([0.121, 0.1234, 0.13, 0.118, 0.12]);
    expect([time(quiet), between(quiet)]).toEqual(["120 µs", "110 to 130 µs"]);
    const wild = spread([0.1, 0.1, 0.2, 0.9, 2]);
    expect(isTold(wild)).toBe(false);
    expect(time(wild)).toBe(TOO_BUSY);
    expect([roughly(12.34), roughly(1234), roughly(0.0046)]).toEqual(["12 ms", "1.2 s", "4.6 µs"]);
  });

  test("parts that are printed add up as they are printed", () => {
    expect(sum([0.0124, 0.1262, 0.0483])).toEqual({ unit: "µs", parts: ["12", "127", "48"], total: "187" });
    const random = noise(11);
    for (let n = 0; n < 500; n++) {
      const { parts, total } = sum([0, 0, 0].map(() => 10 ** (6 * random() - 3)));
      expect(parts.reduce((all, part) => all + Number(part), 0)).toBeCloseTo(Number(total), 6);
    }
  });

  test("a spread is the median, the quartiles and the ends", () => {
    expect(spread([5, 1, 3, 2, 4])).toEqual({ least: 1, low: 2, median: 3, high: 4, most: 5 });
    expect(spread([2, 1])).toEqual({ least: 1, low: 1.25, median: 1.5, high: 1.75, most: 2 });
    expect(() => spread([])).toThrow(RangeError);
  });
});

describe("an account", () => {
  const [fixed, a, b] = [0.012, 0.009, 0.0015];
  const samples = (read: number, skimmed: number, random: () => number, width: number) =>
    Array.from({ length: 11 }, () => (fixed + read * a + skimmed * b) * (1 + width * (random() - 0.5)));
  const account = (random: () => number, width: number) =>
    accountOf(
      { tokens: { read: 7, skimmed: 16 }, samples: samples(7, 16, random, width) },
      { tokens: { read: 28, skimmed: 64 }, samples: samples(28, 64, random, width) },
      { tokens: { read: 23, skimmed: 0 }, samples: samples(23, 0, random, width) },
    );

  test("finds the parts it was made of", () => {
    const found = account(() => 0.5, 0);
    expect(found.fixedMs).toBeCloseTo(fixed, 9);
    expect(found.readMs).toBeCloseTo(a, 9);
    expect(found.skimMs).toBeCloseTo(b, 9);
    expect(found.told).toBe(true);
  });

  test("whatever the noise, its parts add up to the total that is shown; parts that make no sense are not told", () => {
    const random = noise(3);
    let untold = 0;
    for (let n = 0; n < 300; n++) {
      const found = account(random, n / 300);
      const { fixedMs, read, readMs, skimmed, skimMs, totalMs } = found;
      expect(fixedMs + read * readMs + skimmed * known(skimMs)).toBeCloseTo(totalMs, 9);
      if (found.told) expect(Math.min(fixedMs, readMs, known(skimMs))).toBeGreaterThan(0);
      else untold++;
    }
    expect(untold).toBeGreaterThan(50);
    expect(untold).toBeLessThan(300);
  });

  test("without a word skimmed there is no third part", () => {
    const found = accountOf(
      { tokens: { read: 10, skimmed: 0 }, samples: [1.1, 1.1, 1.1] },
      { tokens: { read: 40, skimmed: 0 }, samples: [4.1, 4.1, 4.1] },
      null,
    );
    expect([found.fixedMs, found.readMs, found.skimMs]).toEqual([expect.closeTo(0.1), expect.closeTo(0.1), null]);
    expect(found.told).toBe(true);
  });
});

describe("a comparison", () => {
  /** A network that takes so long, on a machine. */
  function network(cost: { fixed: number; read: number; skim: number }, skims: boolean, device: "cpu" | "webgpu" = "cpu") {
    const asked: string[] = [];
    const read = async (text: string, { force = {} }: { force?: Readonly<Record<number, "read" | "skim">> } = {}) => {
      const tokens = text.split(/\s+/).map((word, at) => {
        const decision = force[at] ?? (skims && word.length < 4 ? "skim" : "read");
        return { decision };
      });
      asked.push(tokens.map(({ decision }) => decision[0]).join(""));
      const totalMs = tokens.reduce((sum, { decision }) => sum + (decision === "read" ? cost.read : cost.skim), cost.fixed);
      return { tokens, timing: { device, totalMs }, deviceReason: "WebGPU: as asked" };
    };
    const tokenize = async (text: string) => text.split(/\s+/);
    return { asked, model: { read, tokenize } as unknown as Model };
  }
  const text = "It was a very dull film";

  test("is of one text, as decided, all read, and by another network, and has its account", async () => {
    const ours = network({ fixed: 0.01, read: 0.01, skim: 0.001 }, true);
    const full = network({ fixed: 0.01, read: 0.008, skim: 0 }, false);
    const found = await compare(ours.model, text, { against: full.model, sampleMs: 1 });
    expect(found.device).toBe("cpu");
    expect(new Set(ours.asked)).toEqual(new Set(["sssrrr", "rrrrrr", "sssrrr".repeat(4)]));
    expect(found.reading.median).toBeCloseTo(0.043);
    expect(known(found.everyWord).factor.median).toBeCloseTo(0.07 / 0.043);
    expect(known(found.other).factor.median).toBeCloseTo(0.058 / 0.043);
    expect(known(found.account)).toMatchObject({ read: 3, skimmed: 3, fixedMs: expect.closeTo(0.01), readMs: expect.closeTo(0.01) });
    expect(known(found.account).skimMs).toBeCloseTo(0.001);
  });

  test("a network that does not skim has a time and no other way", async () => {
    const { model } = network({ fixed: 0.01, read: 0.01, skim: 0 }, false);
    const found = await compare(model, text, { sampleMs: 1 });
    expect([found.everyWord, found.other]).toEqual([null, null]);
    expect(known(found.account).skimMs).toBeNull();
  });

  test("the network with what it keeps takes its turns beside the one that keeps nothing", async () => {
    const bare = network({ fixed: 0.01, read: 0.01, skim: 0.001 }, true);
    const keeping = network({ fixed: 0.01, read: 0.005, skim: 0.001 }, true);
    const found = await compare(bare.model, text, { keeping: keeping.model, sampleMs: 1 });
    expect(new Set(keeping.asked)).toEqual(new Set(["sssrrr"]));
    expect(known(found.kept).median).toBeCloseTo(0.028);
    expect(savedInWords(inverse(known(found.kept).factor), "time")).toBe("1.5× less time");
    expect(known(found.account).readMs).toBeCloseTo(0.01);
    const gpu = network({ fixed: 0.01, read: 0.01, skim: 0.001 }, true, "webgpu");
    expect((await compare(gpu.model, text, { keeping: gpu.model, sampleMs: 1 })).kept).toBeNull();
  });

  test("another network that runs elsewhere is not compared", async () => {
    const ours = network({ fixed: 0.01, read: 0.01, skim: 0.001 }, true);
    const lost = network({ fixed: 0.01, read: 0.008, skim: 0 }, false, "webgpu");
    const found = await compare(ours.model, text, { against: lost.model, sampleMs: 1 });
    expect(found.other).toBeNull();
    expect(found.absent).toEqual({ other: "WebGPU: as asked" });
    expect(found.everyWord).not.toBeNull();
  });
});
