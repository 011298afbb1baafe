/** What the tables and the picture show of a run, computed once for both. */

import { fastest, limit } from "../roofline/limit.ts";
import type { Case } from "../shared/workloads.ts";
import { deviceOf, type Name } from "./options.ts";
import type { CaseResult, Entry } from "./rounds.ts";
import { ratios, type Spread, spread } from "./statistics.ts";
import { SHARE, target } from "./targets.ts";

/** The library of a contestant's name: what others are held against is ours. */
export const ours = "saccade";
/** Whom the targets are about. */
export const rival = "ort";

/** A contestant in one case. */
export interface Figure {
  readonly entry: Entry;
  /** Milliseconds of a call; null if it did not take part. */
  readonly ms: Spread | null;
  /** How many times what ours took, round by round; null for ours and where either is missing. */
  readonly ratio: Spread | null;
  /** The case's limit over its time; on the CPU alone. */
  readonly share: Spread | null;
  /** Both between fastest turns: where others use the machine, these tell most of the programs. */
  readonly atBest: { readonly ratio: number | null; readonly share: number | null };
}

/** A case on a device. */
export interface Row {
  readonly case: Case;
  /** Milliseconds of its matrix products at the fastest rates of the run; on the CPU alone. */
  readonly limit: number | null;
  readonly figures: readonly Figure[];
  readonly target: number;
  /**
   * Whether the target is reached, by ratio, or by share of a limit that neither of the two passed; null where it cannot be told, as of
   * who did not take part to the end.
   */
  readonly reached: boolean | null;
}

/** The rows of a device: those of cases in which it has a contestant. */
export function rows(cases: readonly CaseResult[], device: "cpu" | "webgpu"): Row[] {
  const rates = device === "cpu" ? fastest(cases.flatMap((result) => result.rates)) : null;
  return cases.flatMap((result) => {
    const entries = result.entries.filter(({ contestant }) => deviceOf(contestant) === device);
    return entries.length === 0 ? [] : [row(result.case, entries, device, rates && limit(result.case, rates))];
  });
}

function row(work: Case, entries: readonly Entry[], device: "cpu" | "webgpu", bound: number | null): Row {
  const base = entries.find(({ contestant }) => contestant.startsWith(ours));
  const times = (entry: Entry) => spread(entry.samples.filter((ms) => ms !== null));
  const least = base && times(base)?.least;
  const figures = entries.map((entry): Figure => {
    const ms = times(entry);
    const held = base && base !== entry;
    return {
      entry,
      ms,
      ratio: held ? spread(ratios(entry.samples, base.samples)) : null,
      share: bound === null ? null : spread(entry.samples.flatMap((ms) => (ms === null ? [] : [bound / ms]))),
      atBest: { ratio: held && ms && least ? ms.least / least : null, share: bound && ms && bound / ms.least },
    };
  });
  const aim = target(work, device);
  const [theirs, mine] = [rival, ours].map((library) => figures.find(({ entry }) => entry.contestant.startsWith(library)));
  const whole = [theirs, mine].every((found) => !found?.entry.reason);
  const ratio = whole ? theirs?.ratio?.median : undefined;
  const share = mine?.share?.median ?? 0;
  const passed = [theirs, mine].some((found) => (found?.atBest.share ?? 0) > 1);
  return {
    case: work,
    limit: bound,
    figures,
    target: aim,
    reached: ratio === undefined ? null : ratio >= aim || (share >= SHARE && !passed),
  };
}

/** The contestants of some rows, in the order of the tables. */
export function contestants(rows: readonly Row[]): Name[] {
  return [...new Set(rows.flatMap(({ figures }) => figures.map(({ entry }) => entry.contestant)))];
}

const titles: Readonly<Record<string, string>> = { saccade: "Saccade", before: "Saccade before,", ort: "onnxruntime-web", tfjs: "TensorFlow.js" };
const details: Readonly<Record<string, string>> = { wasm: "wasm", cpu: "wasm", webgpu: "WebGPU", simd: "wasm, simd128 only", bf16: "wasm, 16-bit weights" };

/** A contestant's name for readers; a model keeps its own. */
export function title(name: string): string {
  const [library = "", ...rest] = name.split("-");
  const detail = rest.map((word) => details[word] ?? word).join(", ");
  return titles[library] ? `${titles[library]} ${detail}` : name;
}

/** A number in three significant digits. */
export function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
