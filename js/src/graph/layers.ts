/** Layers: functions of expressions with parameters of their own. */

import { isRecord, refuse } from "../arguments/check.js";
import { misfit, notExpression } from "./checks.js";
import { Expression } from "./expression.js";
import type { Owner, Parameter } from "./parameter.js";
import { type Recorder, recorderOf } from "./recorder.js";

/** Rows of a table by number, such as those of words: `ids.length x size`. */
export interface Embedding {
  (graph: Recorder, ids: ArrayLike<number>): Expression;
  /** The table, a row a word. */
  readonly weight: Parameter;
}

/** `x Wᵀ + b`. */
export interface Linear {
  (x: Expression): Expression;
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/** The state of an Elman network or a GRU, 1 row. */
export interface HiddenState {
  readonly h: Expression;
}

/** The state of an LSTM, 1 row each. */
export interface LstmState {
  readonly h: Expression;
  readonly c: Expression;
}

/** The state of an SRU, 1 row. */
export interface SruState {
  readonly c: Expression;
}

/** Rows of a layer, and the state after the last. */
export interface Recurred<State> {
  readonly output: Expression;
  readonly state: State;
}

/** A recurrent layer: over the rows of a sequence from a state, or from zeros. */
export interface Recurrent<State> {
  (x: Expression, state?: State): Recurred<State>;
  /** Over one row: what a loop that decides is made of. */
  step(x: Expression, state?: State): Recurred<State>;
}

/** Rows of a layer of two directions, side by side, and the state of each after the last row that it read. */
export interface RecurredBothWays<State> {
  readonly output: Expression;
  readonly forward: State;
  readonly backward: State;
}

/** A recurrent layer that reads the rows of a sequence in both directions. */
export interface Bidirectional<State> {
  (x: Expression, states?: { readonly forward: State; readonly backward: State }): RecurredBothWays<State>;
}

/** The kinds of recurrent layers, with their states. */
export interface States {
  elman: HiddenState;
  lstm: LstmState;
  gru: HiddenState;
  sru: SruState;
}

const PARTS = { elman: ["h"], lstm: ["h", "c"], gru: ["h"], sru: ["c"] } as const;

/** What a layer has of its declaration. */
export interface Declared {
  readonly owner: Owner;
  readonly name: string;
  readonly input: number;
  readonly output: number;
  /** The engine's number, once it has one. */
  number: number;
}

function operand(found: unknown, at: string): Expression {
  return found instanceof Expression ? found : notExpression(found, `${at}: x`);
}

export function embedding(weight: Parameter, at: string): Embedding {
  const layer = (graph: Recorder, ids: ArrayLike<number>) => recorderOf(graph, at).look(weight, ids, at);
  return Object.assign(layer, { weight });
}

export function linear(weight: Parameter, bias: Parameter, at: string): Linear {
  const layer = (x: Expression) => {
    const given = operand(x, at);
    if (given.columns !== weight.columns) misfit(at, `${weight.columns} columns`, given);
    return given.affine(weight, bias);
  };
  return Object.assign(layer, { weight, bias });
}

/** Rows of a layer, and for each direction the parts of the state after them. */
interface Made {
  readonly output: Expression;
  readonly states: readonly Readonly<Record<string, Expression>>[];
}

/** What every call of a layer has in common, put together once: a loop calls it for every word. */
class Call {
  readonly #layer: Declared;
  readonly #step: boolean;
  readonly #directions: number;
  /** What errors begin with. */
  readonly #at: string;
  /** The parts of a state, and what errors call them. */
  readonly #parts: readonly (readonly [name: string, which: string])[];
  /** Whether the directions of a state are columns of one value. */
  readonly #joined: boolean;

  constructor(kind: keyof States, layer: Declared, step: boolean, directions: number) {
    this.#layer = layer;
    this.#step = step;
    this.#directions = directions;
    this.#at = `${kind} ${JSON.stringify(layer.name)}${step ? ".step" : ""}`;
    this.#parts = PARTS[kind].map((name) => [name, `state.${name}`] as const);
    this.#joined = kind === "sru" && directions > 1;
  }

  /** Records the layer's instruction, from a state a direction or from zeros. */
  record(x: unknown, states: readonly unknown[]): Made {
    const { owner, input, output: size, number } = this.#layer;
    const given = operand(x, this.#at);
    const { graph } = given;
    graph.owns(owner, this.#at);
    if (given.columns !== input) misfit(this.#at, `${input} columns`, given);
    if (this.#step && given.rows !== 1) misfit(this.#at, "1 row", given);
    // The engine has a part of all directions, then the next part.
    // Loops, and no functions in functions: an error's stack ends soon, and is to name the caller's line.
    const operands: number[] = [];
    for (const [name, which] of this.#parts) {
      const of: Expression[] = [];
      for (const state of states) of.push(this.#part(graph, state, name, which));
      if (this.#joined && of.length > 0) operands.push(graph.concatColumns(of).number);
      else for (const part of of) operands.push(part.number);
    }
    const tape = graph.begin(this.#step ? "step" : "layer");
    tape.word(number);
    tape.word(given.number);
    tape.list(operands);
    const output = graph.made(given.rows, this.#directions * size);
    const after: Record<string, Expression>[] = [];
    for (let i = 0; i < this.#directions; i++) after.push({});
    for (const [name] of this.#parts) {
      const all = this.#joined ? graph.made(1, this.#directions * size) : undefined;
      after.forEach((state, i) => {
        state[name] = all ? all.sliceColumns(i * size, (i + 1) * size) : graph.made(1, size);
      });
    }
    return { output, states: after };
  }

  #part(graph: Recorder, state: unknown, name: string, which: string): Expression {
    if (!isRecord(state)) {
      refuse(`${this.#at}: state`, `an object with ${this.#parts.map(([part]) => part).join(" and ")}`, state);
    }
    const own = graph.own(state[name], this.#at, which);
    if (own.rows !== 1 || own.columns !== this.#layer.output) misfit(`${this.#at}: ${which}`, `1 x ${this.#layer.output}`, own);
    return own;
  }
}

export function recurrent<Kind extends keyof States>(kind: Kind, layer: Declared): Recurrent<States[Kind]> {
  const run = (step: boolean) => {
    const call = new Call(kind, layer, step, 1);
    return (x: Expression, state?: States[Kind]) => {
      const { output, states } = call.record(x, state == null ? [] : [state]);
      return { output, state: states[0] as unknown as States[Kind] };
    };
  };
  return Object.assign(run(false), { step: run(true) });
}

export function bidirectional<Kind extends keyof States>(kind: Kind, layer: Declared): Bidirectional<States[Kind]> {
  const call = new Call(kind, layer, false, 2);
  return (x, given) => {
    if (given != null && !isRecord(given)) refuse(`${kind} ${JSON.stringify(layer.name)}: states`, "an object with forward and backward", given);
    const { output, states } = call.record(x, given == null ? [] : [given.forward, given.backward]);
    const [forward, backward] = states as unknown as readonly [States[Kind], States[Kind]];
    return { output, forward, backward };
  };
}
