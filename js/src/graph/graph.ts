/** A graph: what one scope records, and the flushes that compute it. */

import { refuse } from "../arguments/check.js";
import { errorOf, ours, type SaccadeError } from "../errors.js";
import { followed, unlessAborted } from "../follow.js";
import { turn } from "../turn.js";
import { type glue, type Instance } from "./binary.js";
import type { CellCode } from "./cell.js";
import { arrayOf, misfit } from "./checks.js";
import type { Expression } from "./expression.js";
import { Gradients } from "./gradients.js";
import { checks, type JoinOptions } from "./options.js";
import type { Owner, Parameter } from "./parameter.js";
import { Recorder } from "./recorder.js";

/** Somebody who waits for values. */
interface Request {
  readonly expressions: readonly Expression[];
  resolve(values: Float32Array[]): void;
  reject(error: SaccadeError): void;
}

/** One kernel call, of however many nodes. */
export interface Batch {
  /** The operation's or the cell's name. */
  readonly op: string;
  /** Nodes that ran together. */
  readonly lanes: number;
  /** Of these nodes those that are expressions, by the {@link Expression.number} of their first result. */
  readonly expressions: readonly number[];
  /** Rows of the first result, all nodes together. */
  readonly rows: number;
  /** Operands that had to be copied to lie end to end. */
  readonly copied: number;
  /** Of a node that ran by itself, why. */
  readonly alone: string | null;
  /** Why the nodes did not run with the batch before of their kind. */
  readonly split: string | null;
}

/** What ran, and whether fewer batches could have done it. */
export interface Explanation {
  readonly batches: readonly Batch[];
  readonly nodes: number;
  /** No order of the nodes needs fewer batches. */
  readonly lowerBound: number;
}

/**
 * Records the expressions of a scope and computes them in batches. It ends with the function that it was given to: what it
 * computed is freed then, and using it is an error.
 */
export class Graph extends Recorder {
  /** Where it computes. */
  readonly device: "cpu" | "webgpu";
  readonly #instance: Instance;
  readonly #program: glue.Program;
  readonly #training: boolean;
  readonly #cells = new Map<CellCode, number>();
  /** How many expressions there were when the last way back began. */
  #wentBack = 0;
  #waiting: Request[] = [];
  /** What rejects the promises that joins wait for. */
  readonly #joined = new Set<(error: SaccadeError) => void>();
  /** The flushes until nobody waits. */
  #flushing: Promise<void> | undefined;
  /** What the engine is doing for this graph. */
  #underWay: Promise<unknown> = Promise.resolve();
  /** Why it is not to be used again. */
  #end: SaccadeError | undefined;

  /** @internal */
  constructor(owner: Owner, instance: Instance, program: glue.Program, training: boolean) {
    super(owner);
    this.#instance = instance;
    this.#program = program;
    this.#training = training;
    this.device = instance.attempt(() => program.device) as "cpu" | "webgpu";
  }

