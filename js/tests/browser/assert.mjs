/** As much of `node:assert/strict` as the tests of both threads use, for a page. */

function shown(value) {
  if (value instanceof Error) return `${value.name} ${value.code ?? ""}: ${value.message}`;
  return typeof value === "object" ? JSON.stringify(value)?.slice(0, 400) : String(value);
}

function fail(said, otherwise) {
  throw new Error(said ?? otherwise);
}

function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [left, right] = [a, b].map((value) => Object.keys(value));
  return left.length === right.length && left.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/** Whether an error is what was expected: of a class, accepted by a function, or with these properties. */
function fits(error, expected) {
  if (expected === undefined) return true;
  if (typeof expected === "function") {
    return expected === Error || expected.prototype instanceof Error ? error instanceof expected : expected(error) === true;
  }
  return Object.entries(expected).every(([key, value]) =>
    value instanceof RegExp ? value.test(error?.[key]) : same(error?.[key], value),
  );
}

export default function assert(value, said) {
  if (!value) fail(said, `expected a true value, found ${shown(value)}`);
}

Object.assign(assert, {
  ok: assert,
  equal(a, b, said) {
    if (!Object.is(a, b)) fail(said, `expected ${shown(b)}, found ${shown(a)}`);
  },
  deepEqual(a, b, said) {
    if (!same(a, b)) fail(said, `expected ${shown(b)}, found ${shown(a)}`);
  },
  notDeepEqual(a, b, said) {
    if (same(a, b)) fail(said, `expected another value than ${shown(b)}`);
  },
  match(text, pattern, said) {
    if (!pattern.test(text)) fail(said, `expected ${pattern}, found ${text}`);
  },
  async rejects(promise, expected) {
    let error;
    try {
      await (typeof promise === "function" ? promise() : promise);
    } catch (thrown) {
      if (fits(thrown, expected)) return;
      error = thrown;
    }
    fail(undefined, `expected a rejection with ${shown(expected)}, found ${error === undefined ? "none" : shown(error)}`);
  },
});
