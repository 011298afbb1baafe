/** What a value must be, and how what it is instead is told. Everything an argument may be is made of these. */

import { errorOf, messageOf, SaccadeError } from "../errors.js";

/** A type that nothing but itself can stand for: neither a wider nor a narrower one. */
type Exactly<T> = <U>() => U extends T ? 1 : 2;

/** Takes what the public types call `In`, and gives it as the engine has it. */
export interface Check<In, Out = In> {
  /** What is expected, in words. */
  readonly expected: string;
  /** The value, if it is what is expected; throws `OPTION_INVALID` otherwise. `at` is the argument's name. */
  take(found: unknown, at: string): Out;
  /** Only there to be compared. */
  readonly accepts?: Exactly<In>;
}

/** Throws that an argument is something else. */
export function refuse(at: string, expected: string, found: unknown, hint = ""): never {
  throw errorOf("OPTION_INVALID", `${at}: expected ${expected}, found ${inWords(found)}${hint}`);
}

/** What is told where the caller's own code, an iterator or a getter, threw; an error of ours says enough. */
export function unreadable(at: string, thrown: unknown): SaccadeError {
  return thrown instanceof SaccadeError ? thrown : errorOf("OPTION_INVALID", `${at}: it cannot be read (${messageOf(thrown)})`, thrown);
}

/** A check that gives the value as it is. */
export function is<T>(expected: string, fits: (found: unknown) => boolean): Check<T> {
  return { expected, take: (found, at) => (fits(found) ? (found as T) : refuse(at, expected, found)) };
}

/** What another part of the package checks. */
export function unchecked<T>(): Check<T> {
  return { expected: "anything", take: (found) => found as T };
}

export const string = is<string>("a string", (found) => typeof found === "string");

export const boolean = is<boolean>("true or false", (found) => typeof found === "boolean");

/** A finite number, by default any. */
export function number(expected: string, [from, to]: Range = [-Infinity, Infinity]): Check<number> & { readonly range: Range } {
  const fits = (found: unknown) => typeof found === "number" && Number.isFinite(found) && found >= from && found <= to;
  return { range: [from, to], ...is<number>(expected, fits) };
}

type Range = readonly [from: number, to: number];

/** Whether it is a whole number that the engine has room for. */
export function isCount(found: unknown): found is number {
  return typeof found === "number" && Number.isInteger(found) && found >= 0 && found < 2 ** 32;
}

export const count = is<number>("a whole number from 0 to 2 ** 32 - 1", isCount);

/** A size of a layer, which crosses as a number of 32 bits of which one stands for none. */
export const size = {
  range: [0, 2 ** 31 - 1] as Range,
  ...is<number>("a whole number from 0 to 2 ** 31 - 1", (found) => isCount(found) && found < 2 ** 31),
};

/** A whole number other than 0. */
export const positive = {
  range: [1, 2 ** 32 - 1] as Range,
  ...is<number>("a whole number from 1 to 2 ** 32 - 1", (found) => isCount(found) && found > 0),
};

/** One of some words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Check<Word> & { readonly words: readonly Word[] } {
  const quoted = words.map((word) => JSON.stringify(word));
  const expected = `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  return { words, ...is<Word>(expected, (found) => words.some((word) => word === found)) };
}

/** What may be left out; null counts as left out too. */
export function optional<In, Out>(check: Check<In, Out>): Check<In | undefined, Out | undefined> & { readonly of: Check<In, Out> } {
  return { of: check, expected: check.expected, take: (found, at) => (found == null ? undefined : check.take(found, at)) };
}

/** The name of a value's built-in class, whichever window it comes from; `Object` for all others. */
export function tagOf(found: unknown): string {
  return Object.prototype.toString.call(found).slice(8, -1);
}

/** Whether it is an object with keys of its own: of no class of the language or the platform. */
export function isRecord(found: unknown): found is Readonly<Record<string, unknown>> {
  if (typeof found !== "object" || found === null) return false;
  return Object.getPrototypeOf(found) === Object.prototype || tagOf(found) === "Object";
}

/** How many letters of a string are quoted. */
const QUOTED = 40;
/** How many keys of an object are named. */
const NAMED = 6;

/** A value, for a message. */
export function inWords(found: unknown): string {
  switch (typeof found) {
    case "string": {
      const quoted = JSON.stringify(found.length > QUOTED ? `${found.slice(0, QUOTED)}…` : found);
      return `${quoted} (a string)`;
    }
    case "bigint":
      return `${found}n (a bigint)`;
    case "function":
      return "a function";
    case "object":
      return found === null ? "null" : objectInWords(found);
    default:
      return String(found);
  }
}

function objectInWords(found: object): string {
  // A revoked proxy, or one whose traps throw, can be asked nothing.
  try {
    if (Array.isArray(found)) return `an array of ${found.length}`;
    const tag = tagOf(found);
    if (ArrayBuffer.isView(found)) return "length" in found ? `a ${tag} of ${found.length}` : `a ${tag}`;
    const name: unknown = found.constructor?.name;
    const named = tag === "Object" && typeof name === "string" && name ? name : tag;
    if (/^(?:(?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array)$/.test(named)) return `a proxy of a ${named}: give the array itself`;
    if (["Number", "String", "Boolean", "BigInt", "Symbol"].includes(tag)) return `a ${tag} object`;
    if (named !== "Object") return `${/^[AEIOU]/.test(named) ? "an" : "a"} ${named}`;
    const keys = Object.keys(found);
    if (keys.length === 0) return "an object without keys";
    return `an object with ${keys.slice(0, NAMED).join(", ")}${keys.length > NAMED ? " and more" : ""}`;
  } catch {
    return "an object that cannot be read";
  }
}
