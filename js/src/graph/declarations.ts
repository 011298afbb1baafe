/** What parameters are declared before the engine makes them, which happens on first use. */

import { oneOf, refuse } from "../arguments/check.js";
import { errorOf } from "../errors.js";
import type { glue } from "./binary.js";
import type { Declared } from "./layers.js";
import { type Owner, Parameter } from "./parameter.js";

/** Declarations in their order. */
export class Declarations {
  readonly #owner: Owner;
  readonly #names = new Set<string>();
  readonly #makes: ((weights: glue.Weights) => void)[] = [];
  readonly #parameters: Parameter[] = [];
  #numbers: ReadonlyMap<string, number> | undefined;
  #shapes: Uint32Array = new Uint32Array();

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  parameter(name: string, rows: number, columns: number, bound: number): Parameter {
    this.#admit(name, "parameter");
    this.#makes.push((weights) => weights.parameter(name, rows, columns, bound));
    return this.#named(name, rows, columns);
  }

  /** A layer whose parameters have the given shapes. */
  plain<const Names extends readonly string[]>(
    kind: "embedding" | "linear",
    name: string,
    [input, output]: readonly [number, number],
    shapes: { readonly [I in keyof Names]: readonly [name: Names[I], rows: number, columns: number] },
  ): { readonly [I in keyof Names]: Parameter } {
    this.#admit(name, kind);
    this.#makes.push((weights) => weights.layer(kind, name, input, output, false));
    return shapes.map(([of, rows, columns]) => this.#named(`${name}.${of}`, rows, columns)) as { readonly [I in keyof Names]: Parameter };
  }

  recurrent(kind: string, name: string, input: number, output: number, bidirectional: boolean): Declared {
    this.#admit(name, kind);
    const layer: Declared = { owner: this.#owner, name, input, output, number: -1 };
    this.#makes.push((weights) => {
      layer.number = weights.layer(kind, name, input, output, bidirectional);
    });
    return layer;
  }

  /** Makes all of them, and no more after that. If one cannot be made it says so, as often as it is tried. */
  make(weights: glue.Weights): void {
    for (const make of this.#makes) make(weights);
    const numbers = new Map(weights.names().map((name, number) => [name, number]));
    for (const parameter of this.#parameters.splice(0)) parameter.number = numbers.get(parameter.name) ?? -1;
    this.#makes.length = 0;
    this.#shapes = weights.shapes();
    this.#numbers = numbers;
  }

  /** The names of the parameters that were made, by their numbers. */
  names(): string[] {
    return [...(this.#numbers?.keys() ?? [])];
  }

  /** The rows and columns of a parameter that was made; a vector has 0 columns. */
  shape(number: number): readonly [rows: number, columns: number] {
    const [rows = 0, columns = 0] = this.#shapes.subarray(2 * number);
    return [rows, columns];
  }

  /** The number of a parameter that was made. */
  numberOf(found: unknown, at: string): number {
    if (found instanceof Parameter) {
      if (found.owner !== this.#owner) throw errorOf("OPTION_INVALID", `${at}: ${JSON.stringify(found.name)} belongs to other parameters`);
      return found.number;
    }
    if (typeof found !== "string") refuse(at, "a parameter or its name", found);
    const number = this.#numbers?.get(found);
    return number ?? refuse(at, oneOf(...this.names()).expected, found);
  }

  #named(name: string, rows: number, columns: number): Parameter {
    const parameter = new Parameter(this.#owner, name, rows, columns);
    this.#parameters.push(parameter);
    return parameter;
  }

  #admit(name: string, kind: string): void {
    if (this.#numbers) throw errorOf("OPTION_INVALID", `${kind} ${JSON.stringify(name)}: these parameters are in use and grow no more; declare all before the first graph`);
    if (this.#names.has(name)) throw errorOf("OPTION_INVALID", `${kind} ${JSON.stringify(name)}: there is one of this name`);
    this.#names.add(name);
  }
}
