/**
 * Calls, from the package's own description of its arguments: lists that mean something, by whichever way they are written,
 * and lists that mean nothing for one reason.
 */

import fc from "fast-check";
import { entrySignatures } from "../../dist/arguments/entry.js";
import { languageReaderSignatures, languageSignatures } from "../../dist/arguments/language.js";
import { forwardSignature, layerSignatures, skimSignature } from "../../dist/arguments/layers.js";
import { modelSignatures, readerSignatures } from "../../dist/arguments/model.js";
import { softmaxRowSignatures, softmaxSignatures } from "../../dist/arguments/softmax.js";
import { parserSignatures, taggerSignatures, treeClassifierSignatures } from "../../dist/arguments/structure.js";
import { pool } from "./values.mjs";
import { layers, softmax } from "./world.mjs";

/** Every public function's parameters, by the names of {@link calls}. */
export const signatures = { ...entrySignatures, ...modelSignatures };
for (const [name, signature] of Object.entries(readerSignatures)) signatures[`Reader.${name}`] = signature;
for (const [name, signature] of Object.entries(languageSignatures)) signatures[`LanguageModel.${name}`] = signature;
for (const [name, signature] of Object.entries(languageReaderSignatures)) signatures[`LanguageReader.${name}`] = signature;
for (const [kind, all] of Object.entries({ Tagger: taggerSignatures, Parser: parserSignatures, TreeClassifier: treeClassifierSignatures })) {
  for (const [name, signature] of Object.entries(all)) signatures[`${kind}.${name}`] = signature;
}
for (const [kind, { sizes, parts }] of Object.entries(layers)) {
  for (const [name, signature] of Object.entries(layerSignatures[kind.toLowerCase()])) signatures[`${kind}.${name}`] = signature;
  signatures[`${kind}.forward`] = (kind === "Skim" ? skimSignature : forwardSignature)(sizes.inputSize, parts);
}
const ofSoftmax = { ...softmaxSignatures, ...softmaxRowSignatures(softmax.width, softmax.words) };
for (const [name, signature] of Object.entries(ofSoftmax)) signatures[`AdaptiveSoftmax.${name}`] = signature;

/** Calls that measure for tenths of a second, or start something: the right ones of these are made by themselves. */
export const DEAR = new Set(["calibrate", "compare", "race", "steps", "useWorker"]);

const WORDS = ["a", "good", "film", "didn't", "N't", "🎬", "שלום", "\ud83c", "…", "\n", "wonderful"];
const text = fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }).map((words) => words.join(" "));
const finite = fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround);
const numbers = (length) => fc.array(finite, { minLength: length, maxLength: length });
const typed = (type, values) => ({ is: "numbers", type, values });
const array = (items) => ({ is: "array", items });
const same = (arbitrary) => arbitrary.map((value) => ({ plain: value, given: value }));

/** Numbers by one of the arrays that have them. */
const written = (values) => fc.constantFrom(typed("Float32Array", values), typed("Float64Array", values), array(values));

/** What a check makes of a value is not always the value itself: `plain` is what it stands for, `given` how it is written. */
const right = {
  "a string": () => same(text),
  "true or false": () => same(fc.boolean()),
  "a whole number from 0 to 2 ** 32 - 1": () => same(fc.integer({ min: 1, max: 3 })),
  "a whole number from 0 to 2 ** 31 - 1": () => same(fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: fc.constant(2 ** 31 - 1) })),
  "a whole number from 1 to 2 ** 32 - 1": () => same(fc.integer({ min: 1, max: 5 })),
  'a whole number from 0 to 1,024, or "auto"': () => same(fc.constantFrom(0, 1)),
  "a number of at least 1": () => same(fc.constantFrom(1, 4, 1e308)),
  "an array of whole numbers": () => fc.constantFrom([6, 15], [6], [15, 6], [], [0, 0], [1, 2 ** 32 - 1]).chain((plain) => writtenLengths(plain).map((given) => ({ plain, given }))),
  "a number from 0 to 1,000": () => same(fc.double({ min: 0, max: 3, noNaN: true })),
  "a number above 0 and at most 1": () => same(fc.double({ min: 0.01, max: 1, noNaN: true })),
  "a number from 0 to 1": () => same(fc.double({ min: 0, max: 1, noNaN: true })),
  "a finite number": () => same(fc.double({ min: -1, max: 2, noNaN: true })),
  "a number of milliseconds from 0 to 60,000": () => same(fc.double({ min: 0, max: 1, noNaN: true })),
  "an AbortSignal": () => fc.constant({ given: { is: "pool", name: "signal" } }),
  "a function": () => fc.constant({ given: { is: "callback" } }),
  "a model": () => fc.constant({ given: null }),
  "an object of functions, or of objects with a function sample": () =>
    fc.constant({ given: { is: "object", how: "plain", keys: [["one", { is: "callback" }]] } }),
  anything: () => fc.constant({ given: null }),
  "an address, a Response, bytes or a WebAssembly.Module": () => fc.constant({ given: null }),
  'an object or a Map from numbers to "read" or "skim"': () => fc.uniqueArray(fc.nat(2), { maxLength: 2 }).chain(forced),
  "an array of strings, or another iterable of them": () => many(text),
  "a string, an array of strings, or another iterable of them": () => fc.oneof(same(text), many(text)),
  "an array of strings, or another iterable of them, async or not": () => many(text),
};

