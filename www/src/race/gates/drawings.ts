/** Where the parts of each cell are drawn, and which numbers flow through them. */

import type { CellKind, Gate, State, Step } from "./cell.ts";
import { labels } from "./strings.ts";

/** The size of every drawing. */
export const [WIDTH, HEIGHT] = [300, 152];

export interface Pipe {
  readonly d: string;
  readonly value: number;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Drawing {
  readonly pipes: readonly Pipe[];
  readonly boxes: readonly (Place & { readonly label: string })[];
  readonly sums: readonly Place[];
  /** Gates that can be held shut. */
  readonly valves: readonly (Place & { readonly gate: Gate })[];
  /** What lets through just what a gate does not. */
  readonly counterparts: readonly (Place & { readonly gate: Gate })[];
  readonly words: readonly (Place & { readonly text: string; readonly end?: boolean })[];
  readonly numbers: readonly (Place & { readonly value: number; readonly end?: boolean })[];
}

const [TOP, MIDDLE, LOW] = [36, 82, 126];
const first = (values: readonly number[] | undefined) => values?.[0] ?? 0;

/** A step of a cell of one unit, whose word is `x`. */
export function drawingOf(kind: CellKind, before: State, step: Step, x: number): Drawing {
  const gate = (name: Gate) => first(step.gates[name]);
  const [h, c, candidate] = [first(step.h), first(step.c), first(step.candidate)];
  const [oldH, oldC] = [first(before.h), first(before.c)];
  const memory = kind === "lstm" || kind === "sru";
  const [old, fresh] = memory ? [oldC, c] : [oldH, h];
  const ends = {
    words: [
      { x: 4, y: TOP - 20, text: memory ? labels.memory : labels.state },
      { x: WIDTH - 4, y: TOP - 20, text: memory ? labels.newMemory : labels.newState, end: true },
      { x: 4, y: LOW + 20, text: kind === "lstm" ? `${labels.word}, ${labels.state}` : labels.word },
      ...(memory ? [{ x: WIDTH - 4, y: LOW + 20, text: labels.newState, end: true }] : []),
    ],
    numbers: [
      { x: 4, y: TOP - 7, value: old },
      { x: WIDTH - 4, y: TOP - 7, value: fresh, end: true },
      ...(memory ? [{ x: WIDTH - 4, y: LOW - 8, value: h, end: true }] : []),
      { x: 4, y: LOW - 8, value: x },
    ],
  };
  switch (kind) {
    case "elman":
      return {
        ...ends,
        pipes: [
          { d: `M4 ${TOP}H150`, value: oldH },
          { d: `M150 ${TOP}H296`, value: h },
          { d: `M4 ${LOW}H150V${TOP}`, value: x },
        ],
        boxes: [{ x: 150, y: TOP, label: "tanh" }],
        sums: [],
        valves: [],
        counterparts: [],
      };
    case "lstm":
      return {
        ...ends,
        pipes: [
          { d: `M4 ${TOP}H78`, value: oldC },
          { d: `M78 ${TOP}H150`, value: gate("forget") * oldC },
          { d: `M150 ${TOP}H296`, value: c },
          { d: `M4 ${LOW}H90`, value: x },
          { d: `M90 ${LOW}H150V${MIDDLE}`, value: candidate },
          { d: `M150 ${MIDDLE}V${TOP}`, value: gate("input") * candidate },
          { d: `M222 ${TOP}V${MIDDLE}`, value: Math.tanh(c) },
          { d: `M222 ${MIDDLE}V${LOW}H296`, value: h },
        ],
        boxes: [{ x: 90, y: LOW, label: "tanh" }],
        sums: [{ x: 150, y: TOP }],
        valves: [{ x: 78, y: TOP, gate: "forget" }, { x: 150, y: MIDDLE, gate: "input" }, { x: 222, y: MIDDLE, gate: "output" }],
        counterparts: [],
      };
    case "gru": {
      const update = gate("update");
      return {
        ...ends,
        pipes: [
          { d: `M4 ${TOP}H110`, value: oldH },
          { d: `M110 ${TOP}H205`, value: update * oldH },
          { d: `M205 ${TOP}H296`, value: h },
          { d: `M54 ${TOP}V${MIDDLE}`, value: oldH },
          { d: `M54 ${MIDDLE}V${LOW}`, value: gate("reset") * oldH },
          { d: `M4 ${LOW}H140`, value: x },
          { d: `M140 ${LOW}H205V${MIDDLE}`, value: candidate },
          { d: `M205 ${MIDDLE}V${TOP}`, value: (1 - update) * candidate },
        ],
        boxes: [{ x: 140, y: LOW, label: "tanh" }],
        sums: [{ x: 205, y: TOP }],
        valves: [{ x: 110, y: TOP, gate: "update" }, { x: 54, y: MIDDLE, gate: "reset" }],
        counterparts: [{ x: 205, y: MIDDLE, gate: "update" }],
      };
    }
    case "sru": {
      const [forget, reset] = [gate("forget"), gate("reset")];
      return {
        ...ends,
        pipes: [
          { d: `M4 ${TOP}H78`, value: oldC },
          { d: `M78 ${TOP}H140`, value: forget * oldC },
          { d: `M140 ${TOP}H296`, value: c },
          { d: `M4 ${LOW}H70`, value: x },
          { d: `M70 ${LOW}H140V${MIDDLE}`, value: candidate },
          { d: `M140 ${MIDDLE}V${TOP}`, value: (1 - forget) * candidate },
          { d: `M40 ${LOW}V${HEIGHT - 8}H186V${LOW}`, value: x },
          { d: `M186 ${LOW}H240`, value: (1 - reset) * x },
          { d: `M240 ${TOP}V${MIDDLE}`, value: c },
          { d: `M240 ${MIDDLE}V${LOW}`, value: reset * c },
          { d: `M240 ${LOW}H296`, value: h },
        ],
        boxes: [{ x: 80, y: LOW, label: "W" }],
        sums: [{ x: 140, y: TOP }, { x: 240, y: LOW }],
        valves: [{ x: 78, y: TOP, gate: "forget" }, { x: 240, y: MIDDLE, gate: "reset" }],
        counterparts: [{ x: 140, y: MIDDLE, gate: "forget" }, { x: 192, y: LOW, gate: "reset" }],
      };
    }
  }
}
