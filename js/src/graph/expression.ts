/** Handles to recorded values, and the operations on them. */

import { refuse } from "../arguments/check.js";
import { options } from "../arguments/options.js";
import { maybe } from "../arguments/shared.js";
import { errorOf } from "../errors.js";
import { indicesOf, misfit, numberOf, shapeFits, shapeInWords, shapeOf, sizeOf } from "./checks.js";
import { Parameter } from "./parameter.js";
import type { Recorder } from "./recorder.js";
import type { OpName } from "./tape.js";

type Unary = "tanh" | "sigmoid" | "relu" | "exp" | "log" | "softmax" | "logSoftmax";

const POOLS = { sumRows: 0, meanRows: 1, maxRows: 2, lastRow: 3 } as const;
const REDUCTIONS = { sumColumns: 0, meanColumns: 1, logSumExp: 2, maxColumns: 3 } as const;

/** How {@link Expression.dropout} drops. */
export interface DropoutOptions {
  /** Whether a column is dropped from all rows or none; false unless given. */
  readonly sameForAllRows?: boolean | undefined;
}

const dropoutOptions = options<DropoutOptions>()({ sameForAllRows: maybe });

/** A value that a graph computes when it is asked for: a matrix of which rows and columns are known at once. */
export class Expression {
  /** What recorded it. */
  readonly graph: Recorder;
  /** Its place among the expressions of the graph. */
  readonly number: number;
  readonly rows: number;
  readonly columns: number;

  /** @internal */
  constructor(graph: Recorder, number: number, rows: number, columns: number) {
    this.graph = graph;
    this.number = number;
    this.rows = rows;
    this.columns = columns;
  }

  /** The sum of two values of the same shape, element by element. */
  add(other: Expression): Expression {
    return this.#binary("add", other);
  }

  subtract(other: Expression): Expression {
    return this.#binary("subtract", other);
  }

  /** The product of two values of the same shape, element by element. */
  multiply(other: Expression): Expression {
    return this.#binary("multiply", other);
  }

  /** Every number times a factor. */
  scale(factor: number): Expression {
    const taken = numberOf(factor, "scale: factor");
    this.#begin("scale").value(taken);
    return this.graph.made(this.rows, this.columns);
  }

  /** The product of two values, `m x k` and `k x n`: `m x n`. With a parameter: {@link affine}. */
  matmul(other: Expression): Expression {
    const right = this.graph.own(other, "matmul", "other");
    if (right.rows !== this.columns) misfit("matmul", `${this.columns} rows on the right for ${this.columns} columns on the left`, this, right);
    shapeFits({ rows: this.rows, columns: right.columns }, "matmul");
    this.#begin("matmul").word(right.number);
    return this.graph.made(this.rows, right.columns);
  }

  /** `x Wᵀ + b` with a weight of `out x in` and a bias of `out` numbers, or none. */
  affine(weight: Parameter, bias?: Parameter): Expression {
    this.#parameter(weight, "affine: weight");
    if (weight.columns !== this.columns) misfit("affine", `${this.columns} columns of the weight ${JSON.stringify(weight.name)}`, this, weight);
    if (bias != null) this.#vector(bias, weight.rows, "affine: bias");
    const tape = this.#begin("affine");
    tape.word(this.graph.parameter(weight));
    tape.word(bias == null ? -1 : this.graph.parameter(bias));
    return this.graph.made(this.rows, weight.rows);
  }

  tanh(): Expression {
    return this.#unary("tanh");
  }

  sigmoid(): Expression {
    return this.#unary("sigmoid");
  }

  relu(): Expression {
    return this.#unary("relu");
  }

  exp(): Expression {
    return this.#unary("exp");
  }

  /**
   * The natural logarithm: minus infinity of 0, NaN of less. Gradients are those of a whole batch: where another program's
   * logarithm is of 0, what it is of has NaN for a gradient, also when the loss does not depend on it. Add a small number to
   * what may be 0.
   */
  log(): Expression {
    return this.#unary("log");
  }

  /** Softmax of each row. */
  softmax(): Expression {
    return this.#unary("softmax");
  }

  /** The logarithm of the softmax of each row. */
  logSoftmax(): Expression {
    return this.#unary("logSoftmax");
  }

  /** `-log softmax(x)[target]` of each row, with a target a row: `rows x 1`. */
  crossEntropy(targets: ArrayLike<number>): Expression {
    const taken = indicesOf(targets, "crossEntropy", "targets", this.columns);
    this.#aRowEach("crossEntropy: targets", taken);
    this.#begin("crossEntropy").list(taken);
    return this.graph.made(this.rows, 1);
  }

  /** Columns from `start` to before `end`, as of `slice`. */
  sliceColumns(start: number, end: number): Expression {
    const [from, to] = [sizeOf(start, "sliceColumns: start"), sizeOf(end, "sliceColumns: end")];
    if (from > to || to > this.columns) misfit("sliceColumns", `columns from ${from} to ${to} within the value`, this);
    const tape = this.#begin("columns");
    tape.word(from);
    tape.word(to - from);
    return this.graph.made(this.rows, to - from);
  }

  /** Rows by their numbers, in any order and as often as they are named. */
  pickRows(numbers: ArrayLike<number>): Expression {
    const taken = indicesOf(numbers, "pickRows", "numbers", this.rows);
    this.#begin("rows").list(taken);
    return this.graph.made(taken.length, this.columns);
  }