/** Many of them, by whichever way they are written. */
function many(one) {
  return fc.array(one, { maxLength: 4 }).chain((plain) => fc.constantFrom(array(plain), { is: "iterable", items: plain }).map((given) => ({ plain, given })));
}

function forced(places) {
  return fc.tuple(...places.map(() => fc.constantFrom("read", "skim"))).chain((decisions) => {
    const entries = places.map((place, i) => [place, decisions[i]]);
    const listed = [0, 1, 2].map((place) => decisions[places.indexOf(place)] ?? null);
    const keys = entries.map(([key, value]) => [String(key), value]);
    const ways = [{ is: "object", how: "plain", keys }, { is: "object", how: "proxy", keys }, { is: "map", entries }];
    const last = places.length > 0 ? listed.slice(0, Math.max(...places) + 1) : [];
    return fc.constantFrom(...ways, array(last)).map((given) => ({ plain: Object.fromEntries(entries), given }));
  });
}

const isOptional = (check) => "of" in check;
const isRecord = (check) => "fields" in check;
const needs = (check) => Object.values(check.fields).some((field) => !isOptional(field));
const nothing = fc.constantFrom({ is: "pool", name: "undefined" }, null).map((given) => ({ given }));

/** What a parameter takes. */
function rightFor(check) {
  if (isOptional(check)) return fc.oneof({ weight: 3, arbitrary: rightFor(check.of) }, { weight: 1, arbitrary: nothing });
  if (isRecord(check)) return record(check);
  if ("words" in check) return same(fc.constantFrom(...check.words));
  const width = widthOf(check);
  if (width) return fc.nat(2).chain((rows) => someRows(rows, width));
  if (!(check.expected in right)) throw new Error(`nobody says what is right for ${check.expected}`);
  return right[check.expected]();
}

/** Columns of the rows that a check takes, if it takes rows. */
const widthOf = ({ expected }) => Number(/^rows of (\d+)/.exec(expected)?.[1] ?? 0);

/** So many rows. */
const someRows = (rows, width) => numbers(rows * width).chain((plain) => writtenRows(plain, width).map((given) => ({ plain, given })));

const MOST = 2 ** 32 - 1;
const orMost = (most) => same(fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: most }) }, { weight: 1, arbitrary: fc.constant(MOST) }));

/** Parameters and options of which not everything will do that their type takes, or more than is made of that type. */
const trees = fc.constantFrom("", "( good)", "(3 (2 Quite) (4 (3 good) (2 -RRB-)))", "( ( 🎬) ( film))");
const meant = { trees: many(trees), parser: nothing, prefix: same(fc.constant("param.")), clock: fc.constant({ given: { is: "clock" } }), k: orMost(40), top: orMost(40), topK: orMost(40), seed: orMost(3) };

const rightNamed = (name, check) => (Object.hasOwn(meant, name) ? meant[name] : rightFor(check));

const HOW = ["plain", "proxy", "bare", "inherited", "getters", "frozen"];

function record({ fields }) {
  const entries = Object.entries(fields).map(([key, check]) => {
    const value = rightNamed(key, check).map((one) => [key, one]);
    return isOptional(check) ? fc.option(value, { freq: 2 }) : value;
  });
  return fc.tuple(fc.constantFrom(...HOW), ...entries).map(([how, ...all]) => together(how, all.filter((entry) => entry !== null)));
}

function together(how, entries) {
  const plain = entries.filter(([, { plain }]) => plain !== undefined).map(([key, { plain }]) => [key, plain]);
  return { plain: Object.fromEntries(plain), given: { is: "object", how, keys: entries.map(([key, { given }]) => [key, given]) } };
}

