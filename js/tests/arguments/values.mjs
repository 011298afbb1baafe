/** Arguments as they can be written down, sent to a page and told in a failure, and made into what they stand for. */

class Empty {}
class Typed extends Float32Array {}
const thrower = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse });
function refuse() {
  throw new Error("a trap of the caller's");
}

/**
 * Values that mean something to few parameters: what makes one, and the kinds of parameters that it is right for. Kinds are
 * those of `cases.mjs`.
 */
export const pool = {
  undefined: { make: () => undefined, fits: ["optional", "options"] },
  null: { make: () => null, fits: ["optional", "options"] },
  true: { make: () => true, fits: ["boolean"] },
  zero: { make: () => 0, fits: ["number", "count"] },
  "minus zero": { make: () => -0, fits: ["number", "count"] },
  one: { make: () => 1, fits: ["number", "count"] },
  "minus one": { make: () => -1, fits: ["finite"] },
  "one and a half": { make: () => 1.5, fits: ["finite"] },
  "2 ** 32": { make: () => 2 ** 32, fits: ["finite"] },
  huge: { make: () => 1e308, fits: ["finite"] },
  NaN: { make: () => NaN, fits: [] },
  Infinity: { make: () => Infinity, fits: [] },
  "-Infinity": { make: () => -Infinity, fits: [] },
  bigint: { make: () => 1n, fits: [] },
  "a string": { make: () => "a string", fits: ["string"] },
  "no string": { make: () => "", fits: ["string"] },
  "a number in a string": { make: () => "0.5", fits: ["string"] },
  symbol: { make: () => Symbol("s"), fits: [] },
  function: { make: () => () => undefined, fits: ["callback"] },
  class: { make: () => Empty, fits: ["callback"] },
  "no array": { make: () => [], fits: ["force", "texts", "rows", "none"] },
  "array of numbers": { make: () => [0.5, 0.25], fits: ["flat"] },
  "array of options": { make: () => [{ threshold: 0.5 }], fits: [] },
  "holes": { make: () => Array(2), fits: ["force"] },
  "empty object": { make: () => ({}), fits: ["options", "force"] },
  "bare object": { make: () => Object.create(null), fits: ["options", "force"] },
  instance: { make: () => new Empty(), fits: ["options", "force"] },
  "proxy of nothing": { make: () => new Proxy({}, {}), fits: ["options", "force"] },
  "hostile proxy": { make: () => thrower, fits: [] },
  "revoked proxy": { make: revoked, fits: [] },
  "proxy of a Float32Array": { make: () => new Proxy(new Float32Array(3), {}), fits: [] },
  date: { make: () => new Date(0), fits: [] },
  "no map": { make: () => new Map(), fits: ["force", "texts"] },
  "map of options": { make: () => new Map([["threshold", 0.5]]), fits: [] },
  "no set": { make: () => new Set(), fits: ["texts"] },
  "boxed number": { make: () => new Number(0.5), fits: [] },
  "boxed string": { make: () => new String("a"), fits: [] },
  "boxed boolean": { make: () => new Boolean(true), fits: [] },
  promise: { make: () => Promise.resolve("a"), fits: [] },
  error: { make: () => new Error("e"), fits: [] },
  expression: { make: () => /a/, fits: [] },
  controller: { make: () => new AbortController(), fits: [] },
  signal: { make: () => new AbortController().signal, fits: ["signal"] },
  "aborted object": { make: () => ({ aborted: true }), fits: [] },
  view: { make: () => new DataView(new ArrayBuffer(8)), fits: ["bytes"] },
  buffer: { make: () => new ArrayBuffer(8), fits: ["bytes"] },
  bytes: { make: () => new Uint8Array(2), fits: ["flat", "bytes", "integers"] },
  "no numbers": { make: () => new Typed(), fits: ["rows", "none", "bytes"] },
  "detached numbers": { make: detached, fits: ["bytes"] },
  "64-bit integers": { make: () => new BigInt64Array(1), fits: ["bytes", "integers"] },
};

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function detached() {
  const numbers = new Float32Array(6);
  structuredClone(numbers, { transfer: [numbers.buffer] });
  return numbers;
}

const arrays = { Float32Array, Float64Array, Int32Array, Uint8Array, Uint32Array, BigInt64Array };

/** The value of a description: of JSON itself, or of an object that says what it `is`. */
export function make(description) {
  if (typeof description !== "object" || description === null) return description;
  switch (description.is) {
    case "pool":
      return pool[description.name].make();
    case "array":
      return description.items.map(make);
    case "numbers":
      return typed(description.type, description.values);
    case "object":
      return object(description.how, description.keys);
    case "map":
      return new Map(description.entries.map(([key, value]) => [make(key), make(value)]));
    case "iterable":
      return (function* () {
        for (const item of description.items) yield make(item);
      })();
    case "callback":
      return () => undefined;
    case "clock":
      return () => performance.now();
    case "throws":
      return Object.defineProperty({}, description.key, { enumerable: true, get: refuse });
    default:
      throw new Error(`no value is ${JSON.stringify(description)}`);
  }
}

function typed(type, values) {
  return type === "BigInt64Array" ? BigInt64Array.from(values, BigInt) : arrays[type].from(values);
}

/** An object by one of the ways in which people come by one. */
function object(how, keys) {
  const plain = Object.fromEntries(keys.map(([key, value]) => [key, make(value)]));
  if (how === "proxy") return new Proxy(plain, {});
  if (how === "bare") return Object.assign(Object.create(null), plain);
  if (how === "inherited") return Object.create(plain);
  if (how === "frozen") return Object.freeze(plain);
  if (how === "getters") {
    class Options {}
    for (const [key, value] of Object.entries(plain)) Object.defineProperty(Options.prototype, key, { get: () => value });
    return new Options();
  }
  return plain;
}
