/** What a graph and the function of a cell have in common: expressions are recorded on both. */

import { isRecord, refuse } from "../arguments/check.js";
import { errorOf } from "../errors.js";
import type { Numbers } from "../types.js";
import type { CellCode } from "./cell.js";
import { arrayOf, indicesOf, misfit, notExpression, shapeOf, valuesOf } from "./checks.js";
import { Expression } from "./expression.js";
import type { Owner, Parameter } from "./parameter.js";
import { Op, type OpName, Tape } from "./tape.js";

/** Records expressions; nothing is computed until a value is asked for. */
export abstract class Recorder {
  /** @internal */
  readonly tape = new Tape();
  /** Whose parameters its expressions may use. @internal */
  readonly owner: Owner;

  /** Numbers of expressions that have gradients. @internal */
  readonly variables = new Set<number>();

  constructor(owner: Owner) {
    this.owner = owner;
  }

  /** Throws if an operation cannot be recorded here or now. @internal */
  abstract admit(operation: OpName): void;
  /** The word that stands for a parameter. @internal */
  abstract parameter(parameter: Parameter): number;
  /** The word that stands for a cell. @internal */
  abstract cell(cell: CellCode): number;
  /** Values of expressions, each row by row. */
  abstract values(expressions: readonly Expression[]): Promise<Float32Array[]>;
  /** The gradient of a variable. @internal */
  abstract gradientOf(variable: Expression): Promise<Float32Array>;

  /** Begins an instruction whose operands were checked. @internal */
  begin(operation: OpName): Tape {
    this.admit(operation);
    this.tape.word(Op[operation]);
    return this.tape;
  }

  /** The expression that the last instruction makes next. @internal */
  made(rows: number, columns: number): Expression {
    return new Expression(this, this.tape.expressions++, rows, columns);
  }

  /** An expression of this graph, or an error. @internal */
  own(found: unknown, at: string): Expression {
    if (!(found instanceof Expression)) notExpression(found, at);
    if (found.graph !== this) throw errorOf("OPTION_INVALID", `${at}: the expression belongs to another graph, or to a cell's function`);
    return found;
  }

  /** Whether a layer's or a cell's parameters are those of this graph. @internal */
  owns(owner: Owner, operation: string): void {
    if (owner !== this.owner) throw errorOf("OPTION_INVALID", `${operation}: it belongs to other parameters than the graph`);
  }

  /** A value of so many rows and columns: numbers row by row, zeros unless given. */
  input(rows: number, columns: number, values?: Numbers): Expression {
    return this.#given("input", rows, columns, values);
  }

  /** An {@link input} whose gradient can be asked for. */
  variable(rows: number, columns: number, values?: Numbers): Expression {
    return this.#given("variable", rows, columns, values);
  }

  #given(operation: "input" | "variable", rows: number, columns: number, values: Numbers | undefined): Expression {
    const shape = shapeOf(rows, columns, operation);
    const taken = values == null ? new Float32Array(rows * columns) : valuesOf(values, `${operation}: values`, shape);
    if (rows !== 1) this.admitRows(operation, rows);
    const tape = this.begin(operation);
    tape.word(rows);
    tape.word(columns);
    tape.values(taken);
    if (operation === "variable") this.variables.add(tape.expressions);
    return this.made(rows, columns);
  }

  /** Throws if a value cannot have so many rows here. @internal */
  admitRows(_operation: OpName, _rows: number): void {}

  /** Values end to end, which have as many columns as one another: their rows add up. */
  concatRows(parts: Iterable<Expression>): Expression {
    const all = this.#parts("concatRows", parts);
    let rows = 0;
    for (const part of all) {
      if (part.columns !== all[0].columns) misfit("concatRows", "as many columns as one another", all[0], part);
      rows += part.rows;
    }
    return this.#concatenated("concatRows", all, rows, all[0].columns);
  }

  /** Values side by side, which have as many rows as one another: their columns add up. */
  concatColumns(parts: Iterable<Expression>): Expression {
    const all = this.#parts("concatColumns", parts);
    let columns = 0;
    for (const part of all) {
      if (part.rows !== all[0].rows) misfit("concatColumns", "as many rows as one another", all[0], part);
      columns += part.columns;
    }
    return this.#concatenated("concatColumns", all, all[0].rows, columns);
  }

  /**
   * The mean of all rows of the values, `1 x columns`: of the losses of many examples the one to learn from. A loss with a row
   * a token counts once for each.
   */
  mean(values: Iterable<Expression>): Expression {
    const all = this.#parts("mean", values);
    for (const value of all) if (value.columns !== all[0].columns) misfit("mean", "as many columns as one another", all[0], value);
    return this.concatRows(all).meanRows();
  }

  #parts(operation: string, parts: unknown): readonly [Expression, ...Expression[]] {
    const given = arrayOf(parts, operation, "an array of expressions");
    const all = given.map((part, i) => this.own(part, `${operation}: [${i}]`));
    const [first, ...rest] = all;
    if (!first) throw errorOf("OPTION_INVALID", `${operation}: expected an expression or more, found none`);
    return [first, ...rest];
  }

  #concatenated(operation: "concatRows" | "concatColumns", parts: readonly Expression[], rows: number, columns: number): Expression {
    const tape = this.begin(operation);
    tape.list(parts.map((part) => part.number));
    return this.made(rows, columns);
  }

  /** Rows of a table by their numbers. @internal */
  look(table: Parameter, numbers: unknown, at: string): Expression {
    this.owns(table.owner, at);
    const ids = indicesOf(numbers, `${at}: ids`, table.rows);
    const tape = this.begin("embedding");
    tape.word(this.parameter(table));
    tape.list(ids);
    return this.made(ids.length, table.columns);
  }
}

/** The recorder that a layer was given. */
export function recorderOf(found: unknown, at: string): Recorder {
  if (found instanceof Recorder) return found;
  const hint = isRecord(found) || Array.isArray(found) ? ": the graph comes first" : "";
  return refuse(at, "a graph", found, hint);
}
