/** What the chapter Train learns from, and how a run is planned and linked to. */

import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { fieldsOf, viewOf } from "../src/study/view.ts";
import * as far from "../src/train/far/link.ts";
import * as letters from "../src/train/letters/link.ts";
import { beginning } from "../src/train/letters/text.ts";
import { plan, settingsOf } from "../src/train/letters/writer.svelte.ts";
import { EVERY, parse, wordsOf as wordsOfName } from "../src/train/name/data.ts";
import * as name from "../src/train/name/link.ts";
import { score } from "../src/train/name/namer.svelte.ts";
import { distance, ipa, plain, soundsOf } from "../src/train/name/phonemes.ts";
import { fileRows, LIMITS, ownRows } from "../src/train/skim/data.ts";
import grammar from "../src/train/skim/grammar.json";
import { KNOBS } from "../src/train/skim/knobs.ts";
import { isText, textOf } from "../src/train/shared/file.ts";
import { news } from "../src/train/shared/link.ts";
import { settingsOf as settingsOfSkimming } from "../src/train/skim/learner.svelte.ts";
import { formatRun, parseRun, SEED } from "../src/train/skim/link.ts";
import { opinions } from "../src/train/skim/opinions.ts";
import { classOf } from "../src/train/skim/words.ts";

const wordsOf = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];
const good = new Set([...grammar.good.opinion, ...grammar.good.verb]);

describe("our sentences", () => {
  test("are the same for a seed, all different, and half of each label", () => {
    const all = opinions(1000, 1);
    expect(opinions(1000, 1)).toEqual(all);
    expect(opinions(1000, 2)).not.toEqual(all);
    expect(new Set(all.map(({ text }) => text)).size).toBe(1000);
    expect(all.filter(({ label }) => label === "good").length).toBe(500);
    for (const { text } of all) expect(text).toMatch(/^[A-Z][^{}]*[a-z]\.$/);
  });

  test("say what their label says: the last opinion counts, and a denial before it turns it round", () => {
    for (const { text, label } of opinions(2000, 3)) {
      const words = wordsOf(text);
      const at = words.findLastIndex((word) => classOf(word) === "opinion");
      const denied = words.slice(0, at).some((word) => grammar.words.denied.includes(word)) || text.includes("anything but");
      expect(good.has(words[at] ?? "") !== denied, text).toBe(label === "good");
    }
  });

  test("are of three classes of words, and none that is asked about is learned from", () => {
    expect(["Wonderful", "never", "soup", "loathed", "anything"].map(classOf)).toEqual(["opinion", "denial", "other", "opinion", "denial"]);
    const { train, dev, shown, labels } = ownRows();
    const learned = new Set(train.map(({ text }) => text));
    expect(dev.filter(({ text }) => learned.has(text))).toEqual([]);
    expect([shown.length, labels]).toEqual([10, ["bad", "good"]]);
  });
});

test("a text is what has no bytes that no text has, and few that are no UTF-8", () => {
  const decode = (bytes: readonly number[]) => new TextDecoder().decode(new Uint8Array(bytes));
  const repeat = (bytes: readonly number[], times: number) => Array.from({ length: times }, () => bytes).flat();
  const [plain, accent] = [repeat([97, 32], 300), 0xe9];
  expect([isText(""), isText(decode(plain)), isText("naïve 文本 🎬"), isText(decode([...plain, accent]))]).toEqual([true, true, true, true]);
  expect([isText(decode([...plain, 0])), isText(decode(repeat([accent, 32], 300)))]).toEqual([false, false]);
});

test("a file that cannot be read gives no text; of a long one no more is read than is asked for", async () => {
  const folder = new File(["a"], "folder");
  vi.spyOn(folder, "text").mockRejectedValue(new DOMException("", "NotFoundError"));
  expect(await textOf(folder)).toEqual({ reason: "unread" });
  const long = new File(["abcdef"], "long.txt");
  const whole = vi.spyOn(long, "text");
  expect([await textOf(long, 3), whole.mock.calls.length]).toEqual([{ text: "abc" }, 0]);
  expect(await textOf(long)).toEqual({ text: "abcdef" });
});

