/** The mathematics that the page shows: formulas that can be set, and numbers that are the engine's own. */

import { describe, expect, test } from "vitest";
import { mathml, verbatim } from "../src/frame/maths/tex.ts";
import { scenes as batchScenes } from "../src/batch/maths/scenes.ts";
import { lines as batchLines } from "../src/batch/maths/strings.ts";
import { scenes as raceScenes } from "../src/race/maths/scenes.ts";
import { lines as raceLines } from "../src/race/maths/strings.ts";
import { blocksOf, costOf, endOf } from "../src/race/chain.ts";
import { draws, gumbel, mixture, temperatureAt } from "../src/read/maths/gumbel.ts";
import { scenes as readScenes } from "../src/read/maths/scenes.ts";
import { lines as readLines, type Numbers } from "../src/read/maths/strings.ts";
import { scenes as trainScenes } from "../src/train/maths/scenes.ts";
import { lines as trainLines } from "../src/train/maths/strings.ts";
import { cellFlops, skimFlops, type SkimSizes } from "../src/study/flops.ts";
import { recorded } from "../src/study/recorded.ts";
import { fieldsOf, viewOf } from "../src/study/view.ts";

const sizes: SkimSizes = { cell: "lstm", input: 100, hidden: 100, small: 10, smallReads: 10 };
const { tokens, flops } = recorded.reading;
const read = tokens.filter(({ decision }) => decision === "read").length;

describe("a formula", () => {
  test("has the numbers of the page as they stand", () => {
    expect(mathml(String.raw`\live{80,000}`)).toContain('<mtext class="live">80,000</mtext>');
    for (const text of ["< 0.1%", "a_b^c~d", "{odd} \\label", "$1 & #2", "−0.3"]) {
      const escaped = text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign);
      expect(mathml(`\\text{${verbatim(text)}}`).replaceAll("\u00a0", " ")).toContain(`<mtext>${escaped}</mtext>`);
      expect(mathml(`\\live{${verbatim(text)}}`).replaceAll("\u00a0", " ")).toContain(`<mtext class="live">${escaped}</mtext>`);
    }
  });

  test("that is malformed is an error", () => {
    for (const tex of ["a}", "{a", String.raw`\nothing`, String.raw`\href{https://example.org}{a}`]) expect(() => mathml(tex)).toThrow();
  });

  const numbers: Numbers = {
    tokens: tokens.length,
    read,
    skimmed: tokens.length - read,
    sizes,
    threshold: 0.3,
    word: "plot",
    pSkim: 0.46,
    logits: { read: 1.2, skim: -0.3 },
    label: "{odd} \\label",
    probability: 0.9996,
    skimLoss: 0.7,
    accuracy: 0.85,
    texts: 872,
    account: { fixedMs: 0.01, readMs: 0.01, skimMs: 0.001, totalMs: 0.12 },
  };
  const nothing: Numbers = { ...numbers, sizes: null, pSkim: null, logits: null, probability: null, skimLoss: null, accuracy: null, texts: null, account: null, threshold: 0 };

  test("of every scene is one, with all numbers and with none", () => {
    for (const scene of readScenes) {
      for (const { tex, words } of [...readLines[scene](numbers), ...readLines[scene](nothing)]) {
        expect(mathml(tex)).toMatch(/^<math display="block".*<\/math>$/);
        expect(mathml(tex) + words).not.toMatch(/NaN|undefined|Infinity|null/);
      }
    }
    for (const scene of raceScenes) for (const { tex } of raceLines[scene]) expect(mathml(tex)).toMatch(/<\/math>$/);
    for (const scene of batchScenes) for (const { tex } of batchLines[scene]) expect(mathml(tex)).toMatch(/<\/math>$/);
    for (const scene of trainScenes) for (const { tex } of trainLines[scene]) expect(mathml(tex)).toMatch(/<\/math>$/);
  });

  test("of the savings has the engine's own counts", () => {
    const all = readLines.savings(numbers).map(({ tex }) => tex).join("\n");
    for (const count of [flops.spent, flops.full]) expect(all).toContain(`\\live{${count.toLocaleString("en")}}`);
    expect(all).toContain(`\\live{${flops.reduction.toFixed(2)}}`);
  });

  test("of an accuracy says a standard error of 1.2 points at 872 sentences", () => {
    expect(readLines.threshold(numbers).at(-1)?.tex).toContain("\\live{1.2\\%}");
  });
});

