/** Parameters: what is learned, and the scopes of graphs that use it. */

import { refuse } from "../arguments/check.js";
import { errorOf, SaccadeError } from "../errors.js";
import { bind } from "../owner.js";
import { about, fileIn } from "../source.js";
import type { Disposes, FileSource, Numbers } from "../types.js";
import { Access } from "./access.js";
import { glue, type Instance, started } from "./binary.js";
import { CellCode, type Results } from "./cell.js";
import { arrayOf, shapeOf, sizeOf, valuesOf } from "./checks.js";
import { Declarations } from "./declarations.js";
import type { Expression } from "./expression.js";
import { Graph } from "./graph.js";
import * as layers from "./layers.js";
import { checks, type GraphOptions, type LayerOptions, type ParameterOptions, type ParametersOptions, type RunOptions } from "./options.js";
import type { Parameter } from "./parameter.js";

/** What the engine holds of parameters, until it is freed. */
class Held {
  readonly instance: Instance;
  #weights: glue.Weights | undefined;

  constructor(instance: Instance, weights: glue.Weights) {
    this.instance = instance;
    this.#weights = weights;
  }

  /** To be asked for as it is used: whoever waited for a turn may find it freed, and what is freed stops the engine. */
  get weights(): glue.Weights {
    return this.#weights ?? gone();
  }

  free(): void {
    if (this.#weights) this.instance.free(this.#weights);
    this.#weights = undefined;
  }
}

function gone(): never {
  throw errorOf("DISPOSED", "these parameters were disposed");
}

const free = (held: Held) => held.free();
/** Parameters that were forgotten without `dispose`. */
const forgotten = new FinalizationRegistry(free);

/** A function that records on a graph, which lasts until the function ends. */
export type Scope<T> = (graph: Graph) => T | PromiseLike<T>;

/**
 * Named parameters and layers. All are declared before the first graph; what declares them gives what records them. The engine
 * is fetched on first use.
 *
 * Any number of graphs use them at once. What changes them (`set`, `load`, and an optimiser's `step` and `learn`) waits until none
 * is open, as long as these compute. Once the functions of those that are open wait for anything else, such as a timer, a file, or
 * the change itself, which would never come, the change rejects with `OPTION_INVALID`.
 */
export class Parameters implements Disposes {
  /** @internal */
  readonly access = new Access();
  readonly #seed: number;
  readonly #declarations = new Declarations(this);
  #making: Promise<Held> | undefined;
  #held: Held | undefined;
  #disposed = false;

  constructor(options?: ParametersOptions) {
    this.#seed = checks.parameters.take(options, "Parameters: options").seed ?? 0;
    bind(this);
  }

  /** A parameter of one's own: a matrix, or a vector if no columns are given. For {@link Expression.affine} and cells. */
  parameter(name: string, rows: number, columns?: number, options?: ParameterOptions): Parameter {
    const taken = checks.name.take(name, "parameter: name");
    const at = `parameter ${JSON.stringify(taken)}`;
    const shape = [sizeOf(rows, `${at}: rows`, 1), columns == null ? 0 : sizeOf(columns, `${at}: columns`, 1)] as const;
    shapeOf(rows, columns ?? 1, at);
    const { bound = columns == null ? 0 : 1 / Math.sqrt(columns) } = checks.parameter.take(options, `${at}: options`);
    return this.#declarations.parameter(taken, ...shape, bound);
  }

  /** A table of so many rows, such as a vector of `size` numbers for each of some words. */
  embedding(name: string, words: number, size: number): layers.Embedding {
    const at = this.#sized("embedding", name, { words, size });
    const [weight] = this.#declarations.plain("embedding", name, [words, size], [["weight", words, size]] as const);
    return layers.embedding(weight, at);
  }

  /** `x Wᵀ + b`. */
  linear(name: string, inputSize: number, outputSize: number): layers.Linear {
    const at = this.#sized("linear", name, { inputSize, outputSize });
    const shapes = [["weight", outputSize, inputSize], ["bias", outputSize, 0]] as const;
    const [weight, bias] = this.#declarations.plain("linear", name, [inputSize, outputSize], shapes);
    return layers.linear(weight, bias, at);
  }

  /** An Elman network (PyTorch `nn.RNN`) with tanh. */
  elman = this.#recurrent("elman");
  /** Long short-term memory (PyTorch `nn.LSTM`). */
  lstm = this.#recurrent("lstm");
  /** Gated recurrent unit (PyTorch `nn.GRU`). */
  gru = this.#recurrent("gru");
  /** Simple recurrent unit (the `sru` package's `SRU`). */
  sru = this.#recurrent("sru");

  /**
   * A function of expressions, recorded once: wherever it is called it is one node. It makes each row of its results of the
   * same row of its operands, which have the given `columns`: by products with parameters, element by element, by columns.
   */
  cell<Inputs extends Expression[], Result extends Results>(
    name: string,
    columns: readonly number[],
    run: (...inputs: Inputs) => Result,
  ): (...operands: Inputs) => Result {
    const taken = checks.name.take(name, "cell: name");
    const at = `cell ${JSON.stringify(taken)}`;
    const sizes = arrayOf(columns, `${at}: columns`, "an array of sizes").map((size, i) => sizeOf(size, `${at}: columns[${i}]`));
    if (sizes.length === 0) throw errorOf("OPTION_INVALID", `${at}: expected the columns of an operand or more, found none`);
    if (typeof run !== "function") refuse(`${at}: run`, "a function", run);
    const code = new CellCode(this, taken, sizes, (inputs) => run(...(inputs as Inputs)));
    return (...operands) => code.call(operands) as Result;
  }

