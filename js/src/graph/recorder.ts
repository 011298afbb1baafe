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

  /** An expression of this graph, or an error that names the operation and which operand it is. @internal */
  own(found: unknown, operation: string, which?: string | number): Expression {
    // Words are put together only where they are needed: there are many operands.
    if (found instanceof Expression && found.graph === this) return found;
    const at = which === undefined ? operation : `${operation}: ${typeof which === "number" ? `[${which}]` : which}`;
    if (!(found instanceof Expression)) notExpression(found, at);
    throw errorOf("OPTION_INVALID", `${at}: the expression belongs to another graph, or to a cell's function`);
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
    const { numbers, first, rows } = this.#parts("concatRows", parts, "columns");
    this.begin("concatRows").list(numbers);
    return this.made(rows, first.columns);
  }

  /** Values side by side, which have as many rows as one another: their columns add up. */
  concatColumns(parts: Iterable<Expression>): Expression {
    const { numbers, first, columns } = this.#parts("concatColumns", parts, "rows");
    this.begin("concatColumns").list(numbers);
    return this.made(first.rows, columns);
  }

  /**
   * The mean of all rows of the values, `1 x columns`: of the losses of many examples the one to learn from. A loss with a row
   * a token counts once for each.
   */
  mean(values: Iterable<Expression>): Expression {
    const { numbers, first, rows } = this.#parts("mean", values, "columns");
    this.begin("concatRows").list(numbers);
    return this.made(rows, first.columns).meanRows();
  }

  /** Values that have as many rows, or columns, as one another, and how many of both they have together. */
  #parts(operation: string, parts: unknown, same: "rows" | "columns") {
    const given = arrayOf(parts, operation, "an array of expressions");
    if (given.length === 0) throw errorOf("OPTION_INVALID", `${operation}: expected an expression or more, found none`);
    const first = this.own(given[0], operation, 0);
    const numbers = new Array<number>(given.length);
    let [rows, columns] = [0, 0];
    for (let i = 0; i < given.length; i++) {
      const part = this.own(given[i], operation, i);
      if (part[same] !== first[same]) misfit(operation, `as many ${same} as one another`, first, part);
      numbers[i] = part.number;
      rows += part.rows;
      columns += part.columns;
    }
    return { numbers, first, rows, columns };
  }

  /** Rows of a table by their numbers. @internal */
  look(table: Parameter, numbers: unknown, at: string): Expression {
    this.owns(table.owner, at);
    const ids = indicesOf(numbers, at, "ids", table.rows);
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
  return refuse(`${at}: graph`, "a graph", found, hint);
}
