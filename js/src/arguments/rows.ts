/** Numbers that a layer computes with: rows, states, lengths. */

import { errorOf } from "../errors.js";
import type { Counts, Initial, Numbers, Rows } from "../types.js";
import { type Check, isCount, isRecord, refuse, tagOf } from "./check.js";

/** How a state is divided: into h and c, h alone, or c alone. */
export type Parts = readonly ("h" | "c")[];

const NONE = new Float32Array();

function isTyped(found: unknown): found is Exclude<Numbers, readonly number[]> {
  return ArrayBuffer.isView(found) && "length" in found && !tagOf(found).startsWith("Big");
}

/** Numbers in 32 bits, the same array if it has them. */
function numbers(found: unknown, at: string, expected: string): Float32Array {
  // Most are, and each call of a step has several.
  if (ArrayBuffer.isView(found) && found instanceof Float32Array && found.length > 0) return found;
  if (isTyped(found)) {
    // Of a buffer that was given to another thread nothing is left.
    if (found.length === 0) new Uint8Array(found.buffer);
    return tagOf(found) === "Float32Array" ? (found as Float32Array) : Float32Array.from(found);
  }
  if (!Array.isArray(found)) refuse(at, expected, found);
  const taken = new Float32Array(found.length);
  for (let i = 0; i < taken.length; i++) {
    const value: unknown = found[i];
    if (typeof value !== "number") refuse(`${at}[${i}]`, "a number", value);
    taken[i] = value;
  }
  return taken;
}

/** Rows of as many numbers. */
export function rows(width: number): Check<Rows, Float32Array> {
  const of = `${width} number${width === 1 ? "" : "s"}`;
  const expected = `rows of ${of} in a Float32Array, an array of numbers, or an array of rows`;
  return {
    expected,
    take(found, at) {
      const nested = Array.isArray(found) && (Array.isArray(found[0]) || isTyped(found[0]));
      if (!nested) {
        const taken = numbers(found, at, expected);
        if (taken.length % width !== 0) throw errorOf("OPTION_INVALID", `${at}: expected rows of ${of}, found ${taken.length} numbers`);
        return taken;
      }
      const taken = new Float32Array(width * found.length);
      for (let i = 0; i < found.length; i++) {
        const row = numbers(found[i], `${at}[${i}]`, `a row of ${of}`);
        if (row.length !== width) refuse(`${at}[${i}]`, `a row of ${of}`, found[i]);
        taken.set(row, i * width);
      }
      return taken;
    },
  };
}

/** The parts of a state end to end; `columns` has those of each part, where they differ. */
export function initial<State>(parts: Parts, columns: readonly number[] = [1, 1]): Check<Initial<State>, Float32Array> {
  const pair = parts.length === 2;
  const expected = pair ? "{ h, c }, [h, c], or an earlier result" : `{ ${parts[0]} }, its numbers, or an earlier result`;
  /** The values of the parts, with their names. */
  const named = (found: unknown, at: string): readonly (readonly [name: string, value: unknown])[] => {
    if (pair && Array.isArray(found) && found.length === 2) return parts.map((_, i) => [`${at}[${i}]`, found[i]]);
    if (!pair && (Array.isArray(found) || isTyped(found))) return [[at, found]];
    if (!isRecord(found)) refuse(at, expected, found);
    if ("output" in found && "state" in found) return named(found.state, `${at}.state`);
    for (const key in found) {
      if (found[key] != null && !parts.some((part) => part === key)) refuse(at, expected, found);
    }
    if (parts.some((part) => found[part] == null)) refuse(at, expected, found);
    return parts.map((part) => [`${at}.${part}`, found[part]]);
  };
  return {
    expected,
    take(found, at) {
      const values = named(found, at).map(([name, value]) => numbers(value, name, "numbers, as in a Float32Array"));
      const [first = NONE, second] = values;
      if (!second) return first;
      const [ofH = 1, ofC = 1] = columns;
      if (first.length * ofC !== second.length * ofH) {
        const expected = ofH === ofC ? "as many numbers in h as in c" : `${ofH} numbers in h for every ${ofC} in c`;
        throw errorOf("OPTION_INVALID", `${at}: expected ${expected}, found ${first.length} and ${second.length}`);
      }
      const taken = new Float32Array(first.length + second.length);
      taken.set(first);
      taken.set(second, first.length);
      return taken;
    },
  };
}

/** How many rows each sequence has. */
export const lengths: Check<Counts, readonly number[]> = {
  expected: "an array of whole numbers",
  take(found, at) {
    const typed = ArrayBuffer.isView(found) && "length" in found;
    if (!typed && !Array.isArray(found)) refuse(at, this.expected, found);
    // Those of 64 bits are no numbers yet.
    const all: unknown[] = typed ? Array.from(found as BigInt64Array | Float64Array, Number) : Array.from(found as unknown[]);
    const wrong = all.findIndex((length) => !isCount(length));
    if (wrong >= 0) refuse(`${at}[${wrong}]`, "a whole number", all[wrong]);
    return all as number[];
  },
};