  /** Gives a graph to a function, and what the function makes of it. What the graph computed is freed when the function ends. */
  async run<T>(scope: Scope<T>, options?: RunOptions): Promise<T> {
    const { training = false, ...others } = checks.run.take(options, "run: options");
    return this.within(scope, training, others, "run");
  }

  /** The names of all parameters, in the order they were declared. */
  async names(): Promise<string[]> {
    await this.#made();
    return this.#declarations.names();
  }

  /** The values of a parameter, row by row. */
  async values(parameter: Parameter | string): Promise<Float32Array> {
    const held = await this.#made();
    const number = this.numberOf(parameter, "values: parameter");
    return this.access.shared(() => this.access.inTurn(() => held.instance.call(() => held.weights.values(number))));
  }

  /** Puts values in the place of a parameter's. It waits until no graph is open, and is not to be awaited within one. */
  async set(parameter: Parameter | string, values: Numbers): Promise<void> {
    const held = await this.#made();
    const number = this.numberOf(parameter, "set: parameter");
    const [rows, columns] = this.#declarations.shape(number);
    const taken = Float32Array.from(valuesOf(values, "set: values", { rows, columns: columns || 1 }));
    await this.access.alone("set", () => held.instance.call(() => held.weights.set(number, taken)));
  }

  /** All of them as a safetensors file. */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    const held = await this.#made();
    const bytes = this.access.shared(() => this.access.inTurn(() => held.instance.call(() => held.weights.bytes())));
    return (await bytes) as Uint8Array<ArrayBuffer>;
  }

  /**
   * Puts the values of a file that has the same names and shapes in the place of all. It waits until no graph is open, and is not
   * to be awaited within one.
   */
  async load(file: FileSource | PromiseLike<FileSource>): Promise<void> {
    const found = await fileIn(file, { by: "load", cache: false }, {});
    const held = await this.#made();
    await this.access.alone("load", () => held.instance.call(() => held.weights.load(found.bytes))).catch(about(found));
  }

  /** Frees them; graphs that are open end as they would. */
  dispose(): void {
    this.#disposed = true;
    forgotten.unregister(this);
    if (this.#held) free(this.#held);
    this.#held = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  numberOf(parameter: unknown, at: string): number {
    return this.#declarations.numberOf(parameter, at);
  }

  /** Opens a graph for a function. @internal */
  async within<T>(scope: Scope<T>, training: boolean, options: GraphOptions, by: string): Promise<T> {
    if (typeof scope !== "function") refuse(`${by}: scope`, "a function", scope);
    const held = await this.#made();
    return this.access.shared(async () => {
      const program = await this.access.inTurn(() => opened(held, training, options));
      const graph = new Graph(this, held.instance, program, training);
      try {
        return await this.access.open(() => scope(graph));
      } finally {
        await graph.close();
      }
    });
  }

  /** Does what changes the weights, once no graph is open. @internal */
  async change<T>(by: string, work: (held: Held) => Promise<T>): Promise<T> {
    const held = await this.#made();
    return this.access.alone(by, () => work(held));
  }

  #recurrent<Kind extends keyof layers.States>(kind: Kind) {
    type State = layers.States[Kind];
    const declare = (name: string, inputSize: number, hiddenSize: number, options?: LayerOptions) => {
      const at = this.#sized(kind, name, { inputSize, hiddenSize });
      const { bidirectional = false } = checks.layer.take(options, `${at}: options`);
      const layer = this.#declarations.recurrent(kind, name, inputSize, hiddenSize, bidirectional);
      return bidirectional ? layers.bidirectional(kind, layer) : layers.recurrent(kind, layer);
    };
    return declare as Declare<State>;
  }

  /** Checks a layer's name and sizes; what its errors begin with. */
  #sized(kind: string, name: unknown, sizes: Readonly<Record<string, unknown>>): string {
    const at = `${kind} ${JSON.stringify(checks.name.take(name, `${kind}: name`))}`;
    const [input, output] = Object.entries(sizes).map(([what, size]) => sizeOf(size, `${at}: ${what}`, 1));
    // Of a gated layer there are four such matrices.
    shapeOf(input, 4 * (output ?? 1), at);
    return at;
  }

  async #made(): Promise<Held> {
    if (this.#disposed) gone();
    const held = await (this.#making ??= this.#make());
    if (this.#disposed) gone();
    return held;
  }

  async #make(): Promise<Held> {
    try {
      const instance = await started();
      const held = new Held(instance, instance.attempt(() => new glue.Weights(this.#seed)));
      try {
        instance.attempt(() => this.#declarations.make(held.weights));
      } catch (error) {
        free(held);
        throw error;
      }
      this.#held = held;
      forgotten.register(this, held, this);
      if (this.#disposed) this.dispose();
      return held;
    } catch (error) {
      // A binary that did not arrive is fetched again by the next call.
      this.#making = undefined;
      throw error;
    }
  }
}

/** Declares a recurrent layer. */
export interface Declare<State> {
  (name: string, inputSize: number, hiddenSize: number, options: LayerOptions & { readonly bidirectional: true }): layers.Bidirectional<State>;
  (name: string, inputSize: number, hiddenSize: number, options?: LayerOptions & { readonly bidirectional?: false }): layers.Recurrent<State>;
}

async function opened(held: Held, training: boolean, options: GraphOptions): Promise<glue.Program> {
  const { strategy = "levels", device = "cpu", seed = 0 } = options;
  const open = (on: string) => held.instance.call(() => glue.Program.open(held.weights, training, seed, strategy, on));
  if (device === "cpu") return open("cpu");
  try {
    return await open("webgpu");
  } catch (error) {
    const hasNoGpu = error instanceof SaccadeError && error.code.startsWith("DEVICE_");
    if (device === "webgpu-only" || !hasNoGpu) throw error;
    return open("cpu");
  }
}
