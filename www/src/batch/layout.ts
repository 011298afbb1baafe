/** Where everything stands in the drawing: the trees in blocks from left to right, below them the score. In units. */

import { drawn } from "./places.ts";
import type { Kind, Step } from "./program.ts";
import { scoreOf, type Report, type Row } from "./schedule.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A mark in its tree and in the score, where it may be smaller. */
export interface Mark {
  readonly step: number;
  readonly kind: Kind;
  readonly launch: number;
  readonly tree: Point;
  readonly score: Point;
  readonly scale: number;
}

export interface Layout {
  readonly height: number;
  readonly words: readonly (Point & { readonly text: string })[];
  /** Lines from what is needed to what needs it. */
  readonly edges: readonly { readonly from: Point; readonly to: Point }[];
  readonly marks: readonly Mark[];
  /** In the score, cells that no sentence needs. */
  readonly crossed: readonly (Point & { readonly scale: number; readonly launch: number })[];
  readonly rows: readonly (Row & { readonly top: number; readonly bottom: number })[];
  /** Where the score begins, upwards and to the left, and how wide a launch is. */
  readonly top: number;
  readonly left: number;
  readonly column: number;
}

/** What is drawn, and the room there is for it. */
export interface Drawing {
  readonly program: readonly Step[];
  readonly sentences: number;
  readonly report: Report;
  /** There is to be room for so many launches, at least those of the report. */
  readonly launches: number;
  readonly width: number;
}

/** Where the name of an axis begins that has room from `left` on, in a drawing so wide: where all of it is seen. */
export const axisAt = (left: number, width: number): number => Math.max(0, Math.min(left, width - AXIS));
const AXIS = 190;

/** A line, the widest step to the right, from a word's text to its node, and between sentences. */
const [LINE, STEP, WORD, GAP] = [30, 18, 22, 30];
/** A character, a capital, and one as wide as it is high. */
const [CHARACTER, CAPITAL, FULL] = [7.4, 10, 13.5];
const full = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Extended_Pictographic}\u3000-\u303f\uff01-\uff60]/u;
/** What stands before the score, the widest column, the largest note, and the highest row. */
const [LEFT, COLUMN, NOTE, ROW] = [92, 34, 8, 120];

/** About how wide a word is. */
const widthOf = (word: string): number =>
  [...word].reduce((sum, character) => sum + (full.test(character) ? FULL : /\p{Lu}/u.test(character) ? CAPITAL : CHARACTER), 0);

export function layoutOf({ program, sentences, report, launches, width }: Drawing): Layout {
  const words: (Point & { text: string })[] = [];
  const places = new Map<number, Point>();
  let [x, y, lowest] = [0, 0, 0];
  for (const { places: own, words: lines, height } of drawn(program, sentences)) {
    const widths = lines.map((word) => Math.min(widthOf(word), width - WORD - STEP));
    const letters = lines.map((word, line) => (widths[line] ?? 0) / [...word].length);
    const text = Math.max(24, ...widths);
    // A tree that is higher than there is room for is drawn narrower.
    const pace = Math.min(STEP, Math.max(0, width - text - WORD - STEP) / Math.max(1, height));
    const wide = text + WORD + pace * height + STEP;
    if (x > 0 && x + wide > width) [x, y] = [0, lowest + GAP];
    for (const [line, word] of lines.entries()) words.push({ x, y: y + LINE * (line + 0.5), text: word });
    for (const [step, { line, right, spelt }] of own) {
      const kind = program[step]?.kind;
      const middle = y + LINE * (line + 0.5);
      const state = x + text + WORD + pace * right;
      if (spelt) places.set(step, { x: x + 3 + (letters[line] ?? 0) * right, y: middle + (kind === "look" ? 9 : 15) });
      else if (kind === "look") places.set(step, { x: x + text + 8, y: middle });
      else if (kind === "guess") places.set(step, { x: state + 8, y: middle - 7 });
      else places.set(step, { x: state, y: middle });
    }
    lowest = Math.max(lowest, y + LINE * lines.length);
    x += wide + GAP;
  }
  const at = (step: number): Point => places.get(step) ?? { x: 0, y: 0 };
  const edges = program.flatMap(({ kind, needs }, step) => (kind === "join" || kind === "word" ? needs.map((need) => ({ from: at(need), to: at(step) })) : []));

  const { rows: all, notes } = scoreOf(program, report);
  const column = Math.min(COLUMN, (width - LEFT - 8) / Math.max(1, launches, report.launches.length));
  /** Notes of a launch stand side by side as far as there is room. */
  const beside = Math.max(1, Math.floor((column - 2) / NOTE));
  const top = lowest + 2 * GAP;
  let below = top;
  const rows = all.map((row) => {
    const from = below;
    below += 12 + Math.min(ROW, NOTE * Math.ceil(row.most / beside));
    return { ...row, top: from, bottom: below };
  });
  /** Where a row of the score has a launch's cell of that number, and how large. */
  const noteAt = (row: number, launch: number, note: number) => {
    const { bottom, most } = rows[row] ?? { bottom: top, most: 1 };
    const each = Math.min(NOTE, ROW / Math.ceil(most / beside));
    const middle = LEFT + column * (launch + 0.5);
    const x = middle + NOTE * ((note % beside) - (beside - 1) / 2);
    return { x, y: bottom - 4 - each * (Math.floor(note / beside) + 0.5), scale: Math.min(0.75, each / 10, column / 10) };
  };
  const marks = program.map(({ kind }, step): Mark => {
    const { launch, row, at: note } = notes[step] ?? { launch: 0, row: 0, at: 0 };
    const { x, y, scale } = noteAt(row, launch, note);
    return { step, kind, launch, tree: at(step), score: { x, y }, scale };
  });
  const crossed = report.launches.flatMap(({ nodes, wasted = 0 }, launch) => {
    const row = notes[nodes[0] ?? -1]?.row ?? 0;
    return Array.from({ length: wasted }, (_, cell) => ({ ...noteAt(row, launch, nodes.length + cell), launch }));
  });
  return { height: below + 34, words, edges, marks, crossed, rows, top, left: LEFT, column };
}
