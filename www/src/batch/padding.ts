/**
 * Batches as one makes them by hand: every sentence is given one shape, the smallest into which all of a group fit, and a mask
 * throws away what a sentence has not.
 */

import { kinds, type Step } from "./program.ts";
import type { Launch, Report } from "./schedule.ts";

/** So many sentences, sorted by their length, share a shape in buckets. */
export const BUCKET = 2;

/** Of each step, how many steps of its own kind the longest path to it has, itself included. */
function levelsOf(program: readonly Step[]): number[] {
  /** Of each step and kind, the most steps of that kind on one path that ends there. */
  const longest: number[][] = [];
  return program.map(({ kind, needs }, step) => {
    const own = kinds.map((of, at) => Math.max(0, ...needs.map((need) => longest[need]?.[at] ?? 0)) + (of === kind ? 1 : 0));
    longest[step] = own;
    return own[kinds.indexOf(kind)] ?? 0;
  });
}

/** Sentences in groups: all in one, or sorted by their number of steps and cut into buckets. */
export function groupsOf(program: readonly Step[], sentences: number, bucketed: boolean): number[][] {
  const all = Array.from({ length: sentences }, (_, sentence) => sentence);
  if (!bucketed) return sentences > 0 ? [all] : [];
  const steps = all.map((sentence) => program.filter((step) => step.sentence === sentence).length);
  const sorted = all.sort((a, b) => (steps[a] ?? 0) - (steps[b] ?? 0));
  return Array.from({ length: Math.ceil(sentences / BUCKET) }, (_, at) => sorted.slice(at * BUCKET, (at + 1) * BUCKET));
}

/**
 * The launches of groups, one after the other: a launch for each kind and level, in which every sentence of the group computes as
 * many cells as the one that has the most there.
 */
export function padded(program: readonly Step[], groups: readonly (readonly number[])[]): Report {
  const levels = levelsOf(program);
  /** Steps by kind, level and sentence. */
  const table = kinds.map((): number[][][] => []);
  for (const [step, { kind, sentence }] of program.entries()) {
    const row = ((table[kinds.indexOf(kind)] ??= [])[(levels[step] ?? 1) - 1] ??= []);
    (row[sentence] ??= []).push(step);
  }
  const launches = groups.flatMap((group) =>
    table.flatMap((ofKind) =>
      ofKind.flatMap((ofLevel): Launch[] => {
        const cells = group.map((sentence) => ofLevel[sentence] ?? []);
        const nodes = cells.flat();
        const wasted = group.length * Math.max(...cells.map(({ length }) => length)) - nodes.length;
        return nodes.length > 0 ? [{ nodes, alone: null, split: null, wasted }] : [];
      }),
    ),
  );
  return { lowerBound: table.reduce((sum, ofKind) => sum + ofKind.length, 0), launches };
}
