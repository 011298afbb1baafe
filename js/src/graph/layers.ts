/** Layers: functions of expressions with parameters of their own. */

import { isRecord, refuse } from "../arguments/check.js";
import { errorOf } from "../errors.js";
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
  return found instanceof Expression ? found : notExpression(found, at);
}

export function embedding(weight: Parameter, at: string): Embedding {
  const layer = (graph: Recorder, ids: ArrayLike<number>) => recorderOf(graph, `${at}: graph`).look(weight, ids, at);
  return Object.assign(layer, { weight });
}

export function linear(weight: Parameter, bias: Parameter, at: string): Linear {
  const layer = (x: Expression) => {
    const given = operand(x, `${at}: x`);
    if (given.columns !== weight.columns) misfit(at, `${weight.columns} columns`, given);
    return given.affine(weight, bias);
  };
  return Object.assign(layer, { weight, bias });
}

/** Records a layer's instruction: the rows, and the parts of the states after them. */
function record(layer: Declared, step: boolean, x: unknown, states: readonly unknown[], parts: readonly string[], directions: number): readonly Expression[] {
  const at = `${layer.name}${step ? ".step" : ""}`;
  const given = operand(x, `${at}: x`);
  const { graph } = given;
  graph.owns(layer.owner, at);
  if (given.columns !== layer.input) misfit(at, `${layer.input} columns`, given);
  if (step && given.rows !== 1) misfit(at, "1 row", given);
  const numbers = states.flatMap((state) => {
    if (!isRecord(state)) refuse(`${at}: state`, `an object with ${parts.join(" and ")}`, state);
    return parts.map((part) => {
      const own = graph.own(state[part], `${at}: state.${part}`);
      if (own.rows !== 1 || own.columns !== layer.output) misfit(`${at}: state.${part}`, `1 x ${layer.output}`, own);
      return own.number;
    });
  });
  const tape = graph.begin(step ? "step" : "layer");
  tape.word(layer.number);
  tape.word(given.number);
  tape.list(numbers);
  const output = graph.made(given.rows, directions * layer.output);
  return [output, ...Array.from({ length: directions * parts.length }, () => graph.made(1, layer.output))];
}

function stateOf<State>(parts: readonly string[], values: readonly Expression[]): State {
  return Object.fromEntries(parts.map((part, i) => [part, values[i]])) as State;
}

export function recurrent<Kind extends keyof States>(kind: Kind, layer: Declared): Recurrent<States[Kind]> {
  const parts = PARTS[kind];
  const run = (step: boolean) => (x: Expression, state?: States[Kind]) => {
    const [output, ...values] = record(layer, step, x, state == null ? [] : [state], parts, 1);
    return { output: output as Expression, state: stateOf<States[Kind]>(parts, values) };
  };
  return Object.assign(run(false), { step: run(true) });
}

export function bidirectional<Kind extends keyof States>(kind: Kind, layer: Declared): Bidirectional<States[Kind]> {
  const parts = PARTS[kind];
  return (x, states) => {
    if (states != null && !isRecord(states)) {
      throw errorOf("OPTION_INVALID", `${layer.name}: states: expected an object with forward and backward`);
    }
    const given = states == null ? [] : [states.forward, states.backward];
    const [output, ...values] = record(layer, false, x, given, parts, 2);
    const [forward, backward] = [values.slice(0, parts.length), values.slice(parts.length)];
    return { output: output as Expression, forward: stateOf(parts, forward), backward: stateOf(parts, backward) };
  };
}
