/** What a step did to a hidden state. */

import type { HiddenLayer } from "../engine.ts";

/** One number of the state, before and after a step. */
export interface Move {
  readonly unit: number;
  readonly from: number;
  readonly to: number;
}

/** The state after the token at `index`, of `layer.size` numbers; zeros before the first. */
export function stateAt(layer: HiddenLayer, index: number): Float32Array {
  return index < 0 ? new Float32Array(layer.size) : layer.states.subarray(index * layer.size, (index + 1) * layer.size);
}

/** The largest moves of the step at `index`, the largest first. */
export function largestMoves(layer: HiddenLayer, index: number, most: number): Move[] {
  const [before, after] = [stateAt(layer, index - 1), stateAt(layer, index)];
  const moves = Array.from(after, (to, unit) => ({ unit, from: before[unit] ?? 0, to }));
  return moves.sort((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from)).slice(0, most);
}

/** How many numbers of the state the step at `index` changed at all. */
export function changedCount(layer: HiddenLayer, index: number): number {
  const [before, after] = [stateAt(layer, index - 1), stateAt(layer, index)];
  return after.reduce((count, to, unit) => count + (to === before[unit] ? 0 : 1), 0);
}

/** What the decision at `index` weighed: for reading, and for skimming. */
export function logitsAt(layer: HiddenLayer, index: number): { readonly read: number; readonly skim: number } | null {
  const [read, skim] = layer.logits?.subarray(index * 2, index * 2 + 2) ?? [];
  return read === undefined || skim === undefined ? null : { read, skim };
}
