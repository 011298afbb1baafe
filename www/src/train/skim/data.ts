/** What a network learns from: texts with labels, some of which it is only asked about. */

import { abridged } from "../../frame/format.ts";
import type { NoText } from "../shared/file.ts";
import { pick, random } from "../shared/random.ts";
import { opinions, type Opinion } from "./opinions.ts";

export interface Rows {
  readonly train: readonly Opinion[];
  /** Not learned from: what it makes of these is what counts. */
  readonly dev: readonly Opinion[];
  /** Those of `dev` that are shown, or their beginnings. */
  readonly shown: readonly Opinion[];
  /** The labels that occur. */
  readonly labels: readonly string[];
}

/** A line of a file that is no text with a label. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
}

/** What became of a file: what is learned of it, and how many texts it has; or why there is nothing. */
export type Taken = { readonly rows: Rows; readonly texts: number } | { readonly mistakes: readonly Mistake[]; readonly reason: Reason };
/** Why a file cannot be learned from. */
export type Reason = NoText | "lines" | "few" | "label";

const [TRAIN, DEV, SHOWN] = [800, 200, 10];
/** Of a file of the visitor's: the most texts that are taken, those of them that are asked about, characters that are shown of a text, and the fewest lines. */
export const LIMITS = { lines: 20_000, dev: 500, letters: 140, fewest: 40 };

function rowsOf(train: readonly Opinion[], dev: readonly Opinion[], shown: readonly Opinion[]): Rows {
  return { train, dev, shown, labels: [...new Set([...train, ...dev].map(({ label }) => label))].sort() };
}

let own: Rows | null = null;

/** The page's own sentences: the same object each time, by which they are known. */
export function ownRows(): Rows {
  if (own) return own;
  const all = opinions(TRAIN + DEV, 1);
  const dev = all.slice(TRAIN);
  return (own = rowsOf(all.slice(0, TRAIN), dev, dev.slice(0, SHOWN)));
}

/** The lines of a file, each a label, a tab (or a space) and a text. */
export function fileRows(content: string): Taken {
  const [all, mistakes]: [Opinion[], Mistake[]] = [[], []];
  for (const [at, line] of content.replace(/^\uFEFF/, "").split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [, label, text] = /^([^\t]+)\t+(.*\S)/.exec(line) ?? /^(\S+) +(.*\S)/.exec(line) ?? [];
    if (label === undefined || text === undefined) mistakes.push({ line: at + 1 });
    else all.push({ label: label.trim(), text });
  }
  if (mistakes.length > 0) return { mistakes, reason: "lines" };
  if (all.length < LIMITS.fewest) return { mistakes, reason: "few" };
  const taken = some(all, LIMITS.lines);
  const dev = some(taken, Math.min(LIMITS.dev, Math.floor(taken.length / 5)));
  const isDev = new Set(dev);
  const train = taken.filter((row) => !isDev.has(row));
  const known = new Set(train.map(({ label }) => label));
  if (known.size < 2) return { mistakes, reason: "label" };
  const asked = dev.filter(({ label }) => known.has(label));
  return { rows: rowsOf(train, asked, spread(asked)), texts: all.length };
}

/** So many of the texts, if there are as many: of each stretch one, by lot. Files are sorted, or their labels take turns. */
function some(all: readonly Opinion[], most: number): Opinion[] {
  const [draw, count] = [random(1), Math.min(most, all.length)];
  const from = (stretch: number) => Math.floor((stretch * all.length) / count);
  return Array.from({ length: count }, (_, at) => pick(draw, all.slice(from(at), from(at + 1))));
}

/** Some of the texts, of all labels in turn, and of each the short ones first. */
function spread(dev: readonly Opinion[]): Opinion[] {
  const isShort = ({ text }: Opinion) => text.length <= LIMITS.letters;
  const ordered = [...dev.filter(isShort), ...dev.filter((row) => !isShort(row))];
  const lists = [...new Set(ordered.map(({ label }) => label))].map((label) => ordered.filter((row) => row.label === label));
  const found: Opinion[] = [];
  for (let at = 0; found.length < SHOWN && lists.some((list) => at < list.length); at++) {
    for (const list of lists) found.push(...list.slice(at, at + 1));
  }
  return found.slice(0, SHOWN).map(({ text, label }) => ({ text: beginning(text), label }));
}

/** A text if it is short, else its first words. */
function beginning(text: string): string {
  const cut = abridged(text, LIMITS.letters);
  return cut === text ? text : cut.replace(/\s+\S*…$/, " …");
}
