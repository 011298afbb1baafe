/** Cells: functions recorded once that are one node wherever they are called. */

import { inWords } from "../arguments/check.js";
import { errorOf } from "../errors.js";
import { misfit } from "./checks.js";
import { Expression } from "./expression.js";
import type { Owner, Parameter } from "./parameter.js";
import { Recorder } from "./recorder.js";
import type { OpName } from "./tape.js";

/** What the function of a cell gives: an expression or several. (The empty tuple has TypeScript see how many.) */
export type Results = Expression | readonly Expression[] | readonly [];

/** What makes each row of its result of the same row of its operands, and nothing of other rows. */
const OF_ROWS: ReadonlySet<OpName> = new Set<OpName>([
  ...(["input", "affine", "tanh", "sigmoid", "relu", "exp", "log", "scale"] as const),
  ...(["add", "subtract", "multiply", "concatColumns", "columns", "call"] as const),
]);

/** A word of a cell's code that every graph has its own number for. */
type Late = { readonly at: number } & ({ readonly parameter: Parameter } | { readonly cell: CellCode });

/** Records the function of a cell. */
class CellRecorder extends Recorder {
  readonly late: Late[] = [];
  readonly #name: string;
  #done = false;

  constructor(owner: Owner, name: string) {
    super(owner);
    this.#name = name;
  }

  override admit(operation: OpName): void {
    if (this.#done) throw errorOf("OPTION_INVALID", `${operation}: the cell ${JSON.stringify(this.#name)} was recorded already`);
    if (OF_ROWS.has(operation)) return;
    const why = "makes each row of its results of the same row of its operands: products with weights, element by element, and by columns";
    throw errorOf("OPTION_INVALID", `${operation}: the cell ${JSON.stringify(this.#name)} ${why}; record this outside of it`);
  }

  override admitRows(operation: OpName, rows: number): void {
    if (rows !== 1) throw errorOf("OPTION_INVALID", `${operation}: a constant of a cell has 1 row, found ${rows}`);
  }

  override parameter(parameter: Parameter): number {
    this.late.push({ at: this.tape.words, parameter });
    return -1;
  }

  override cell(cell: CellCode): number {
    this.late.push({ at: this.tape.words, cell });
    return -1;
  }

  override values(): Promise<never> {
    const why = "has no values yet: it is recorded once, before it is called";
    throw errorOf("OPTION_INVALID", `value: the cell ${JSON.stringify(this.#name)} ${why}`);
  }

  override gradientOf(): Promise<never> {
    return this.values();
  }

  end(): void {
    this.#done = true;
  }
}

/** What was recorded of a cell. */
export class CellCode {
  readonly name: string;
  readonly owner: Owner;
  /** Columns of its operands. */
  readonly inputs: readonly number[];
  /** Columns of its results. */
  readonly columns: readonly number[];
  /** Whether the function gave one expression, and no array. */
  readonly single: boolean;
  readonly outputs: readonly number[];
  readonly data: Float32Array;
  /** What errors begin with. */
  readonly #at: string;
  readonly #code: Int32Array;
  readonly #late: readonly Late[];

  constructor(owner: Owner, name: string, inputs: readonly number[], run: (inputs: Expression[]) => Results) {
    const recorder = new CellRecorder(owner, name);
    const results = run(inputs.map((columns) => recorder.made(1, columns)));
    const all = results instanceof Expression ? [results] : results;
    if (!Array.isArray(all) || all.length === 0) {
      throw errorOf("OPTION_INVALID", `cell ${JSON.stringify(name)}: expected an expression or an array of them from its function, found ${inWords(all)}`);
    }
    const outputs = (all as readonly unknown[]).map((result, i) => recorder.own(result, `cell ${JSON.stringify(name)}`, `result ${i}`));
    recorder.end();
    const { code, data } = recorder.tape.take();
    this.name = name;
    this.#at = `cell ${JSON.stringify(name)}`;
    this.owner = owner;
    this.inputs = inputs;
    this.columns = outputs.map(({ columns }) => columns);
    this.single = results instanceof Expression;
    this.outputs = outputs.map(({ number }) => number);
    this.data = data;
    this.#code = code;
    this.#late = recorder.late;
  }

  /** The code with the numbers of a graph. */
  codeFor(graph: Recorder): Int32Array {
    const code = this.#code.slice();
    for (const late of this.#late) code[late.at] = "cell" in late ? graph.cell(late.cell) : graph.parameter(late.parameter);
    return code;
  }

  /** Calls it: one node. */
  call(operands: readonly unknown[]): Expression | readonly Expression[] {
    const [first] = operands;
    if (operands.length !== this.inputs.length || !(first instanceof Expression)) {
      throw errorOf("OPTION_INVALID", `${this.#at}: expected ${this.inputs.length} expressions, found ${operands.map(inWords).join(", ") || "none"}`);
    }
    const { graph, rows } = first;
    graph.owns(this.owner, this.#at);
    const numbers = new Array<number>(operands.length);
    for (let i = 0; i < operands.length; i++) {
      const own = graph.own(operands[i], this.#at, i);
      if (own.columns !== this.inputs[i]) misfit(`${this.#at}: [${i}]`, `${this.inputs[i]} columns`, own);
      if (own.rows !== rows) misfit(this.#at, "as many rows as one another", first, own);
      numbers[i] = own.number;
    }
    const tape = graph.begin("call");
    tape.word(graph.cell(this));
    tape.list(numbers);
    const results = this.columns.map((columns) => graph.made(rows, columns));
    return this.single ? (results[0] as Expression) : results;
  }
}
