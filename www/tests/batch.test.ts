/** Batch without a browser: brackets, programs, and scores of what the engine reported of one (`crate/tests/cells/schedules.rs`). */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { messageOf, MOST } from "../src/batch/code/report.ts";
import { inWords } from "../src/batch/code/words.ts";
import { layoutOf } from "../src/batch/layout.ts";
import { BUCKET, groupsOf, padded } from "../src/batch/padding.ts";
import { drawn } from "../src/batch/places.ts";
import { programOf, RARE, type Step } from "../src/batch/program.ts";
import { scoreOf, strategies, wastedOf, type Report, type Strategy } from "../src/batch/schedule.ts";
import { Schedules } from "../src/batch/schedules.svelte.ts";
import { examples, why } from "../src/batch/scene/strings.ts";
import { linesOf, MOST_LETTERS, MOST_LINES, MOST_WORDS, plainOf, treeOf, treeOfHeads, wordsOf, type Tree } from "../src/batch/trees.ts";
import { fieldsOf, viewOf } from "../src/study/view.ts";
import record from "./fixtures/schedules.json";
import { noise } from "./noise.ts";

const reports = record.reports as unknown as Readonly<Record<Strategy, Report>>;
const known = (tree: Tree | string): Tree => {
  if (typeof tree === "string") throw new Error(tree);
  return tree;
};
const pair = (left: Tree, right: Tree): Tree => ({ parts: [left, right] });
const word = (word: string): Tree => ({ word });

describe("a sentence in brackets", () => {
  test("holds together what they enclose, and joins the rest from the left", () => {
    expect(treeOf("(a b) c d")).toEqual(pair(pair(pair(word("a"), word("b")), word("c")), word("d")));
    expect(treeOf("a (b c)")).toEqual(pair(word("a"), pair(word("b"), word("c"))));
    expect(treeOf("((((a))))()")).toEqual(word("a"));
    expect([treeOf(""), treeOf("( )"), treeOf("(a"), treeOf("a)"), treeOf(")(")]).toEqual(["empty", "empty", "unclosed", "unopened", "unopened"]);
  });

  test("whatever its tree, is read as it", () => {
    const random = noise(5);
    const any = (depth: number): Tree => (depth === 0 || random() < 0.3 ? word(`w${Math.floor(random() * 99)}`) : pair(any(depth - 1), any(depth - 1)));
    const written = (tree: Tree): string => ("word" in tree ? tree.word : `(${tree.parts.map(written).join(" ")})`);
    for (let n = 0; n < 200; n++) {
      const tree = any(5);
      if (wordsOf(tree).length <= MOST_WORDS) expect(treeOf(written(tree))).toEqual(tree);
    }
  });

  test("is read as far as there is room, and may be a thousand brackets deep", () => {
    expect(wordsOf(known(treeOf(Array(100).fill("word").join(" "))))).toHaveLength(MOST_WORDS);
    expect(treeOf(`${"(".repeat(1000)}a${")".repeat(1000)}`)).toEqual(word("a"));
  });

  test("has words of so many letters at most, and says so where one has more", () => {
    const long = `${"é".repeat(MOST_LETTERS - 1)}𝒳`;
    const [fits, cut] = [linesOf(`(a ${long})\nb`), linesOf(`(a ${long}yz)\nb`)];
    expect([fits.cut, cut.cut]).toEqual([false, true]);
    expect(cut.trees).toEqual(fits.trees);
    expect(cut.trees[0]).toEqual(pair(word("a"), word(long)));
    // What the parser is given, by which its tree is found.
    expect(plainOf(`(a ${long}yz)`)).toBe(`a ${long}`);
    // Of lines that are not shown nothing is said.
    expect(linesOf(`${"a\n".repeat(MOST_LINES)}${long}yz`).cut).toBe(false);
  });

  test("has so many words at most, and says so where one has more, as it is written or as the parser cuts it", () => {
    const line = (words: number) => Array(words).fill("word").join(" ");
    expect([line(MOST_WORDS), `(${line(MOST_WORDS)})`, line(MOST_WORDS + 1)].map((text) => linesOf(text).over)).toEqual([false, false, true]);
    expect([MOST_WORDS, MOST_WORDS + 1].map((words) => linesOf("don't", () => ({ tree: word("do"), words })).over)).toEqual([false, true]);
    expect(linesOf(`${"a\n".repeat(MOST_LINES)}${line(MOST_WORDS + 1)}`).over).toBe(false);
    // What the parser is given.
    expect(plainOf(line(10_000))).toBe(line(MOST_WORDS));
  });

  test("has its mistake said by its line; lines without words are none", () => {
    const { trees, mistakes, more } = linesOf("(a b\n\n  \nc d\n)\n");
    expect(trees).toEqual([pair(word("c"), word("d"))]);
    expect(mistakes).toEqual([{ line: 1, mistake: "unclosed" }, { line: 5, mistake: "unopened" }]);
    expect([more, linesOf("a\n".repeat(9)).more, linesOf("a\n".repeat(9)).trees.length]).toEqual([false, true, MOST_LINES]);
  });
});

