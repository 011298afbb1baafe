/** Lists of arguments: every parameter of every public function has a check. */

import { errorOf } from "../errors.js";
import { type Check, unreadable } from "./check.js";

/** A parameter's name and check. */
export interface Parameter<In, Out = unknown> {
  readonly name: string;
  readonly check: Check<In, Out>;
}

/** A parameter of whatever type. */
export type AnyParameter = { readonly name: string; readonly check: Pick<Check<unknown>, "expected" | "take"> };

/** The parameter of a name. */
export function parameter<In, Out>(name: string, check: Check<In, Out>): Parameter<In, Out> {
  return { name, check };
}

/** A function's parameters. */
export type Signature<Given extends readonly unknown[]> = { readonly [I in keyof Given]-?: Parameter<Given[I]> };

/** What gives back what an object holds is called by anybody with anything. */
type Free = "dispose" | symbol;
type Methods<T> = { [K in keyof T]: T[K] extends (...given: never) => unknown ? K : never }[keyof T];

/** The parameters of an object's functions. A function without its row does not compile, nor a row that is not its own. */
export type Signatures<T> = {
  readonly [K in Exclude<Methods<T>, Free>]: T[K] extends (...given: infer Given) => unknown ? Signature<Given> : never;
};

type OutsOf<S> = { readonly [I in keyof S]: S[I] extends Parameter<infer _, infer Out> ? Out : never };

/** Takes a function's arguments: each as the engine has it, if all are what their types say. */
export type Take<S> = (given: readonly unknown[]) => OutsOf<S>;

/** What takes the arguments of a function of this name. */
export function take<const S extends readonly AnyParameter[]>(name: string, signature: S): Take<S> {
  const places = signature.map((parameter) => `${name}: ${parameter.name}`);
  return (given) => {
    for (let at = signature.length; at < given.length; at++) {
      if (given[at] === undefined) continue;
      const names = signature.map(({ name }) => name).join(", ") || "nothing";
      throw errorOf("OPTION_INVALID", `${name}: expected ${names}, found ${at + 1} argument${at > 0 ? "s" : ""}`);
    }
    return signature.map(({ check }, at) => {
      const place = places[at] ?? name;
      try {
        return check.take(given[at], place);
      } catch (error) {
        throw unreadable(place, error);
      }
    }) as OutsOf<S>;
  };
}

type Takers<S> = { readonly [K in keyof S]: Take<S[K]> };

/** What takes the arguments of each function, `of` an object of that name if one is given. */
export function takers<const S extends Readonly<Record<string, readonly AnyParameter[]>>>(signatures: S, of?: string): Takers<S> {
  const all = Object.entries(signatures).map(([name, signature]) => [name, take(of ? `${of}.${name}` : name, signature)]);
  return Object.fromEntries(all) as Takers<S>;
}