/** Kinds of the pool's values that a check takes. */
const FITS = {
  "a string": ["string"],
  "true or false": ["boolean"],
  "an AbortSignal": ["signal"],
  "a function": ["callback"],
  'an object or a Map from numbers to "read" or "skim"': ["force"],
  "an array of strings, or another iterable of them": ["texts", "none"],
  "a string, an array of strings, or another iterable of them": ["string", "texts", "none"],
  "an array of strings, or another iterable of them, async or not": ["texts", "none"],
  "an array of whole numbers": ["integers", "none"],
  "an address, a Response, bytes or a WebAssembly.Module": ["string", "bytes"],
  "an object of functions, or of objects with a function sample": ["options"],
};
const isNumber = (check) => "range" in check || check.expected.startsWith("a whole number from");

/** Whether a check takes one of the pool's values. */
function fits(check, value) {
  const kinds = value.fits;
  if (isOptional(check)) return kinds.includes("optional") || fits(check.of, value);
  if (isRecord(check)) return !needs(check) && kinds.includes("options");
  if ("words" in check) return false;
  if (isNumber(check)) {
    const made = value.make();
    const [from, to] = check.range ?? [0, 2 ** 32 - 1];
    const any = !check.expected.startsWith("a whole number");
    return typeof made === "number" && made >= from && made <= to && Number.isFinite(made) && (any || Number.isInteger(made));
  }
  const width = widthOf(check);
  if (width) return kinds.includes("rows") || (kinds.includes("flat") && 2 % width === 0);
  return FITS[check.expected]?.some((kind) => kinds.includes(kind)) ?? false;
}

const pooled = (check) => {
  const names = Object.keys(pool).filter((name) => !fits(check, pool[name]));
  return fc.constantFrom(...names).map((name) => ({ is: "pool", name }));
};

/** A name with a letter too many, or one too few. */
const misspelt = (names) =>
  fc.constantFrom(...names).chain((name) =>
    fc.oneof(
      fc.nat(name.length - 1).map((at) => name.slice(0, at) + name.slice(at + 1)),
      fc.tuple(fc.nat(name.length), fc.constantFrom("x", "_", "Q")).map(([at, letter]) => name.slice(0, at) + letter + name.slice(at)),
    ),
  ).filter((name) => !names.includes(name) && name !== "");

/** What a parameter does not take. */
function wrongFor(check) {
  if (isOptional(check)) return fc.oneof(...ways(check.of), pooled(check)).filter((given) => given !== null);
  return fc.oneof(...ways(check), pooled(check));
}

const aText = { expected: "a string" };

/** Ways to be wrong that only such a parameter has. */
function ways(check) {
  if (isRecord(check)) return recordWays(check);
  if ("words" in check) return [misspelt(check.words)];
  if (check.expected.startsWith('an object or a Map from numbers to "read"')) {
    const key = fc.constantFrom("-1", "1.5", "film", "01", "4294967296", "NaN");
    const wrongKey = key.map((key) => ({ is: "object", how: "plain", keys: [[key, "read"]] }));
    const wrongValue = fc.constantFrom("reads", true, 1).map((value) => ({ is: "map", entries: [[0, value]] }));
    return [wrongKey, wrongValue, fc.constant({ is: "map", entries: [["0", "read"]] })];
  }
  if (check.expected.startsWith("an array of strings")) {
    return [text, pooled(aText).map((wrong) => array(["a film", wrong]))];
  }
  if (check.expected.startsWith("a string, an array")) return [pooled(aText).map((wrong) => array(["a film", wrong]))];
  if (check.expected === "an array of whole numbers") {
    const item = fc.constantFrom(-1, 1.5, "1", true, MOST + 1, null, ...["NaN", "Infinity", "bigint", "huge"].map((name) => ({ is: "pool", name })));
    return [item.map((item) => array([0, item])), fc.constant(typed("Float64Array", [0.5]))];
  }
  const width = widthOf(check);
  if (width > 1) return [fc.constantFrom(typed("Float32Array", Array(width + 1).fill(0)), array([array(Array(width - 1).fill(0))]), array(Array(width).fill("0")))];
  return [];
}