describe("operations", () => {
  test("are those that the engine counted in the recorded reading", () => {
    expect(skimFlops(sizes, read, tokens.length - read)).toEqual({ spent: flops.spent, full: flops.full });
  });

  test("are those of the engine's formulas for its other cells", () => {
    const of = (cell: "elman" | "gru" | "lstm" | "sru") => cellFlops(cell, 3, 2).word + cellFlops(cell, 3, 2).state;
    expect([of("elman"), of("gru"), of("lstm"), of("sru")]).toEqual([2 * 2 * 5, 6 * 2 * 5, 8 * 2 * 5, 6 * 2 * 3]);
  });

  test("of the chain are all there, however many work, and only the links wait", () => {
    const decisions = ["skim", "read", "skim"] as const;
    for (const lane of ["lstm", "skim", "sru"] as const) {
      const [one, many] = [blocksOf(lane, decisions, false), blocksOf(lane, decisions, true)];
      const work = (blocks: typeof one) => blocks.reduce((sum, { from, to }) => sum + to - from, 0);
      expect(work(one)).toBe(work(many));
      expect(endOf(one)).toBe(work(one));
      const links = decisions.reduce((sum, decision) => sum + costOf(lane, decision).link, 0);
      expect(endOf(many)).toBe(costOf(lane, "read").ahead + links);
    }
    const skimming = decisions.reduce((sum, decision) => sum + costOf("skim", decision).ahead + costOf("skim", decision).link, 0);
    expect(skimming).toBe(skimFlops(sizes, 1, 2).spent);
  });
});

describe("the Gumbel softmax", () => {
  test("hardens as the temperature falls, and is the choice at 0", () => {
    for (const both of draws(50)) {
      const shares = [4, 1, 0.25, 0.01, 0].map((temperature) => Math.abs(mixture(0.3, both, temperature) - 0.5));
      for (const [at, share] of shares.entries()) expect(share).toBeGreaterThanOrEqual((shares[at - 1] ?? 0) - 1e-12);
      expect([0, 1]).toContain(mixture(0.3, both, 0));
    }
  });

  test("chooses with the probabilities it is given", () => {
    for (const p of [0.1, 0.5, 0.8]) {
      const read = draws(20_000).filter((both) => mixture(p, both, 0) === 1).length;
      expect(read / 20_000).toBeCloseTo(p, 1.5);
    }
  });

  test("is softmax((log p + g) / τ)", () => {
    const [p, ofRead, ofSkim, tau] = [0.3, gumbel(0.2), gumbel(0.9), 0.7];
    const [a, b] = [Math.exp((Math.log(p) + ofRead) / tau), Math.exp((Math.log(1 - p) + ofSkim) / tau)];
    expect(mixture(p, [ofRead, ofSkim], tau)).toBeCloseTo(a / (a + b), 12);
  });

  test("cools from 1 to one half", () => {
    expect([temperatureAt(0), temperatureAt(1e9)]).toEqual([1, 0.5]);
    expect(temperatureAt(3000)).toBeCloseTo(Math.exp(-0.3));
  });
});

test("a link says whose mathematics is shown", () => {
  const maths = ["read-savings", "race-gates"];
  expect(viewOf(fieldsOf({ maths })).maths).toEqual(maths);
  expect(String(fieldsOf({ maths: [] }))).toBe("");
  expect(viewOf(new URLSearchParams("maths=read-words.<b>.x")).maths).toEqual(["read-words"]);
});