  /** One row. */
  row(number: number): Expression {
    return this.pickRows([number]);
  }

  /** So many rows, of which `numbers[i]` is the sum of the rows i here that name it. */
  scatterAdd(numbers: ArrayLike<number>, rows: number): Expression {
    const { rows: count } = shapeOf(rows, this.columns, "scatterAdd");
    const taken = indicesOf(numbers, "scatterAdd", "numbers", count);
    this.#aRowEach("scatterAdd: numbers", taken);
    const tape = this.#begin("scatterAdd");
    tape.word(count);
    tape.list(taken);
    return this.graph.made(count, this.columns);
  }

  /** The sum of the rows: `1 x columns`. */
  sumRows(): Expression {
    return this.#pool("sumRows");
  }

  /** The mean of the rows: `1 x columns`, zeros if there are none. */
  meanRows(): Expression {
    return this.#pool("meanRows");
  }

  /** The largest number of each column: `1 x columns`, zeros if there are no rows. */
  maxRows(): Expression {
    return this.#pool("maxRows");
  }

  /** The last row: `1 x columns`, zeros if there are none. */
  lastRow(): Expression {
    return this.#pool("lastRow");
  }

  /** The sum of each row: `rows x 1`. */
  sumColumns(): Expression {
    return this.#reduce("sumColumns");
  }

  /** The mean of each row: `rows x 1`. */
  meanColumns(): Expression {
    return this.#reduce("meanColumns");
  }

  /** `ln Σ exp(x)` of each row, `rows x 1`, without overflow. */
  logSumExp(): Expression {
    return this.#reduce("logSumExp");
  }

  /** The largest number of each row and the first column that has it, both `rows x 1`. */
  maxColumns(): readonly [value: Expression, column: Expression] {
    if (this.columns === 0) misfit("maxColumns", "a column or more", this);
    return [this.#reduce("maxColumns"), this.graph.made(this.rows, 1)];
  }

  /**
   * In a graph that trains, zeros in the place of numbers at this rate, and what is left scaled up; otherwise the value itself.
   */
  dropout(rate: number, options?: DropoutOptions): Expression {
    const taken = numberOf(rate, "dropout: rate", 0, 1);
    const { sameForAllRows = false } = dropoutOptions.take(options, "dropout: options");
    const tape = this.#begin("dropout");
    tape.word(sameForAllRows ? 1 : 0);
    tape.value(taken);
    return this.graph.made(this.rows, this.columns);
  }

  /** Layer normalisation of each row, with a weight and a bias a column. */
  layerNorm(weight: Parameter, bias: Parameter): Expression {
    this.#vector(weight, this.columns, "layerNorm: weight");
    this.#vector(bias, this.columns, "layerNorm: bias");
    const tape = this.#begin("layerNorm");
    tape.word(this.graph.parameter(weight));
    tape.word(this.graph.parameter(bias));
    return this.graph.made(this.rows, this.columns);
  }

  /**
   * The numbers, row by row. Everything recorded runs once all functions that can go on have gone on and wait: whatever is
   * asked for until then is computed together.
   */
  async value(): Promise<Float32Array> {
    const [values] = await this.graph.values([this]);
    return values as Float32Array;
  }

  /** The number of a `1 x 1` value. */
  async scalar(): Promise<number> {
    if (this.rows !== 1 || this.columns !== 1) misfit("scalar", "1 x 1", this);
    return (await this.value())[0] as number;
  }

  /** Of a {@link Recorder.variable}, the gradient of the loss that the graph went back from last. */
  gradient(): Promise<Float32Array> {
    return this.graph.gradientOf(this);
  }

  /** In debuggers and messages. */
  toString(): string {
    return `Expression(${shapeInWords(this)})`;
  }

  #begin(operation: OpName) {
    const tape = this.graph.begin(operation);
    tape.word(this.number);
    return tape;
  }

  #unary(operation: Unary): Expression {
    this.#begin(operation);
    return this.graph.made(this.rows, this.columns);
  }

  #binary(operation: "add" | "subtract" | "multiply", found: Expression): Expression {
    const other = this.graph.own(found, operation, "other");
    if (other.rows !== this.rows || other.columns !== this.columns) misfit(operation, "the same shape", this, other);
    this.#begin(operation).word(other.number);
    return this.graph.made(this.rows, this.columns);
  }

  #pool(name: keyof typeof POOLS): Expression {
    this.#begin("pool").word(POOLS[name]);
    return this.graph.made(1, this.columns);
  }

  #reduce(name: keyof typeof REDUCTIONS): Expression {
    this.#begin("reduce").word(REDUCTIONS[name]);
    return this.graph.made(this.rows, 1);
  }

  #aRowEach(at: string, { length }: ArrayLike<number>): void {
    if (length !== this.rows) throw errorOf("OPTION_INVALID", `${at}: expected ${this.rows}, one a row of ${shapeInWords(this)}, found ${length}`);
  }

  #parameter(found: unknown, at: string): asserts found is Parameter {
    if (!(found instanceof Parameter)) refuse(at, "a parameter", found);
    this.graph.owns(found.owner, at);
  }

  #vector(found: unknown, size: number, at: string): asserts found is Parameter {
    this.#parameter(found, at);
    if (found.columns !== 0 || found.rows !== size) misfit(at, `a vector of ${size} for ${shapeInWords(this)}`, found);
  }
}
