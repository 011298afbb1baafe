/** Objects of options: every key has a check, and any other key is an error. */

import { errorOf } from "../errors.js";
import { type Check, isRecord, refuse, unreadable } from "./check.js";
import { nearest } from "./nearest.js";

/** A check for each key of a type: a key that is left out, too many, or of another type does not compile. */
export type Fields<T> = { readonly [K in keyof T]-?: Check<T[K], unknown> };

type OutOf<C> = C extends { take(found: unknown, at: string): infer Out } ? Out : never;
type Untyped = Pick<Check<unknown>, "take">;
type OptionalKeys<F> = { [K in keyof F]: undefined extends OutOf<F[K]> ? K : never }[keyof F];

/** No check for a key that the type does not have. */
type NoOther<T, F> = { readonly [K in Exclude<keyof F, keyof T>]: never };

/** What the checks make of an object: without what was not given. */
export type Taken<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: OutOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: Exclude<OutOf<F[K]>, undefined>;
};

/** An object with keys of which some are needed. */
export function record<T extends object>() {
  return <const F extends Fields<T>>(fields: F & NoOther<T, F>): Check<T, Taken<F>> & { readonly fields: F } => {
    const checks = Object.entries<Untyped>(fields).map(([key, check]) => ({ key, check, mayLack: "of" in check }));
    const names = Object.keys(fields);
    const expected = "an object";
    const take = (found: unknown, at: string) => {
      if (!isRecord(found)) refuse(at, expected, found);
      for (const key in found) {
        // What a library has put into every object is nobody's option.
        if (!Object.hasOwn(fields, key) && !isEverywhere(key)) throw unknown(`${at}.${key}`, key, names);
      }
      const taken: Record<string, unknown> = {};
      for (const { key, check, mayLack } of checks) {
        const given = read(found, key, at);
        // Of many options a call has few.
        if (given == null && mayLack) continue;
        const value = check.take(given, `${at}.${key}`);
        if (value !== undefined) taken[key] = value;
      }
      return taken as Taken<F>;
    };
    return { fields, expected, take };
  };
}

/** An object of options, all of which may be left out, as the object may. */
export function options<T extends object>() {
  return <const F extends Fields<T>>(fields: F & NoOther<T, F>): Check<T | undefined, Taken<F>> & { readonly fields: F } => {
    const { expected, take } = record<T>()<F>(fields);
    return { fields, expected, take: (found, at) => take(found ?? {}, at) };
  };
}

function isEverywhere(key: string): boolean {
  return Object.prototype.propertyIsEnumerable(key);
}

function unknown(at: string, key: string, names: readonly string[]): Error {
  const meant = nearest(key, names);
  const advice = meant === undefined ? `there are ${names.join(", ")}` : `did you mean ${meant}?`;
  return errorOf("OPTION_INVALID", `${at}: there is no such option; ${advice}`);
}

/** A key's value, be it the object's own or its class's. */
function read(from: Readonly<Record<string, unknown>>, key: string, at: string): unknown {
  try {
    return from[key];
  } catch (error) {
    throw unreadable(`${at}.${key}`, error);
  }
}