function recordWays(check) {
  const names = Object.keys(check.fields);
  const keyed = (keys, how = "plain") => ({ is: "object", how, keys });
  const others = record(check);
  const wrongField = fc.constantFrom(...names).chain((name) =>
    fc.tuple(others, wrongFor(check.fields[name])).map(([{ given }, wrong]) => keyed([...given.keys.filter(([key]) => key !== name), [name, wrong]], given.how)),
  );
  const foreign = fc.constantFrom("batch_first", "hidden", "__proto__x", "options", "0", "constructor", "toString");
  const wrongKey = fc.tuple(others, fc.oneof(misspelt(names), foreign), fc.boolean()).map(([{ given }, key, twice]) => {
    return keyed([...given.keys, [key, twice ? 1 : null]], given.how === "getters" ? "plain" : given.how);
  });
  const throws = fc.constantFrom(...names).map((key) => ({ is: "throws", key }));
  const needed = names.filter((name) => !isOptional(check.fields[name]));
  const missing = needed.map((name) => others.map(({ given }) => keyed(given.keys.filter(([key]) => key !== name))));
  return [wrongField, wrongKey, throws, ...missing];
}

/** Arguments of `forward`, which belong together. */
function sequences(kind) {
  const { sizes, parts, state } = layers[kind];
  const width = sizes.inputSize;
  return fc.record({ lengths: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }), device: fc.constantFrom(undefined, "cpu", "auto") }).chain(({ lengths, device }) => {
    const rows = lengths.reduce((all, length) => all + length, 0);
    const size = state * lengths.length;
    const x = numbers(rows * width);
    const states = fc.option(fc.tuple(...parts.map(() => numbers(size))));
    const decisions = kind === "Skim" && rows > 0 ? rightFor({ of: { expected: 'an object or a Map from numbers to "read" or "skim"' } }) : fc.constant({});
    return fc.tuple(x, states, decisions, fc.boolean()).chain(([x, states, force, profile]) => {
      const inside = Object.keys(force.plain ?? {}).every((place) => place < rows);
      const entries = [
        ...(lengths.length === 1 && profile ? [] : [writtenLengths(lengths).map((given) => ["lengths", { plain: lengths, given }])]),
        ...(states ? [writtenState(parts, states).map((given) => ["state", { plain: states.flat(), given }])] : []),
        ...(device ? [fc.constant(["device", { plain: device, given: device }])] : []),
        ...(kind === "Skim" && inside ? [fc.constant(["force", force])] : []),
        fc.constant(["profile", { given: profile }]),
      ];
      const options = fc.tuple(fc.constantFrom(...HOW), ...entries).map(([how, ...all]) => together(how, all));
      return fc.tuple(writtenRows(x, width), options).map(([given, options]) => [{ plain: x, given }, options]);
    });
  });
}

function writtenRows(x, width) {
  const rows = Array.from({ length: x.length / width }, (_, i) => x.slice(i * width, (i + 1) * width));
  return fc.oneof(written(x), fc.constantFrom(array(rows.map(array)), array(rows.map((row) => typed("Float32Array", row)))));
}

function writtenState(parts, states) {
  const named = (type) => parts.map((part, i) => [part, type ? typed(type, states[i]) : array(states[i])]);
  const object = (keys) => ({ is: "object", how: "plain", keys });
  const [h] = states;
  const short = parts.length === 2 ? array(states.map((part) => typed("Float32Array", part))) : typed("Float64Array", h);
  const result = object([["output", typed("Float32Array", [])], ["state", object(named("Float32Array"))]]);
  return fc.constantFrom(object(named("Float32Array")), object(named("Float64Array")), object(named()), short, result);
}

/** Only by arrays that hold the numbers as they are. */
const writtenLengths = (lengths) => {
  const holds = (kind) => kind.from(lengths).every((value, at) => value === lengths[at]);
  const types = [Int32Array, Uint8Array, Float64Array].filter(holds).map(({ name }) => name);
  return fc.constantFrom(array(lengths), ...[...types, "BigInt64Array"].map((type) => typed(type, lengths)));
};

