/** What is checked while a graph is recorded, so that a mistake is an error on the caller's line. */

import { inWords, isCount, refuse, tagOf } from "../arguments/check.js";
import { errorOf } from "../errors.js";
import type { Numbers } from "../types.js";
import type { Expression } from "./expression.js";

/** Rows and columns. */
export interface Shape {
  readonly rows: number;
  readonly columns: number;
}

/** A shape, for a message. */
export function shapeInWords({ rows, columns }: Shape): string {
  return `${rows} x ${columns}`;
}

/** Throws that shapes do not fit an operation. */
export function misfit(operation: string, expected: string, ...found: readonly Shape[]): never {
  throw errorOf("OPTION_INVALID", `${operation}: expected ${expected}, found ${found.map(shapeInWords).join(" and ")}`);
}

/** So many take 1 GiB; more fit no memory of WebAssembly's 4 GiB beside their copies and what is computed of them. */
const MOST = 2 ** 28;

/** A shape that there is memory for. */
export function shapeOf(rows: unknown, columns: unknown, at: string): Shape {
  const shape = { rows: sizeOf(rows, `${at}: rows`), columns: sizeOf(columns, `${at}: columns`) };
  shapeFits(shape, at);
  return shape;
}

/** Throws if there are more numbers than there can be memory for. */
export function shapeFits(shape: Shape, at: string): void {
  if (shape.rows * shape.columns > MOST) misfit(at, "at most 2 ** 28 numbers", shape);
}

/** A number of rows or columns. */
export function sizeOf(found: unknown, at: string, least = 0): number {
  if (isCount(found) && found >= least && found < 2 ** 31) return found;
  return refuse(at, `a whole number from ${least} to 2 ** 31 - 1`, found);
}

/** A finite number within a range. */
export function numberOf(found: unknown, at: string, from = -Infinity, below = Infinity): number {
  if (typeof found === "number" && Number.isFinite(found) && found >= from && found < below) return found;
  const range = from === -Infinity ? "" : below === Infinity ? ` from ${from}` : ` from ${from} to below ${below}`;
  return refuse(at, `a finite number${range}`, found);
}

function isList(found: unknown): found is ArrayLike<unknown> {
  return Array.isArray(found) || (ArrayBuffer.isView(found) && "length" in found);
}

/** Whole numbers below a bound, such as words or rows. */
export function indicesOf(found: unknown, operation: string, which: string, bound: number): ArrayLike<number> {
  if (!isList(found)) refuse(`${operation}: ${which}`, "an array of whole numbers", found);
  for (let i = 0; i < found.length; i++) {
    const index = found[i];
    if (!isCount(index) || index >= bound) refuse(`${operation}: ${which}[${i}]`, `a whole number below ${bound}`, index);
  }
  return found as ArrayLike<number>;
}

/** As many numbers as a shape has places. */
export function valuesOf(found: unknown, at: string, shape: Shape): ArrayLike<number> {
  const count = shape.rows * shape.columns;
  if (!isList(found) || tagOf(found).startsWith("Big")) refuse(at, `an array of ${count} numbers`, found);
  if (found.length !== count) {
    throw errorOf("OPTION_INVALID", `${at}: expected ${count} numbers for ${shapeInWords(shape)}, found ${found.length}`);
  }
  for (let i = 0; i < count; i++) {
    const value = found[i];
    if (typeof value !== "number" || Number.isNaN(value)) refuse(`${at}[${i}]`, "a number", value);
  }
  return found as Numbers;
}

/** Several of something, in an array of its own. */
export function arrayOf(found: unknown, at: string, expected: string): unknown[] {
  if (Array.isArray(found)) return found;
  if (typeof found === "object" && found !== null && Symbol.iterator in found) return [...(found as Iterable<unknown>)];
  return refuse(at, expected, found);
}

/** What a function gave in the place of an expression. */
export function notExpression(found: unknown, at: string): never {
  const promise = typeof (found as Partial<Expression> & PromiseLike<unknown> | null)?.then === "function";
  const hint = promise ? ": it is a promise, await it" : "";
  throw errorOf("OPTION_INVALID", `${at}: expected an expression, found ${inWords(found)}${hint}`);
}
