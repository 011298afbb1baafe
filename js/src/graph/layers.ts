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

/** Records a layer's instruction, from a state a direction or from zeros. */
function record(kind: keyof States, layer: Declared, step: boolean, x: unknown, states: readonly unknown[], directions: number): Made {
  const parts: readonly string[] = PARTS[kind];
  const at = `${kind} ${JSON.stringify(layer.name)}${step ? ".step" : ""}`;
  const given = operand(x, at);
  const { graph } = given;
  graph.owns(layer.owner, at);
  if (given.columns !== layer.input) misfit(at, `${layer.input} columns`, given);
  if (step && given.rows !== 1) misfit(at, "1 row", given);
  const part = (name: string, state: unknown) => {
    if (!isRecord(state)) refuse(`${at}: state`, `an object with ${parts.join(" and ")}`, state);
    const own = graph.own(state[name], at, `state.${name}`);
    if (own.rows !== 1 || own.columns !== layer.output) misfit(`${at}: state.${name}`, `1 x ${layer.output}`, own);
    return own;
  };
  // The engine has a part of all directions, then the next part; an SRU's directions are columns of one.
  const { output: size } = layer;
  const isJoined = kind === "sru" && directions > 1;
  const operands: Expression[] = [];
  // Loops, and no functions in functions: an error's stack ends soon, and is to name the caller's line.
  for (const name of parts) {
    const of: Expression[] = [];
    for (const state of states) of.push(part(name, state));
    operands.push(...(isJoined && of.length > 0 ? [graph.concatColumns(of)] : of));
  }
  const tape = graph.begin(step ? "step" : "layer");
  tape.word(layer.number);
  tape.word(given.number);
  tape.list(operands.map(({ number }) => number));
  const each = <T>(of: (direction: number) => T) => Array.from({ length: directions }, (_, direction) => of(direction));
  const output = graph.made(given.rows, directions * size);
  const made = parts.map(() => (isJoined ? [graph.made(1, directions * size)] : each(() => graph.made(1, size))));
  const after = made.map((of) => (isJoined ? of.flatMap((all) => each((i) => all.sliceColumns(i * size, (i + 1) * size))) : of));
  return { output, states: each((i) => Object.fromEntries(parts.map((name, at) => [name, after[at]?.[i] as Expression]))) };
}

export function recurrent<Kind extends keyof States>(kind: Kind, layer: Declared): Recurrent<States[Kind]> {
  const run = (step: boolean) => (x: Expression, state?: States[Kind]) => {
    const { output, states } = record(kind, layer, step, x, state == null ? [] : [state], 1);
    return { output, state: states[0] as unknown as States[Kind] };
  };
  return Object.assign(run(false), { step: run(true) });
}

export function bidirectional<Kind extends keyof States>(kind: Kind, layer: Declared): Bidirectional<States[Kind]> {
  return (x, given) => {
    if (given != null && !isRecord(given)) refuse(`${kind} ${JSON.stringify(layer.name)}: states`, "an object with forward and backward", given);
    const { output, states } = record(kind, layer, false, x, given == null ? [] : [given.forward, given.backward], 2);
    const [forward, backward] = states as unknown as readonly [States[Kind], States[Kind]];
    return { output, forward, backward };
  };
}