test("a file gives the text that is pasted from it, whatever ends its lines", async () => {
  for (const end of ["\n", "\r\n", "\r"]) expect(await textOf(new File([`one${end}${end}two${end}`], "a.txt"))).toEqual({ text: "one\n\ntwo\n" });
});

test("a file in another encoding gives no text", async () => {
  const lines = Array.from({ length: 60 }, (_, at) => `${at % 2}\tdéjà ${at}`).join("\n");
  expect(await textOf(new File([lines], "utf-8.tsv"))).toEqual({ text: lines });
  for (const encoding of ["utf16le", "latin1"] as const) {
    expect(await textOf(new File([Buffer.from(lines, encoding)], encoding)), encoding).toEqual({ reason: "encoding" });
  }
});

describe("a file of the visitor's", () => {
  const file = (lines: number, line: (at: number) => string) => fileRows(Array.from({ length: lines }, (_, at) => line(at)).join("\n"));

  test("is lines of a label, a tab and a text; a tenth or so is only asked about, whatever their order", () => {
    const taken = file(100, (at) => `${at < 50 ? "very much so" : "no"}\ttext ${at}, with a word or two `);
    if (!("rows" in taken)) throw new Error(taken.reason);
    const { train, dev, shown, labels } = taken.rows;
    expect([train.length + dev.length, labels]).toEqual([100, ["no", "very much so"]]);
    expect(train.length).toBeGreaterThan(dev.length);
    for (const label of labels) for (const some of [train, dev, shown]) expect(some.some((row) => row.label === label)).toBe(true);
    expect(shown.length).toBe(10);
    expect(train[0]).toEqual({ label: "very much so", text: "text 0, with a word or two" });
  });

  test("may have a space for the tab, empty lines, a byte-order mark and lines of Windows", () => {
    const taken = fileRows(`\uFEFF${Array.from({ length: 60 }, (_, at) => `${at % 2} über Nacht ${at}`).join("\r\n\r\n")}\r\n`);
    expect("rows" in taken && [taken.rows.labels, taken.rows.train[0]?.text]).toEqual([["0", "1"], "über Nacht 0"]);
  });

  test("that is none says which lines, that there are too few, or that all say the same", () => {
    expect(file(60, (at) => (at % 20 === 3 ? "alone" : `${at % 2}\ta`))).toEqual({ reason: "lines", mistakes: [{ line: 4 }, { line: 24 }, { line: 44 }] });
    expect(file(LIMITS.fewest - 1, (at) => `${at % 2}\ta`)).toMatchObject({ reason: "few" });
    expect(file(60, (at) => `1\ttext ${at}`)).toMatchObject({ reason: "label" });
  });

  test("of long texts shows the beginnings, up to a word, behind such as are short", () => {
    const long = Array.from({ length: 60 }, (_, at) => `word${at}`).join(" ");
    const shown = (line: (at: number) => string) => {
      const taken = file(200, line);
      return "rows" in taken ? taken.rows.shown.map(({ text }) => text) : [];
    };
    expect(shown((at) => `${at % 2}\tso be it…`)[0]).toBe("so be it…");
    const beginnings = shown((at) => `${at % 2}\t${long}`);
    expect(beginnings.length).toBe(10);
    for (const text of beginnings) {
      expect(text.length).toBeLessThanOrEqual(LIMITS.letters + 1);
      expect(long.startsWith(`${text.replace(/ …$/, "")} `)).toBe(true);
    }
    // One label has short texts, the other has none.
    expect(shown((at) => `${at % 2}\t${at % 2 ? "short" : long}`).filter((text) => text === "short").length).toBe(5);
    expect(shown((at) => `${at % 2}\t${at < 50 ? long : "short"}`).every((text) => text === "short")).toBe(true);
    expect(shown((at) => `${at % 2}\t${"没".repeat(200)}`)[0]).toBe(`${"没".repeat(LIMITS.letters - 1)}…`);
  });

  test("that is long is cut, and little of it is asked about", () => {
    const taken = file(LIMITS.lines + 500, (at) => `${at % 3}\ttext ${at}`);
    if (!("rows" in taken)) throw new Error(taken.reason);
    expect(taken.rows.train.length + taken.rows.dev.length).toBe(LIMITS.lines);
    expect([taken.rows.dev.length, taken.texts]).toEqual([LIMITS.dev, LIMITS.lines + 500]);
    // Also what stands at its end.
    const sorted = file(LIMITS.lines + 5000, (at) => `${Math.floor(at / 5000)}\ttext ${at}`);
    expect("rows" in sorted && sorted.rows.labels).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("whose labels take turns is asked about all of them", () => {
    for (const lines of [100, 600, 3000, 4000]) {
      const taken = file(lines, (at) => `${at % 2}\ttext ${at}`);
      expect("rows" in taken && new Set(taken.rows.dev.map(({ label }) => label)).size, `${lines}`).toBe(2);
    }
  });
});

test("a run is a field of the address, unless it begins as the chapter opens; what is no run is none", () => {
  const run = { knobs: { gamma: 0, learningRate: 1e-4 }, seed: 7, difference: null };
  expect(parseRun(formatRun(run))).toEqual(run);
  expect(formatRun({ knobs: KNOBS, seed: SEED, difference: null })).toBeNull();
  for (const field of [null, "", "1", "0.1_0.1", "0.1_0.1_1_1", "-1_0.1_1", "0.1_0_1", "0.1_0.1_1.5", "a_b_c", "0.1_0.1_4294967296"]) expect(parseRun(field)).toBeNull();
});

test("what a link says is news once, and again after another", () => {
  const told = news((field) => (field === null ? null : field.length));
  expect(["ab", "ab", null, "ab", "abc", "abc"].map(told)).toEqual([2, null, null, 2, 3, null]);
});

test("where skimming is worth nothing, no look is handed on for how much it skims", () => {
  const least = (gamma: number) => settingsOfSkimming({ ...KNOBS, gamma }, 1).train?.skim?.minRate;
  expect([least(KNOBS.gamma), least(0.005), least(0)]).toEqual([0.5, 0.5, 0]);
});

test("a run with a second learner says in what that differs", () => {
  const run = { knobs: { gamma: 0.03, learningRate: 0.005 }, seed: 1, difference: { knob: "learningRate", value: 0.001 } } as const;
  expect(formatRun(run)).toBe("0.03_0.005_1_1_0.001");
  expect(parseRun(formatRun(run))).toEqual(run);
  for (const field of ["0.03_0.005_1_1", "0.03_0.005_1_3_0.1", "0.03_0.005_1_0_0.3", "0.03_0.005_1_0_", "0.03_0.005_1_0.5_0.1"]) expect(parseRun(field), field).toBeNull();
});

test("each scene knows its runs and no other's", () => {
  const [written, remembered] = [{ cell: "gru", source: "own", seed: 3 } as const, { length: 40, reach: 10, clip: false, scale: 4, seed: 2 }];
  expect(letters.parseRun(letters.formatRun(written))).toEqual(written);
  expect(far.parseRun(far.formatRun(remembered))).toEqual(remembered);
  expect(far.parseRun(far.formatRun({ ...remembered, reach: null, clip: true }))).toEqual({ ...remembered, reach: null, clip: true });
  expect(name.parseRun(name.formatRun(7))).toBe(7);
  for (const field of [letters.formatRun(written), far.formatRun(remembered), name.formatRun(7)]) {
    expect([parseRun(field), letters.parseRun(field), far.parseRun(field), name.parseRun(field)].filter((found) => found !== null).length, field).toBe(1);
    expect(viewOf(fieldsOf({ run: field })).run).toBe(field);
  }
  for (const field of ["letters_gru_1", "letters_rnn_own_1", "letters_gru_own_-1", "letters_gru_own_1_2"]) expect(letters.parseRun(field), field).toBeNull();
  for (const field of ["far_7_0_1_1_1", "far_40_40_1_1_1", "far_40_0_2_1_1", "far_40_0_1_3_1", "far_40_0_1_1"]) expect(far.parseRun(field), field).toBeNull();
  for (const field of ["name_", "name", "name_1_2", "name_1.5"]) expect(name.parseRun(field), field).toBeNull();
});

test("an address keeps a run's field, and nothing that is no number", () => {
  const { run } = viewOf(new URLSearchParams("run=0.1_0.005_7"));
  expect(run).toBe("0.1_0.005_7");
  expect(String(fieldsOf({ run: run ?? "" }))).toBe("run=0.1_0.005_7");
  for (const field of ["", "1_a", "1 2", "1".repeat(61), "a_b_c_d_1", "A_1"]) expect(viewOf(new URLSearchParams([["run", field]])).run).toBeUndefined();
});

test("a text's beginning ends in no half of a letter", () => {
  expect([2, 3, 4, 9].map((letters) => beginning("ab🎬c", letters))).toEqual(["ab", "ab", "ab🎬", "ab🎬c"]);
});

test("texts of all lengths are learned in about as many steps, and looked at about as often", () => {
  for (const letters of [50_000, 100_000, 400_000, 1_000_000]) {
    const { epochs, evaluations } = plan(letters);
    const { batch = 0 } = settingsOf("lstm", letters, 1).train ?? {};
    const steps = (epochs * letters * 0.9) / (batch * 48);
    expect(steps).toBeGreaterThan(700);
    expect(steps).toBeLessThan(2100);
    expect(steps / (epochs * evaluations)).toBeGreaterThan(20);
    expect(steps / (epochs * evaluations)).toBeLessThan(60);
  }
  expect(plan(2000)).toEqual({ epochs: 60, evaluations: 1 });
});

describe("how words are said", () => {
  const { train, dev } = parse(readFileSync(new URL("../src/train/name/sounds.txt", import.meta.url), "utf8"));

  test("every letter has a tag of known sounds, and every twentieth word is never learned from", () => {
    expect([train.length + dev.length, Math.floor((train.length + dev.length) / EVERY)]).toEqual([17_789, dev.length]);
    const learned = new Set(train.map(({ text }) => text));
    expect(dev.filter(({ text }) => learned.has(text))).toEqual([]);
    const known = (tag: string) => tag === "-" || soundsOf(tag).length > 0;
    expect([...train, ...dev].filter(({ text, tags }) => tags.length !== text.length || !tags.every(known))).toEqual([]);
    const said = (word: string) => [...train, ...dev].find(({ text }) => text === word)?.tags.flatMap(soundsOf) ?? [];
    expect(ipa(said("catherine"))).toBe("kæθɝʌn");
    expect(plain(said("max"))).toBe("m-a-k-s");
  });

  test("a name is letters, whatever stands on and between them", () => {
    expect(wordsOfName("Zoë-Anne O’Hara")).toEqual(["zoe", "anne", "o", "hara"]);
    expect(wordsOfName(" 1 李 ")).toEqual([]);
    const northern = ["Bjørn", "Łukasz", "Þórður", "ĐORĐE", "Strauß", "Işıl", "Cæsar", "Œuvre", "Ǿ"];
    expect(northern.map(wordsOfName)).toEqual([["bjorn"], ["lukasz"], ["thordur"], ["dorde"], ["strauss"], ["isil"], ["caesar"], ["oeuvre"], ["o"]]);
  });

  test("sounds are compared as sounds, whichever letter makes them", () => {
    expect(distance(["K", "S"], ["K", "S"])).toBe(0);
    expect(distance(["K"], ["K", "S"])).toBe(1);
    expect(distance([], ["K", "S"])).toBe(2);
    expect(distance(["T", "AH", "S"], ["K", "AH", "Z", "T"])).toBe(3);
    const words = [
      { text: "ax", tags: ["AE", "K+S"] },
      { text: "is", tags: ["IH", "Z"] },
    ];
    const found = score(words, [
      ["AE+K", "S"],
      ["IH", "S"],
    ]);
    expect(found.words).toBe(0.5);
    expect(found.sounds).toBeCloseTo(0.8);
  });
});
