/** What the arguments of several functions are made of. */

import type { RaceOptions } from "../measure.js";
import type { CallOptions, Decision, DevicePreference, Force, ManyOptions, Precision, Texts, TextStream } from "../types.js";
import { boolean, type Check, is, isCount, number, oneOf, optional, positive, refuse, tagOf, unreadable } from "./check.js";
import type { Fields } from "./options.js";

export const device = oneOf("cpu", "webgpu", "auto", "webgpu-only") satisfies Check<DevicePreference>;
export const precision = oneOf("f32", "bf16") satisfies Check<Precision>;
export const decision = oneOf("read", "skim") satisfies Check<Decision>;
export const maybe = optional(boolean);

/** By its methods: those of other windows, and of libraries, count too. */
export const signal = is<AbortSignal>("an AbortSignal", (found) => {
  if (typeof found !== "object" || found === null) return false;
  const { aborted, addEventListener, removeEventListener } = found as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function" && typeof removeEventListener === "function";
});

/** A function; what it is told is up to the package, what it does up to the caller. */
export function callback<F extends (...told: never) => unknown>(): Check<F> {
  return is<F>("a function", (found) => typeof found === "function");
}

export const call = {
  signal: optional(signal),
  onProgress: optional(callback<NonNullable<CallOptions["onProgress"]>>()),
} satisfies Fields<CallOptions>;

export const measureMs = optional(number("a number of milliseconds from 0 to 60,000", [0, 60_000]));

export const turns = {
  rounds: optional(positive),
  sampleMs: measureMs,
  budgetMs: measureMs,
  sittings: optional(positive),
  pauseMs: measureMs,
  clock: optional(callback<NonNullable<RaceOptions["clock"]>>()),
  signal: call.signal,
  onRound: optional(callback<NonNullable<RaceOptions["onRound"]>>()),
} satisfies Fields<RaceOptions>;

/** A whole number as a key of an object. */
const INDEX = /^(?:0|[1-9]\d*)$/;

export const force: Check<Force, Readonly<Record<number, Decision>>> = {
  expected: 'an object or a Map from numbers to "read" or "skim"',
  take(found, at) {
    const tag = tagOf(found);
    if (tag !== "Object" && tag !== "Array" && tag !== "Map") refuse(at, this.expected, found);
    const taken: Record<number, Decision> = {};
    const entries = tag === "Map" ? (found as ReadonlyMap<unknown, unknown>) : Object.entries(found as object);
    for (const [key, value] of entries) {
      const index = typeof key === "string" && tag !== "Map" && INDEX.test(key) ? Number(key) : key;
      if (!isCount(index)) refuse(at, "numbers of tokens or rows", key);
      // An array has a place for every token.
      if (tag === "Array" && value == null) continue;
      taken[index] = decision.take(value, `${at}[${index}]`);
    }
    return taken;
  },
};

/** Who tells more workers than any machine has processors means something else. */
const MOST_WORKERS = 1024;

export const many = {
  workers: optional(
    is<NonNullable<ManyOptions["workers"]>>(`a whole number from 0 to ${MOST_WORKERS.toLocaleString("en")}, or "auto"`, (found) => {
      return found === "auto" || (isCount(found) && found <= MOST_WORKERS);
    }),
  ),
} satisfies Fields<ManyOptions>;

/** Many texts. */
export const texts: Check<Texts, readonly string[]> = {
  expected: "an array of strings, or another iterable of them",
  take(found, at) {
    const one = typeof found === "string" || tagOf(found) === "String";
    if (one || typeof found !== "object" || found === null || !(Symbol.iterator in found)) {
      refuse(at, this.expected, found, one ? ": give one text in an array" : "");
    }
    const all: string[] = [];
    try {
      for (const text of found as Iterable<unknown>) {
        if (typeof text !== "string") refuse(`${at}[${all.length}]`, "a string", text);
        all.push(text);
      }
    } catch (thrown) {
      throw unreadable(`${at}[${all.length}]`, thrown);
    }
    return all;
  },
};

/** Texts that are looked at when their turn comes. */
export const stream: Check<TextStream> = {
  expected: "an array of strings, or another iterable of them, async or not",
  take(found, at) {
    const one = typeof found === "string" || tagOf(found) === "String";
    if (one || typeof found !== "object" || found === null || !(Symbol.iterator in found || Symbol.asyncIterator in found)) {
      refuse(at, this.expected, found, one ? ": give one text in an array" : "");
    }
    return found as TextStream;
  },
};