  /** @internal */
  override admit(): void {
    if (this.#end) throw this.#end;
  }

  /** @internal */
  override parameter({ number, name }: Parameter): number {
    if (number < 0) throw errorOf("ENGINE", `the parameter ${name} has no number`);
    return number;
  }

  /** @internal */
  override cell(cell: CellCode): number {
    const known = this.#cells.get(cell);
    if (known !== undefined) return known;
    const code = cell.codeFor(this);
    const [columns, outputs] = [Uint32Array.from(cell.inputs), Uint32Array.from(cell.outputs)];
    const number = this.#instance.attempt(() => this.#program.cell(cell.name, columns, code, cell.data, outputs));
    this.#cells.set(cell, number);
    return number;
  }

  override values(expressions: readonly Expression[]): Promise<Float32Array[]> {
    const values = new Promise<Float32Array[]>((resolve, reject) => {
      const own = arrayOf(expressions, "values", "an array of expressions").map((found, i) => this.own(found, "values", i));
      this.admit();
      this.#waiting.push({ expressions: own, resolve, reject });
      this.#flushing ??= this.#flushAll();
    });
    return this.owner.access.asked(values);
  }

  /**
   * What all of the promises come to, in their order: those of `async` functions that record on this graph. Each goes on until it
   * waits for a value; once all wait, everything recorded runs at once. One that rejects does not stop the others, which have
   * the same graph until it ends. One that never settles holds up nobody but who waits for the join, and that until the signal is
   * aborted, when it counts as rejected with `ABORTED`, or until the graph ends, with `DISPOSED`. A signal ends the wait and not the
   * graph, which goes on for whoever has it: a program that is let go of may ask for values until the graph's function ends.
   */
  join<T>(programs: Iterable<T | PromiseLike<T>>, options: JoinOptions & { readonly settled: true }): Promise<PromiseSettledResult<T>[]>;
  join<T extends readonly unknown[] | []>(programs: T, options?: JoinOptions & { readonly settled?: false }): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }>;
  join<T>(programs: Iterable<T | PromiseLike<T>>, options?: JoinOptions & { readonly settled?: false }): Promise<T[]>;
  join<T>(programs: Iterable<T | PromiseLike<T>>, options?: JoinOptions): Promise<T[] | PromiseSettledResult<T>[]> {
    const all = arrayOf(programs, "join", "an array of promises") as (T | PromiseLike<T>)[];
    for (const [i, program] of all.entries()) {
      if (typeof program === "function") refuse(`join: [${i}]`, "a promise", program, ": call the function");
    }
    const { settled, signal } = checks.join.take(options, "join: options");
    const lasting = all.map((program) => this.#lasting(program));
    return followed<T[] | PromiseSettledResult<T>[]>(undefined, { signal }, ({ signal }) =>
      settled ? Promise.allSettled(lasting.map((program) => unlessAborted(signal, program))) : unlessAborted(signal, Promise.all(lasting)),
    );
  }

  /**
   * The gradients of a loss, `1 x 1`, for an optimiser's step; {@link Expression.gradient} then has those of variables. In a graph
   * that trains.
   */
  async backward(loss: Expression): Promise<Gradients> {
    const own = this.own(loss, "backward: loss");
    if (own.rows !== 1 || own.columns !== 1) misfit("backward", "a loss of 1 x 1 (`graph.mean` makes one of many)", own);
    if (!this.#training) throw errorOf("OPTION_INVALID", "backward: expected a graph that trains: { training: true }");
    this.admit();
    const gradients = await this.#run((code, data) => {
      this.#wentBack = this.tape.expressions;
      return this.#program.backward(code, data, own.number);
    });
    return new Gradients(this.owner, this.#instance, gradients, this.device);
  }

  /** @internal */
  override async gradientOf(variable: Expression): Promise<Float32Array> {
    const own = this.own(variable, "gradient");
    this.admit();
    if (!this.variables.has(own.number)) throw errorOf("OPTION_INVALID", "gradient: expected a variable of the graph (`graph.variable`)");
    if (this.#wentBack === 0) throw errorOf("OPTION_INVALID", "gradient: there is none before `graph.backward`");
    if (own.number >= this.#wentBack) throw errorOf("OPTION_INVALID", "gradient: the variable was recorded after `graph.backward`");
    return this.#do(() => this.#program.gradient(own.number));
  }

  /** What has run so far, in its order. */
  async explain(): Promise<Explanation> {
    this.admit();
    await this.#underWay;
    return this.#instance.attempt(() => this.#program.explain());
  }

  /** Ends it: who still waits hears so, and all that it made is freed. @internal */
  async close(): Promise<void> {
    const ended = errorOf("DISPOSED", "this graph has ended: it lasts as long as the function that it was given to");
    this.#end ??= ended;
    for (const { reject } of this.#waiting.splice(0)) reject(ended);
    for (const reject of this.#joined) reject(ended);
    await this.#underWay;
    this.#instance.free(this.#program);
  }

  /** What a promise comes to, unless the graph ends before, or has ended. */
  #lasting<T>(program: T | PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#joined.add(reject);
      const done = () => this.#joined.delete(reject);
      Promise.resolve(program).finally(done).then(resolve, reject);
      if (this.#end) reject(this.#end);
    });
  }

  /** Runs until nobody waits, each time after everybody who can go on has. */
  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await turn();
      await this.#flush();
    }
    this.#flushing = undefined;
  }

  async #flush(): Promise<void> {
    const requests = this.#waiting.splice(0);
    if (requests.length === 0) return;
    const wanted = Uint32Array.from(requests.flatMap(({ expressions }) => expressions.map(({ number }) => number)));
    try {
      const values = await this.#run((code, data) => this.#program.run(code, data, wanted));
      let at = 0;
      for (const { expressions, resolve } of requests) {
        resolve(expressions.map(({ rows, columns }) => values.slice(at, (at += rows * columns))));
      }
    } catch (error) {
      for (const { reject } of requests) reject(ours(error));
    }
  }

  /** Has the engine record and run what was recorded here. */
  async #run<T>(work: (code: Int32Array, data: Float32Array) => T | Promise<T>): Promise<Awaited<T>> {
    try {
      return await this.#do(() => {
        const { code, data } = this.tape.take();
        return work(code, data);
      });
    } catch (error) {
      // What was recorded may be there in part.
      this.#end ??= ours(error);
      throw error;
    }
  }

  /** Has the engine do something, after all else that it does for this graph. */
  #do<T>(work: () => T | Promise<T>): Promise<Awaited<T>> {
    return this.owner.access.asked(this.#after(work));
  }

  async #after<T>(work: () => T | Promise<T>): Promise<Awaited<T>> {
    const before = this.#underWay;
    let done: () => void = () => undefined;
    this.#underWay = new Promise<void>((resolve) => {
      done = resolve;
    });
    try {
      await before;
      this.admit();
      return await this.#instance.call(work);
    } finally {
      done();
    }
  }
}
