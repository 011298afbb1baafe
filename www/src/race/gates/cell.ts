/** The equations of recurrent cells, PyTorch's and SRU's, on arrays of any size, with gates that somebody may hold shut. */

export type CellKind = "elman" | "gru" | "lstm" | "sru";

/** The gates of each, as they are called here; what is no gate but a candidate is none of them. */
export const gatesOf = {
  elman: [],
  gru: ["reset", "update"],
  lstm: ["input", "forget", "output"],
  sru: ["forget", "reset"],
} as const satisfies Readonly<Record<CellKind, readonly string[]>>;

export type Gate = (typeof gatesOf)[CellKind][number];

/**
 * Weights as PyTorch has them, gates one below the other: input, forget, cell, output of an LSTM; reset, update, new of a GRU;
 * one block of an Elman network. Of an SRU `ih` has the candidate, the forget and the reset gate, `hh` none, `bias` those of the
 * two gates and `v` what multiplies the memory in them.
 */
export interface Weights {
  /** Rows of input weights. */
  readonly ih: readonly (readonly number[])[];
  readonly hh: readonly (readonly number[])[];
  /** Both of PyTorch's biases added up, but for a GRU's new state, whose second one is in `inner`. */
  readonly bias: readonly number[];
  readonly inner?: readonly number[];
  readonly v?: readonly number[];
}

/** What a cell hands on. The memory is an LSTM's and an SRU's. */
export interface State {
  readonly h: readonly number[];
  readonly c: readonly number[];
}

/** A step: the new state, and everything on the way to it. */
export interface Step extends State {
  /** Of each gate how far it is open, from 0 to 1; 0 if it is held shut. */
  readonly gates: Readonly<Partial<Record<Gate, readonly number[]>>>;
  /** What the cell would write. */
  readonly candidate: readonly number[];
}

export const zero = (size: number): State => ({ h: Array<number>(size).fill(0), c: Array<number>(size).fill(0) });

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const dot = (a: readonly number[] | undefined, b: readonly number[]) => b.reduce((sum, each, at) => sum + each * (a?.[at] ?? 0), 0);
const at = (values: readonly number[] | undefined, index: number) => values?.[index] ?? 0;

/** One step of a cell with gates held shut. */
export function step(kind: CellKind, weights: Weights, state: State, x: readonly number[], shut: ReadonlySet<Gate> = new Set()): Step {
  const { ih, hh, bias, inner, v } = weights;
  const size = state.h.length;
  const units = Array.from({ length: size }, (_, unit) => unit);
  /** A block of rows times the word and the state, with its bias. */
  const block = (number: number) => units.map((unit) => {
    const row = number * size + unit;
    return dot(ih[row], x) + dot(hh[row], state.h) + at(bias, row);
  });
  const gate = (name: Gate, sums: readonly number[]) => sums.map((sum) => (shut.has(name) ? 0 : sigmoid(sum)));

  switch (kind) {
    case "elman": {
      const h = block(0).map(Math.tanh);
      return { h, c: [], gates: {}, candidate: h };
    }
    case "lstm": {
      const [input, forget, output] = [gate("input", block(0)), gate("forget", block(1)), gate("output", block(3))];
      const candidate = block(2).map(Math.tanh);
      const c = units.map((unit) => at(forget, unit) * at(state.c, unit) + at(input, unit) * at(candidate, unit));
      return { h: c.map((each, unit) => at(output, unit) * Math.tanh(each)), c, gates: { input, forget, output }, candidate };
    }
    case "gru": {
      const [reset, update] = [gate("reset", block(0)), gate("update", block(1))];
      // The reset gate lets through what the state says of the new one.
      const candidate = units.map((unit) => {
        const row = 2 * size + unit;
        return Math.tanh(dot(ih[row], x) + at(bias, row) + at(reset, unit) * (dot(hh[row], state.h) + at(inner, unit)));
      });
      const h = units.map((unit) => (1 - at(update, unit)) * at(candidate, unit) + at(update, unit) * at(state.h, unit));
      return { h, c: [], gates: { reset, update }, candidate };
    }
    case "sru": {
      const product = (number: number) => units.map((unit) => dot(ih[number * size + unit], x));
      const ofGate = (number: number) => product(number + 1).map((sum, unit) => sum + at(v, number * size + unit) * at(state.c, unit) + at(bias, number * size + unit));
      const candidate = product(0);
      const [forget, reset] = [gate("forget", ofGate(0)), gate("reset", ofGate(1))];
      const c = units.map((unit) => at(forget, unit) * at(state.c, unit) + (1 - at(forget, unit)) * at(candidate, unit));
      // Past the cell goes the word itself.
      return { h: c.map((each, unit) => at(reset, unit) * each + (1 - at(reset, unit)) * at(x, unit)), c, gates: { forget, reset }, candidate };
    }
  }
}

/** All steps through a text. */
export function run(kind: CellKind, weights: Weights, size: number, xs: readonly (readonly number[])[], shut?: ReadonlySet<Gate>): Step[] {
  let state = zero(size);
  return xs.map((x) => {
    const next = step(kind, weights, state, x, shut);
    state = next;
    return next;
  });
}
