import type { ComponentProps } from "svelte";
import { render } from "svelte/server";
import { describe, expect, test } from "vitest";
import { factorOf, spread, type Comparison, type DevicePreference, type Model, type Reading } from "../src/engine.ts";
import { format, parse } from "../src/frame/address.ts";
import Gauges from "../src/read/Gauges.svelte";
import { gauges } from "../src/read/strings.ts";
import { abridged, count, duration, fileSize, percent, plural, precise, saving } from "../src/frame/format.ts";
import Summary from "../src/read/Summary.svelte";
import Status from "../src/read/Status.svelte";
import { recorded } from "../src/study/recorded.ts";
import Time from "../src/read/Time.svelte";
import Verdict from "../src/read/Verdict.svelte";
import Tokens from "../src/read/Tokens.svelte";
import small from "./fixtures/reading.json";

const text = "<b> wasn't  dull\n";
const reading = small as Reading;

/** What a person sees: the markup without its tags. */
const visible = (html: string) =>
  html
    .replace(/<!--.*?-->|<[^>]*>/gs, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&amp;", "&");

describe("tokens", () => {
  const html = (forced = {}) => render(Tokens, { props: { seen: { text, reading }, forced, onforce: () => {} } }).body;

  test("every token carries its decision and its probability", () => {
    const decisions = [...html().matchAll(/class="token[^>]*data-decision="(\w+)" data-skim-probability="([\d.]+)"/g)];
    expect(decisions.map(([, decision, p]) => [decision, Number(p)])).toEqual(
      reading.tokens.map((token) => [token.decision, token.skimProbability]),
    );
  });

  test("the text stands as it was typed, HTML included", () => {
    expect(visible(html())).toContain(text);
    expect(html()).toContain("&lt;b></button>");
  });

  test("the label says in words what weight and line say", () => {
    expect(html()).toContain('aria-label="dull: read, skim probability 6%"');
    expect(html({ 3: "read" })).toContain('aria-label="dull: read, by your choice, skim probability 6%"');
  });

  test("a word that the model does not know is marked, and said to be one", () => {
    expect(html()).toMatch(/data-known="false"[^>]*aria-label="&lt;b>: skimmed, skim probability 75%, not in the model’s/);
    expect(visible(html())).toContain("unknown word");
    const tokens = reading.tokens.map((token) => ({ ...token, known: true }));
    const props = { seen: { text, reading: { ...reading, tokens } }, forced: {}, onforce: () => {} };
    expect(visible(render(Tokens, { props }).body)).not.toContain("unknown word");
  });

  test("a model without a skim cell has no probability to show", () => {
    const tokens = reading.tokens.map((token) => ({ ...token, skimProbability: null }));
    const plain = { text, reading: { ...reading, tokens } };
    const { body } = render(Tokens, { props: { seen: plain, forced: {}, onforce: () => {} } });
    expect(body).toContain('aria-label="dull: read"');
    expect(body).not.toContain("data-skim-probability");
  });

  test("a very long text shows its beginning and says how much there is", () => {
    const tokens = Array.from({ length: 5000 }, (_, i) => ({
      text: "a",
      start: 2 * i,
      end: 2 * i + 1,
      known: true,
      decision: "skim" as const,
      skimProbability: 0.9,
    }));
    const long = { text: "a ".repeat(5000), reading: { ...reading, tokens } };
    const { body } = render(Tokens, { props: { seen: long, forced: {}, onforce: () => {} } });
    expect(body.match(/data-index=/g)).toHaveLength(2000);
    expect(visible(body)).toContain("2,000 of 5,000 words are shown");
  });
});

/** A comparison whose rounds came to these, in milliseconds. */
function compared(ours: readonly number[], everyWord: readonly number[], other: readonly number[]): Comparison {
  const way = (samples: readonly number[]) => ({ ...spread(samples), factor: factorOf(ours, samples) });
  const part = spread([0.01]);
  const account = { read: 2, skimmed: 2, totalMs: 0.05, fixedMs: 0.01, readMs: 0.015, skimMs: 0.005, told: true };
  const spreads = { fixedMs: part, readMs: part, skimMs: part };
  return {
    device: "cpu",
    reading: spread(ours),
    everyWord: way(everyWord),
    other: way(other),
    kept: null,
    elsewhere: way([5, 5.1, 6]),
    absent: {},
    account: { ...account, spreads },
    rounds: ours.length,
    sampleMs: 15,
  };
}

describe("figures", () => {
  const shown = (reading: Reading, comparison: Comparison | null = null) => {
    const verdict = render(Verdict, { props: { reading } }).body;
    const gauges = render(Gauges, { props: { reading, comparison, wait: "rest" as const } }).body;
    return visible(`${verdict} ${gauges}`.replaceAll("<", " <")).replace(/\s+/g, " ");
  };

  test("prediction and work are those of the reading", () => {
    for (const part of ["positive", "88%", "13%", "2×", "330K", "660K", "2 of 4 words"]) expect(shown(reading)).toContain(part);
  });

  test("a reading that saves nothing does not say that it is less", () => {
    const about = (reduction: number) => {
      const read = { ...reading, flops: { ...reading.flops, reduction } };
      const study = { seen: { text: "", reading: read }, measured: null, account: null } as unknown as ComponentProps<typeof Summary>["study"];
      return `${visible(render(Summary, { props: { study, timed: false } }).body)} ${shown(read)}`;
    };
    expect(about(2)).toMatch(/2× less arithmetic.* 2× less/s);
    expect(about(0.5)).toMatch(/2× more arithmetic.* 2× more/s);
    for (const same of [1, 1.002, 0.998]) expect(about(same)).toMatch(/no less arithmetic.* 1× as much/s);
    expect(about(1.02)).toContain("no less arithmetic");
  });

  test("a reading of nothing has no figures", () => {
    const flops = { spent: 0, full: 0, reduction: Number.NaN };
    const none = shown({ ...reading, tokens: [], flops });
    expect(none).not.toMatch(/NaN|positive 8|Infinity/);
    expect(none).toContain("–");
  });

  test("the time stands beside that of every word read and of a plain LSTM, with what the rounds lay between", () => {
    const found = compared([0.02, 0.02, 0.02], [0.05, 0.049, 0.051], [0.06, 0.06, 0.06]);
    expect(shown(reading, found)).toMatch(/2\.5× less as it decided 20 µs every word read 50 µs a plain LSTM 60 µs 2\.4 to 2\.6× in 3 rounds, on CPU/);
    expect(shown(reading, found)).toMatch(/Time, beside every word read; measured here just now [\d.]+×/);
    expect(shown(reading)).not.toMatch(/\d [µm]s/);
    expect(shown(reading)).toContain("Will measure when you stop typing");
  });

  test("what kept products save can be asked for, where there are any", () => {
    const found = compared([0.02, 0.02, 0.02], [0.05, 0.05, 0.05], [0.06, 0.06, 0.06]);
    const kept = { ...spread([0.01]), factor: factorOf([0.02, 0.02, 0.02], [0.01, 0.01, 0.01]) };
    expect(shown(reading, { ...found, kept })).toContain("Let the network keep the products of words");
    // Until then all times are those without.
    expect(shown(reading, { ...found, kept })).not.toContain("10 µs");
    expect(shown(reading, found)).not.toContain("keep the products");
    expect(gauges.keeps({ factor: "2×", direction: "less" })).toContain("2× less time than without");
    expect(gauges.keeps(null)).toContain("too busy to tell");
  });

  test("where the rounds contradict each other no factor is told, and one below 1 is no saving", () => {
    const wild = shown(reading, compared([0.02, 0.09, 0.02], [0.05, 0.05, 0.02], [0.06, 0.06, 0.06]));
    expect(wild).toContain("this machine is too busy to tell");
    expect(wild).not.toMatch(/Time, beside every word read; measured here just now [\d.]+×/);
    expect(shown(reading, compared([0.05, 0.05, 0.05], [0.02, 0.02, 0.02], [0.06, 0.06, 0.06]))).toContain("2.5× more");
  });

  test("before the end of the text the verdict says after which word it is", () => {
    const scores = reading.scores.map((score, at) => ({ ...score, probability: at === 0 ? 0.7 : 0.3 }));
    const so = visible(render(Verdict, { props: { reading, scores, after: "dull" } }).body);
    expect(so).toContain("If it ended with “dull”");
    expect(so).toContain("70%");
  });
});

describe("the recorded reading", () => {
  test("its spans are the words of its text", () => {
    for (const { text, start, end } of recorded.reading.tokens) expect(recorded.text.slice(start, end).toLowerCase()).toBe(text);
  });

  test("its time, measured elsewhere, is not shown as this machine's", () => {
    const { reading } = recorded;
    const gauges = visible(render(Gauges, { props: { reading, comparison: null, wait: "rest" as const } }).body);
    expect(visible(render(Verdict, { props: { reading } }).body)).toContain(reading.label);
    expect(gauges).toContain(saving(reading.flops.reduction).factor);
    expect(gauges).not.toMatch(/\d\s*[µm]s\b/);
    const props = { device: "auto" as const, reading: recorded.reading, recorded: true, comparison: null };
    const time = visible(render(Time, { props }).body);
    expect(time).not.toContain(recorded.reading.timing.method);
    expect(time).not.toContain(recorded.reading.deviceReason);
    expect(time).not.toMatch(/[µm]s\b/);
  });
});

describe("time", () => {
  const comparison = compared([0.05, 0.051, 0.052], [0.09, 0.09, 0.09], [0.1, 0.1, 0.1]);
  const shown = (props: Partial<ComponentProps<typeof Time>>) => {
    const all = { device: "auto" as const, reading, recorded: false, comparison: null, ...props };
    return visible(render(Time, { props: all }).body.replaceAll("<", " <")).replace(/\s+/g, " ");
  };

  test("before anything was measured there is the device, the reason, and no time", () => {
    expect(shown({})).toContain("CPU: as asked.");
    expect(shown({})).not.toMatch(/\d\s*[µm]s\b/);
  });

  test("both devices are compared for this text, with what the rounds lay between", () => {
    expect(shown({ comparison })).toMatch(/CPU 51 µs 50 to 52 µs WebGPU 5\.1 ms 5 to 6 ms/);
    const none = shown({ comparison: { ...comparison, elsewhere: null, absent: { elsewhere: "this browser has no WebGPU" } } });
    expect(none).toMatch(/CPU 51 µs 50 to 52 µs WebGPU this browser has no WebGPU/);
  });

  test("the account adds up as it is printed, or says that it cannot be told", () => {
    expect(shown({ comparison })).toMatch(
      /once for the whole text 10\.0 µs 2 words read 15 µs each 30\.0 µs 2 words skimmed 5 µs each 10\.0 µs the whole reading 50\.0 µs/,
    );
    const account = comparison.account && { ...comparison.account, told: false };
    expect(shown({ comparison: { ...comparison, account } })).toContain("How the time divides: this machine is too busy to tell");
    expect(shown({ comparison: { ...comparison, account } })).not.toMatch(/each/);
  });

  test("the numbers that the device was first chosen by do not stand beside those that are measured in turns", () => {
    const reason = "WebGPU, for 400 tokens the faster as measured here: CPU 9.1 ms, WebGPU 3.2 ms";
    const text = shown({ reading: { ...reading, deviceReason: reason }, comparison });
    expect(text).toContain("WebGPU, for 400 words the faster by a first measurement.");
    expect(text).not.toContain("9.1 ms");
  });

  test("a reading that was to run on the GPU and did not stands out", () => {
    const html = (device: DevicePreference) =>
      render(Time, { props: { device, reading, recorded: false, comparison: null } }).body;
    expect(html("webgpu")).toContain("elsewhere");
    expect(html("auto")).not.toContain("elsewhere");
  });
});

describe("status", () => {
  const rest = { own: false, recorded: false, progress: null, stopped: null, onretry: () => {}, onstop: () => {}, onresume: () => {} };

  test("a failure names what failed, why, and its code", () => {
    const failure = { message: "the header is cut short", code: "MODEL_TRUNCATED" };
    const stage = { kind: "failed", failure } as const;
    const { body } = render(Status, { props: { stage, failure: null, name: "Sentences", ...rest } });
    expect(visible(body)).toMatch(/“Sentences” did not load[\s\S]*cut short[\s\S]*MODEL_TRUNCATED[\s\S]*Try again/);
  });

  test("a download says how far it is", () => {
    const stage = { kind: "loading", progress: { received: 250_000, total: 1_000_000 } } as const;
    const { body } = render(Status, { props: { stage, failure: null, name: "Sentences", ...rest } });
    expect(visible(body)).toContain("0.3 of 1.0 MB");
  });

  test("a long reading says how far it is and can be stopped", () => {
    const stage = { kind: "ready", model: {} as Model } as const;
    const props = { stage, failure: null, name: "Sentences", ...rest };
    const far = { done: 1200, total: 50_000 };
    expect(visible(render(Status, { props: { ...props, progress: far } }).body)).toMatch(/1,200 of 50,000 words[\s\S]*Stop/);
    expect(visible(render(Status, { props: { ...props, stopped: far } }).body)).toMatch(/Stopped after 1,200[\s\S]*Read it after all/);
  });
});

describe("address", () => {
  test("a view comes back as it was", () => {
    const view = {
      chapter: "race",
      scene: "length",
      lecture: "figures",
      model: "imdb-skim-lstm",
      text: "déjà & #vu 🎬\n+?",
      threshold: 0.25,
      device: "cpu",
      force: { 0: "skim", 12: "read" },
      at: 3,
      speed: 0.5,
    } as const;
    expect(parse(format(view))).toEqual(view);
    expect(format({ chapter: "read", device: "auto", speed: 1, force: {} })).toBe("#read");
    expect(format({ chapter: "read", scene: "savings", text: "a" })).toBe("#read/savings?text=a");
    expect(format({ text: "a" })).toBe("#?text=a");
  });

  test("what makes no sense is left out", () => {
    expect(parse("#../..?model=../../etc&threshold=7&device=abacus&force=a.3x.-1r&at=-1&speed=9&lecture=loud")).toEqual({});
    expect(parse("#read?threshold=nan")).toEqual({ chapter: "read" });
    expect(parse("")).toEqual({});
  });

  test("a long text is not put into a link, nor what counts its tokens", () => {
    const text = "a".repeat(2001);
    expect(format({ chapter: "read", text, threshold: 0.5, at: 7, force: { 7: "read" } })).toBe("#read?threshold=0.5");
  });
});

test("numbers are written for people", () => {
  expect([count(1_234_567), percent(0.934), plural(1, "token"), plural(2000, "token")]).toEqual([
    "1.23M",
    "93%",
    "1 token",
    "2,000 tokens",
  ]);
  expect([duration(0.0123), duration(12.34), duration(1234)]).toEqual(["12.3 µs", "12.3 ms", "1.23 s"]);
  expect([count(Number.NaN), percent(null), duration(null)]).toEqual(["–", "–", "–"]);
  expect([fileSize(31), fileSize(2_734_567)]).toEqual(["1 kB", "2.7 MB"]);
  expect([abridged("twenty", 6), abridged("twenty-one", 6), abridged("😀😀😀", 2)]).toEqual(["twenty", "twent…", "😀…"]);
});

test("a probability that is not certain does not look it", () => {
  expect(precise(0.8677)).toBe("86.8%");
  expect([0, 0.0004, 0.004, 0.5, 0.9955, 0.9999, 1].map(percent)).toEqual(["0%", "< 0.1%", "0.4%", "50%", "99.6%", "> 99.9%", "100%"]);
});

test("what was saved is less, what deciding cost on top is more", () => {
  expect(saving(3.456)).toEqual({ factor: "3.46×", direction: "less" });
  expect(saving(0.8)).toEqual({ factor: "1.25×", direction: "more" });
  for (const same of [1, 1.004, 0.996]) expect(saving(same)).toEqual({ factor: "1×", direction: "same" });
  for (const none of [null, 0, Number.NaN, Number.POSITIVE_INFINITY]) expect(saving(none).factor).toBe("–");
});