/** What does not fit the rows, or the layer. */
function wrongSequences(kind) {
  const [x, options] = signatures[`${kind}.forward`];
  const { state, lengths, ...fields } = options.check.fields;
  const { sizes, parts, state: size } = layers[kind];
  const width = sizes.inputSize;
  const zeros = (length) => typed("Float32Array", Array(length).fill(0));
  const stated = (given) => ({ is: "object", how: "plain", keys: [["state", given]] });
  const object = (keys) => ({ is: "object", how: "plain", keys });
  const all = parts.map((part) => [part, zeros(size)]);
  const lacking = parts.map((_, i) => object(all.filter((_, j) => j !== i)));
  const states = [
    ...lacking,
    object([...all, ["hidden", zeros(size)]]),
    object(all.map(([part]) => [`${part}_n`, zeros(size)])),
    object(parts.map((part) => [part, zeros(size + 1)])),
    object(parts.map((part) => [part, zeros(0)])),
    object(parts.map((part) => [part, array(Array(size).fill("0"))])),
    ...(parts.length === 2
      ? [object([["h", zeros(size + 1)], ["c", zeros(size - 1)]]), zeros(2 * size), array([zeros(size)]), array([zeros(size), zeros(size), zeros(size)])]
      : [object([[parts[0] === "h" ? "c" : "h", zeros(size)]]), zeros(size - 1), array([zeros(size)])]),
  ];
  const rows = zeros(2 * width);
  const sum = fc.constantFrom([1], [3], [2, 1], [-1, 3], [1.5, 0.5], [], [2, "0"], [2 ** 32 + 2]);
  const ragged = array([zeros(width), zeros(width + 1)]);
  return fc.oneof(
    fc.constantFrom(...states).map((given) => [rows, stated(given)]),
    pooled(state).map((given) => [rows, stated(given)]),
    fc.oneof(sum.map(array), pooled(lengths)).map((given) => [rows, object([["lengths", given]])]),
    fc.constantFrom(zeros(2 * width + (width > 1 ? 1 : 0)), ragged, array([array(["1"])]), array(Array(width).fill(null))).filter((given) => width > 1 || given.is !== "numbers").map((given) => [given]),
    pooled(x.check).map((given) => [given]),
    wrongFor({ ...options.check, fields }).map((given) => [rows, given]),
    ...(kind === "Skim" ? [] : [fc.constantFrom(["threshold", 0.5], ["force", { is: "map", entries: [] }]).map((entry) => [rows, object([entry])])]),
  );
}

const LOSS = "AdaptiveSoftmax.loss";

/** Rows and a word for each. */
function targeted() {
  const { width, words } = softmax;
  return fc.array(fc.nat(words - 1), { maxLength: 3 }).chain((plain) => fc.tuple(someRows(plain.length, width), writtenLengths(plain).map((given) => ({ plain, given }))));
}

/** Rows, and words that are not theirs. */
function mistargeted() {
  const { width, words } = softmax;
  const targets = fc.constantFrom([], [0, 0], [words], [-1], [MOST], [0.5], ["0"]);
  return fc.tuple(someRows(1, width), targets).map(([{ given }, targets]) => [given, array(targets)]);
}

/** A right call of a function, with `plain` for what its arguments stand for. */
export function rightCall(call) {
  const kind = call.endsWith(".forward") && call.split(".")[0];
  const each = () => fc.tuple(...signatures[call].map(({ name, check }) => rightNamed(name, check)));
  const all = kind ? sequences(kind) : call === LOSS ? targeted() : each();
  return all.map((all) => ({ call, plain: all.map(({ plain }) => plain ?? null), given: all.map(({ given }) => given) }));
}

function wrongCall(call) {
  const signature = signatures[call];
  const kind = call.endsWith(".forward") && call.split(".")[0];
  if (kind) return wrongSequences(kind).map((given) => ({ call, given }));
  const isSource = (i) => signature[i].check.expected === "anything";
  const checked = signature.map((_, i) => i).filter((i) => !isSource(i));
  const others = fc.tuple(...signature.map(({ check }) => rightFor(check).map(({ given }) => given)));
  const surplus = fc.tuple(others, fc.constantFrom(1, array([]))).map(([given, more]) => [...given, more]);
  const wrong = checked.map((i) => fc.tuple(others, wrongFor(signature[i].check)).map(([given, value]) => given.with(i, value)));
  const missing = checked.some((i) => !isOptional(signature[i].check) && !(isRecord(signature[i].check) && !needs(signature[i].check)));
  const together = call === LOSS ? [mistargeted()] : [];
  const refused = fc.oneof(surplus, ...wrong, ...wrong, ...together, ...(missing ? [fc.constant([])] : [])).map((given) => ({ call, given }));
  if (!signature.some((_, i) => isSource(i))) return refused;
  // Whether it is no source, one that cannot be fetched or no model's is not for the checks to say.
  const names = Object.keys(pool).filter((name) => name !== "null");
  const source = fc.constantFrom(...names).map((name) => ({ call, source: true, given: [{ is: "pool", name }] }));
  return fc.oneof({ weight: 4, arbitrary: refused }, { weight: 1, arbitrary: source });
}

/** A call of one of these functions, right or wrong. */
export const callOf = (names) =>
  fc
    .tuple(fc.constantFrom(...names), fc.integer({ min: 0, max: 2 }))
    .chain(([call, which]) => (which === 0 && !DEAR.has(call) ? rightCall(call) : wrongCall(call)));
