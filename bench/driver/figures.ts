/** What the tables and the picture show of a run, computed once for both. */

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
  /** The limit over its time, round by round; on the CPU alone. */
  readonly share: Spread | null;
}

/** A case on a device. */
export interface Row {
  readonly case: CaseResult["case"];
  readonly limit: Spread | null;
  readonly figures: readonly Figure[];
  readonly target: number;
  /** Whether the target is reached, by ratio or by share; null where it cannot be told. */
  readonly reached: boolean | null;
}

/** The rows of a device: those of cases in which it has a contestant. */
export function rows(cases: readonly CaseResult[], device: "cpu" | "webgpu"): Row[] {
  return cases.flatMap((result) => {
    const entries = result.entries.filter(({ contestant }) => deviceOf(contestant) === device);
    return entries.length === 0 ? [] : [row(result, entries, device)];
  });
}

function row(result: CaseResult, entries: readonly Entry[], device: "cpu" | "webgpu"): Row {
  const base = entries.find(({ contestant }) => contestant.startsWith(ours));
  const figures = entries.map((entry): Figure => ({
    entry,
    ms: spread(entry.samples.filter((ms) => ms !== null)),
    ratio: base && base !== entry ? spread(ratios(entry.samples, base.samples)) : null,
    share: device === "cpu" ? spread(ratios(result.limits, entry.samples)) : null,
  }));
  const aim = target(result.case, device);
  const of = (library: string) => figures.find(({ entry }) => entry.contestant.startsWith(library));
  const ratio = of(rival)?.ratio?.median;
  const share = of(ours)?.share?.median ?? 0;
  return {
    case: result.case,
    limit: device === "cpu" ? spread(result.limits) : null,
    figures,
    target: aim,
    reached: ratio === undefined ? null : ratio >= aim || share >= SHARE,
  };
}

/** The contestants of some rows, in the order of the tables. */
export function contestants(rows: readonly Row[]): Name[] {
  return [...new Set(rows.flatMap(({ figures }) => figures.map(({ entry }) => entry.contestant)))];
}

const titles: Readonly<Record<string, string>> = { saccade: "Saccade", ort: "onnxruntime-web", tfjs: "TensorFlow.js" };
const details: Readonly<Record<string, string>> = { wasm: "wasm", cpu: "wasm", webgpu: "WebGPU", simd: "wasm, simd128 only" };

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
