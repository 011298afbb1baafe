/** ONNX graphs, node by node. Field numbers are those of `onnx.proto`. */

import { Message } from "./protobuf.ts";

/** An attribute of a node: integer or integers, text, a float, or a graph (the body of a Scan). */
export type Attribute = number | readonly number[] | string | { readonly float: number } | Graph;

const FLOAT = 1;
const INT64 = 7;
/** `AttributeProto.AttributeType`. */
const kinds = { float: 1, int: 2, string: 3, graph: 5, ints: 7 };

/** A name of a value, as nodes refer to it. */
export type Value = string;

/** A graph under construction; values of an outer graph may be named in an inner one. */
export class Graph {
  readonly #proto = new Message();
  readonly #prefix: string;
  #count = 0;

  /** Names within start with `prefix`, which distinguishes them from those of other graphs. */
  constructor(prefix = "") {
    this.#prefix = prefix;
    this.#proto.text(2, `${prefix}graph`);
  }

  /** A f32 input of the graph. */
  input(name: string, shape: readonly number[]): Value {
    this.#proto.message(11, valueInfo(name, shape));
    return name;
  }

  /** Makes `value` an output, in the order of the calls. */
  output(value: Value, shape: readonly number[], type: "f32" | "int64" = "f32"): void {
    this.#proto.message(12, valueInfo(value, shape, type === "int64" ? INT64 : FLOAT));
  }

  /** A f32 constant. */
  constant(shape: readonly number[], data: Float32Array): Value {
    return this.#initializer(FLOAT, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** A vector of int64, as shapes and axes are given. */
  integers(...values: number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.#initializer(INT64, [values.length], new Uint8Array(data.buffer));
  }

  /** An int64 that is no vector. */
  integer(value: number): Value {
    return this.#initializer(INT64, [], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  }

  /** A node with one output, which it returns. */
  op(type: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.node(type, inputs, 1, attributes)[0]!;
  }

  /** A node with `outputs` outputs; an input `""` is one left out. */
  node(type: string, inputs: readonly Value[], outputs: number, attributes: Readonly<Record<string, Attribute>> = {}): Value[] {
    const names = Array.from({ length: outputs }, () => this.#name());
    const proto = new Message();
    for (const input of inputs) proto.text(1, input);
    for (const name of names) proto.text(2, name);
    proto.text(3, `${names[0]}_${type}`).text(4, type);
    for (const [name, value] of Object.entries(attributes)) proto.message(5, attributeOf(name, value));
    this.#proto.message(1, proto);
    return names;
  }

  /** The graph's message, as an attribute or a model holds it. */
  get proto(): Message {
    return this.#proto;
  }

  /** A file with this graph, of operator set 17. */
  model(): Uint8Array<ArrayBuffer> {
    const opset = new Message().text(1, "").integer(2, 17);
    return new Message().integer(1, 8).text(2, "saccade-bench").message(7, this.#proto).message(8, opset).encode();
  }

  #name(): Value {
    return `${this.#prefix}v${this.#count++}`;
  }

  #initializer(type: number, shape: readonly number[], data: Uint8Array): Value {
    const name = this.#name();
    const proto = new Message();
    for (const size of shape) proto.integer(1, size);
    this.#proto.message(5, proto.integer(2, type).text(8, name).bytes(9, data));
    return name;
  }
}

function valueInfo(name: string, shape: readonly number[], element = FLOAT): Message {
  const dims = new Message();
  for (const size of shape) dims.message(1, new Message().integer(1, size));
  const type = new Message().message(1, new Message().integer(1, element).message(2, dims));
  return new Message().text(1, name).message(2, type);
}

function attributeOf(name: string, value: Attribute): Message {
  const proto = new Message().text(1, name);
  if (value instanceof Graph) return proto.message(6, value.proto).integer(20, kinds.graph);
  if (typeof value === "number") return proto.integer(3, value).integer(20, kinds.int);
  if (typeof value === "string") return proto.text(4, value).integer(20, kinds.string);
  if ("float" in value) return proto.float(2, value.float).integer(20, kinds.float);
  for (const one of value) proto.integer(8, one);
  return proto.integer(20, kinds.ints);
}
