/** Of a program that ran, by the engine's schedules or by hand: which of its steps ran together, and why not more. */

import { kinds, type Kind, type Step } from "./program.ts";

export const strategies = ["unbatched", "depth", "agenda", "levels"] as const;
/** In what order the engine ran what was ready. */
export type Strategy = (typeof strategies)[number];

/** How people batch by hand: all sentences padded to one shape, or sorted by length and padded in buckets. */
export const byHand = ["padded", "buckets"] as const;
/** How a program is batched. */
export type Way = Strategy | (typeof byHand)[number];
export const ways: readonly Way[] = [...strategies, ...byHand];

export const isByHand = (way: Way): way is (typeof byHand)[number] => byHand.some((known) => known === way);

/** Steps that ran as one kernel call. */
export interface Launch {
  /** The numbers of the steps. */
  readonly nodes: readonly number[];
  /** Of a step that ran by itself, why, as the engine says it. */
  readonly alone: string | null;
  /** Why they did not run in the launch before of their kind, likewise. */
  readonly split: string | null;
  /** Cells that it computes beside its steps and that no sentence needs; absent where there are none. */
  readonly wasted?: number;
}

/** All launches, in their order. */
export interface Report {
  /** No order needs fewer launches. */
  readonly lowerBound: number;
  readonly launches: readonly Launch[];
}

/** Cells that a report's launches compute for nothing. */
export const wastedOf = ({ launches }: Report): number => launches.reduce((sum, { wasted = 0 }) => sum + wasted, 0);

/** Runs a program on the engine and asks it for its report. */
export type Explain = (program: readonly Step[], strategy: Strategy) => Promise<Report>;

/** Where a step stands in the score: its launch, its kind's row, and which of the launch's steps it is. */
export interface Note {
  readonly launch: number;
  readonly row: number;
  readonly at: number;
}

/** A row of the score. */
export interface Row {
  readonly kind: Kind;
  /** The most cells that one launch has here. */
  readonly most: number;
  /** How many launches it took. */
  readonly launches: number;
}

/** A schedule as a score: a row for each kind of step that there is, a column for each launch. */
export interface Score {
  readonly rows: readonly Row[];
  /** Of every step its note. */
  readonly notes: readonly Note[];
}

export function scoreOf(program: readonly Step[], { launches }: Report): Score {
  const kindOf = ({ nodes }: Launch) => program[nodes[0] ?? -1]?.kind;
  const rows = kinds.flatMap((kind): Row[] => {
    const own = launches.filter((launch) => kindOf(launch) === kind);
    return own.length > 0 ? [{ kind, most: Math.max(...own.map(({ nodes, wasted = 0 }) => nodes.length + wasted)), launches: own.length }] : [];
  });
  const notes: Note[] = Array.from(program, () => ({ launch: -1, row: -1, at: -1 }));
  for (const [number, launch] of launches.entries()) {
    const row = rows.findIndex(({ kind }) => kind === kindOf(launch));
    for (const [at, node] of launch.nodes.entries()) notes[node] = { launch: number, row, at };
  }
  return { rows, notes };
}
