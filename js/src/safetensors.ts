/** Shapes in a safetensors file, from which a layer's sizes follow. The engine checks everything else. */

import { errorOf } from "./errors.js";

/** The shapes of the tensors under a prefix. */
export interface Shapes {
  has(name: string): boolean;
  /** How many of the names that a number makes are there, from 0 on. */
  count(name: (number: number) => string): number;
  vector(name: string): number;
  matrix(name: string): readonly [rows: number, columns: number];
}

/** Reads the header. */
export function shapesOf(bytes: Uint8Array, prefix: string): Shapes {
  const header = parse(bytes);
  const shape = (name: string, dimensions: number): readonly number[] => {
    const found: unknown = header[prefix + name]?.shape;
    const sizes = Array.isArray(found) && found.length === dimensions && found.every(Number.isSafeInteger) ? found : null;
    if (!sizes) {
      const what = found === undefined ? "it is not there" : `found shape ${JSON.stringify(found)}`;
      const expected = dimensions === 1 ? "a vector" : "a matrix";
      throw errorOf("MODEL_TENSORS", `tensor ${JSON.stringify(prefix + name)}: expected ${expected}, ${what}`);
    }
    return sizes;
  };
  const has = (name: string) => Object.hasOwn(header, prefix + name);
  return {
    has,
    count: (name) => {
      let count = 0;
      while (has(name(count))) count++;
      return count;
    },
    vector: (name) => shape(name, 1)[0] ?? 0,
    matrix: (name) => {
      const [rows = 0, columns = 0] = shape(name, 2);
      return [rows, columns];
    },
  };
}

function parse(bytes: Uint8Array): Record<string, { shape?: unknown } | undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const length = Number(view.getBigUint64(0, true));
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    if (typeof json === "object" && json !== null) return json as Record<string, { shape?: unknown }>;
  } catch (error) {
    throw errorOf("MODEL_INVALID", "this is no safetensors file: its header cannot be read", error);
  }
  throw errorOf("MODEL_INVALID", "this is no safetensors file: its header is no object");
}