describe("a program", () => {
  test("guesses at every node, after what it needs, and spells what is rare", () => {
    const rare = "r".repeat(RARE);
    const steps = programOf([known(treeOf(`a ${rare}`))]);
    const count = (kind: string) => steps.filter((step) => step.kind === kind).length;
    expect({ look: count("look"), letter: count("letter"), word: count("word"), join: count("join"), guess: count("guess") }).toEqual({
      look: 1 + RARE,
      letter: RARE - 1,
      word: 2,
      join: 1,
      guess: 3,
    });
    for (const [number, { needs }] of steps.entries()) for (const need of needs) expect(need).toBeLessThan(number);
    expect(steps.at(-1)).toMatchObject({ kind: "guess", text: `a ${rare}` });
  });

  test("of the page's own sentences is the one that was recorded", () => {
    expect(programOf(examples.map((sentence) => known(treeOf(sentence))))).toEqual(record.program);
  });
});

describe("a schedule, as the engine reported it", () => {
  const program = record.program as readonly Step[];

  test("runs every step once, with its like, after what it needs, and in no fewer launches than the bound", () => {
    for (const strategy of strategies) {
      const report = reports[strategy];
      const { notes, rows } = scoreOf(program, report);
      expect(report.launches.flatMap(({ nodes }) => nodes).sort((a, b) => a - b)).toEqual(program.map((_, step) => step));
      for (const { nodes } of report.launches) expect(new Set(nodes.map((node) => program[node]?.kind)).size).toBe(1);
      for (const [step, { needs }] of program.entries()) {
        for (const need of needs) expect(notes[need]?.launch).toBeLessThan(notes[step]?.launch ?? -1);
      }
      expect(rows.reduce((sum, row) => sum + row.launches, 0)).toBe(report.launches.length);
      expect(report.launches.length).toBeGreaterThanOrEqual(report.lowerBound);
    }
    expect(new Set(strategies.map((strategy) => reports[strategy].lowerBound)).size).toBe(1);
    expect(reports.levels.launches).toHaveLength(reports.levels.lowerBound);
    expect(reports.unbatched.launches).toHaveLength(program.length);
    expect(reports.agenda.launches.length).toBeGreaterThan(reports.levels.launches.length);
  });

  test("says of every launch but the first of its kind why it is one of its own", () => {
    for (const strategy of strategies) {
      const seen = new Set<string>();
      for (const { nodes, split, alone } of reports[strategy].launches) {
        const kind = program[nodes[0] ?? -1]?.kind ?? "";
        expect(split === null).toBe(!seen.has(kind));
        expect(alone === null).toBe(nodes.length > 1);
        seen.add(kind);
      }
    }
  });

  test("has every reason told in the page's own words", () => {
    const all = strategies.flatMap((strategy) => reports[strategy].launches);
    const told = [...all.flatMap(({ alone }) => (alone === null ? [] : [why.alone(alone)])), ...all.flatMap(({ split }) => (split === null ? [] : [why.split(split)]))];
    expect(new Set(told).size).toBeGreaterThan(4);
    for (const words of told) expect(words).not.toMatch(/NaN|is alone:|is apart:/);
  });

  test("is drawn with every note in the column of its launch and the row of its kind, none upon another, at any width", () => {
    for (const strategy of strategies) {
      for (const width of [240, 320, 640, 1400]) {
        const report = reports[strategy];
        const layout = layoutOf({ program, sentences: examples.length, report, launches: 0, width });
        const taken = new Set<string>();
        for (const { kind, launch, score, tree } of layout.marks) {
          const row = layout.rows.find((row) => row.kind === kind);
          const from = layout.left + layout.column * launch;
          expect(score.x).toBeGreaterThan(from);
          expect(score.x).toBeLessThan(from + layout.column);
          expect(score.y).toBeGreaterThan(row?.top ?? Infinity);
          expect(score.y).toBeLessThan(row?.bottom ?? 0);
          expect(tree.y).toBeLessThan(layout.top);
          taken.add(`${score.x.toFixed(2)} ${score.y.toFixed(2)}`);
        }
        expect(taken.size).toBe(program.length);
        expect(layout.left + layout.column * report.launches.length).toBeLessThanOrEqual(width);
      }
    }
  });

  test("stays within its width, however long its sentences and words are, and stands as ever where there is room", () => {
    const words = Array.from({ length: MOST_WORDS }, (_, at) => (at === 20 ? "w".repeat(MOST_LETTERS) : `word${at}`));
    for (const sentences of [[words.join(" ")], ["a b c", words.join(" "), "d"], [words[20] ?? ""], ["漢".repeat(MOST_LETTERS)]]) {
      const program = programOf(sentences.map((sentence) => known(treeOf(sentence))));
      const report = padded(program, groupsOf(program, sentences.length, false));
      for (const width of [240, 358, 640, 1400]) {
        const { marks } = layoutOf({ program, sentences: sentences.length, report, launches: 0, width });
        for (const { kind, tree } of marks) expect(tree.x, `${width} ${kind}`).toBeLessThanOrEqual(width - 3);
      }
    }
    const few = programOf([known(treeOf("a b c"))]);
    const { marks } = layoutOf({ program: few, sentences: 1, report: padded(few, groupsOf(few, 1, false)), launches: 0, width: 240 });
    expect(marks.flatMap(({ kind, tree }) => (kind === "join" ? [tree.x] : []))).toEqual([24 + 22 + 18, 24 + 22 + 36]);
  });

  test("leaves every word the room that its characters take, and its letters theirs", () => {
    // In the page's type of 13 px.
    for (const [word, widest] of [["unforgettable", 7], ["UNFORGETTABLE", 9.5], ["漢字仮名交", 13], ["ひらがなカタカナ", 13], ["한국어", 13], ["ＡＢＣ", 13], ["🎬🎬🎬", 13]] as const) {
      const program = programOf([{ word }]);
      const { marks } = layoutOf({ program, sentences: 1, report: padded(program, groupsOf(program, 1, false)), launches: 0, width: 640 });
      const room = widest * [...word].length;
      expect(marks.find(({ kind }) => kind === "word")?.tree.x, word).toBeGreaterThan(room);
      if (marks.some(({ kind }) => kind === "letter")) expect(Math.max(...marks.flatMap(({ kind, tree }) => (kind === "letter" ? [tree.x] : []))), word).toBeGreaterThan(room - widest);
    }
  });

  test("leaves room for the longest that it is compared with, so that the bound stays where it is", () => {
    const room = reports.depth.launches.length;
    const columns = (["depth", "agenda", "levels"] as const).map((strategy) => layoutOf({ program, sentences: 4, report: reports[strategy], launches: room, width: 700 }).column);
    expect(new Set(columns).size).toBe(1);
  });
});

describe("schedules of what is typed", () => {
  const found = (at: number) => ({ lowerBound: at, launches: [] });
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const program = programOf(examples.map((line) => known(treeOf(line))));

  test("are made at once at first, and then of the last of what was typed alone", async () => {
    const explain = vi.fn(async (program: readonly Step[]) => found(program.length));
    const schedules = new Schedules(explain);
    schedules.look(program, 4);
    await vi.advanceTimersByTimeAsync(0);
    expect([schedules.found?.program === program, explain.mock.calls.length]).toEqual([true, strategies.length]);
    const typed = [1, 2, 3].map((length) => program.slice(0, length));
    for (const each of typed) {
      schedules.look(each, 1);
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(100);
    expect([schedules.found?.program === typed[2], explain.mock.calls.length]).toEqual([true, 2 * strategies.length]);
  });

  test("end with the strategy under way when there is something else to look at, and are made again after a failure", async () => {
    const go: (() => void)[] = [];
    const explain = vi.fn(() => new Promise<Report>((resolve) => go.push(() => resolve(found(1)))));
    const schedules = new Schedules(explain);
    schedules.look(program, 4);
    await vi.advanceTimersByTimeAsync(0);
    schedules.stop();
    go[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect([schedules.found, explain.mock.calls.length]).toEqual([null, 1]);
    explain.mockRejectedValueOnce(new Error("lost"));
    schedules.look(program, 4);
    await vi.advanceTimersByTimeAsync(0);
    expect(schedules.failure?.message).toBe("lost");
    explain.mockResolvedValue(found(1));
    schedules.look(program, 4);
    await vi.advanceTimersByTimeAsync(0);
    expect([schedules.failure, schedules.found?.program]).toEqual([null, program]);
  });
});

describe("batches made by hand", () => {
  const treesOf = (...lines: string[]) => programOf(lines.map((line) => known(treeOf(line))));
  const waste = (program: readonly Step[], sentences: number, bucketed = false) => wastedOf(padded(program, groupsOf(program, sentences, bucketed)));

  test("compute of every kind and level as many cells a sentence as the largest has there", () => {
    // A word and a chain of three: 2 look-ups, 2 words, 2 joins and 4 guesses are wasted on the first.
    expect(waste(treesOf("a", "a b c"), 2)).toBe(2 + 2 + 2 + 4);
    expect(waste(treesOf("(a b) c", "d e f"), 2)).toBe(0);
    // A balanced tree has two joins at once, and a chain of as many words three levels of one.
    expect(waste(treesOf("(a b) (c d)", "a b c d"), 2)).toBe(1 + 1);
  });

  test("run every step once, after what it needs, in as many launches as the bound if all sentences are one group", () => {
    const random = noise(7);
    const any = (depth: number): string => (depth === 0 || random() < 0.3 ? "w".repeat(1 + Math.floor(random() * 12)) : `(${any(depth - 1)} ${any(depth - 1)})`);
    for (let n = 0; n < 50; n++) {
      const program = treesOf(...Array.from({ length: 5 }, () => any(4)));
      for (const bucketed of [false, true]) {
        const report = padded(program, groupsOf(program, 5, bucketed));
        const { notes } = scoreOf(program, report);
        expect(report.launches.flatMap(({ nodes }) => nodes).sort((a, b) => a - b)).toEqual(program.map((_, step) => step));
        for (const [step, { needs }] of program.entries()) for (const need of needs) expect(notes[need]?.launch).toBeLessThan(notes[step]?.launch ?? -1);
        if (!bucketed) expect(report.launches).toHaveLength(report.lowerBound);
        else expect(report.launches.length).toBeGreaterThanOrEqual(report.lowerBound);
      }
    }
  });

  test("sort sentences by length into buckets, which waste less", () => {
    const program = treesOf("a b c d e f", "a", "b", "a b c d e");
    expect(groupsOf(program, 4, true)).toEqual([[1, 2], [3, 0]]);
    expect(BUCKET).toBe(2);
    expect(waste(program, 4, true)).toBeLessThan(waste(program, 4));
    expect([groupsOf([], 0, true), groupsOf([], 0, false)]).toEqual([[], []]);
  });

  test("have the bound that the engine gives", () => {
    const program = record.program as readonly Step[];
    expect(padded(program, groupsOf(program, examples.length, false)).lowerBound).toBe(reports.levels.lowerBound);
  });

  test("are drawn with what is wasted above what is not", () => {
    const program = treesOf("a", "a b c");
    const report = padded(program, groupsOf(program, 2, false));
    const { marks, crossed } = layoutOf({ program, sentences: 2, report, launches: 0, width: 640 });
    expect(crossed).toHaveLength(wastedOf(report));
    const places = [...marks.map(({ score }) => score), ...crossed].map(({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`);
    expect(new Set(places).size).toBe(places.length);
  });
});

test("a tree has a line for each word, and what is joined stands further right, between its parts", () => {
  const program = programOf([known(treeOf("(a b) (c d)"))]);
  const [tree] = drawn(program, 1);
  expect(tree?.words).toEqual(["a", "b", "c", "d"]);
  const joins = program.flatMap(({ kind }, step) => (kind === "join" ? [tree?.places.get(step)] : []));
  expect(joins.map((place) => [place?.line, place?.right])).toEqual([[0.5, 1], [2.5, 1], [1.5, 2]]);
  expect(tree?.height).toBe(2);
});

describe("a tree of words that depend on one another", () => {
  const grown = (text: string, heads: readonly (number | null)[]) => treeOfHeads(text.split(" ").map((text, at) => ({ text, head: heads[at] ?? null })));

  test("puts a word together with what is behind it and then with what is before it, the nearest first", () => {
    expect(grown("she saw him there", [1, null, 1, 1])).toEqual(treeOf("(she ((saw him) there))"));
    expect(grown("the old man sleeps", [2, 2, 3, null])).toEqual(treeOf("((the (old man)) sleeps)"));
    expect(grown("yes", [null])).toEqual({ word: "yes" });
    expect(grown("", [])).toEqual({ word: "" });
    expect(treeOfHeads([])).toBeNull();
  });

  test("joins sentences from the left, keeps the order of the words, and has as many as are read", () => {
    expect(grown("go . stop .", [null, 0, null, 2])).toEqual(treeOf("((go .) (stop .))"));
    const many = Array.from({ length: 100 }, (_, at) => ({ text: `w${at}`, head: at === 0 ? null : at - 1 }));
    expect(wordsOf(treeOfHeads(many) as Tree)).toEqual(many.slice(0, MOST_WORDS).map(({ text }) => text));
    const behind = Array.from({ length: 100 }, (_, at) => ({ text: `w${at}`, head: at === 99 ? null : at + 1 }));
    expect(wordsOf(treeOfHeads(behind) as Tree)).toEqual(behind.slice(0, MOST_WORDS).map(({ text }) => text));
  });

  test("is asked for without brackets", () => {
    expect(plainOf(" ((the  film) (is good)) ")).toBe("the film is good");
  });
});

test("a link carries a program as it was written, unless it is too long for one", () => {
  for (const code of ["return 1;\n\t`${a}` && \"b\" // ö & %20 #", ""]) {
    expect(viewOf(new URLSearchParams(String(fieldsOf({ code })))).code).toBe(code);
  }
  expect(viewOf(fieldsOf({ code: "x".repeat(3001) }))).toEqual({});
  expect(viewOf(new URLSearchParams({ code: "x".repeat(3001) }))).toEqual({});
});

test("what a program gives is shown as it is, also numbers that JSON has not", () => {
  expect([[1, NaN], { a: -Infinity }, Float32Array.of(Infinity, 0.5), NaN, "NaN", ["NaN"], undefined].map(inWords)).toEqual([
    "[1,NaN]", '{"a":-Infinity}', "[Infinity,0.5]", "NaN", "NaN", '["NaN"]', "undefined",
  ]);
  const around: unknown[] = [];
  around.push(around);
  expect(inWords(around)).toBe(String(around));
});

describe("what a program in the sandbox tells", () => {
  const launch = { op: "join", lanes: 3, alone: null, split: null };
  const ran = { type: "ran", launches: [launch], count: 1, nodes: 3, lowerBound: 1, graph: 1 };

  test("is taken as it is expected", () => {
    expect(messageOf(ran)).toEqual(ran);
    expect(messageOf({ type: "failed", message: "no", line: 4, more: 1 })).toEqual({ type: "failed", message: "no", line: 4 });
    expect(messageOf({ type: "ended", text: "x".repeat(1e6) })).toEqual({ type: "ended", text: `${"x".repeat(MOST.characters - 1)}…` });
  });

  test("is no message of any other shape or size", () => {
    for (const found of [null, 5, "ended", [], {}, { type: "open" }, { ...ran, nodes: -1 }, { ...ran, count: 0.5 }, { ...ran, lowerBound: NaN }, { ...ran, launches: {} }]) expect(messageOf(found)).toBeNull();
    for (const odd of [null, { ...launch, lanes: Infinity }, { ...launch, lanes: 1e9 }, { ...launch, op: { toString: () => "join" } }]) expect(messageOf({ ...ran, launches: [odd] })).toBeNull();
    const many = messageOf({ ...ran, launches: Array(1e5).fill(launch) });
    expect(many?.type === "ran" && many.launches.length).toBe(MOST.launches);
  });
});
