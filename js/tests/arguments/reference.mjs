/** What a call must answer: the engine's own answer, asked without the package's checks. */

import { readFileSync } from "node:fs";
import * as glue from "../../pkg/saccade_rnn.js";
import { init } from "../../dist/node.js";
import { unpackedReading } from "../../dist/reading.js";
import { byWords } from "../language.mjs";
import { glue as structure, started } from "../../dist/structure/binary.js";
import { classifiedTrees, parsedTexts, taggedTexts } from "../../dist/structure/unpack.js";
import { layers, ofComputed, ofCosts, ofFile, ofHeads, ofNodes, ofReading, ofSteps, ofTags, ofWordsOfRows, rowsOf, softmax, structures } from "./world.mjs";

/** Where the model and the layers' tensors are in the repository. */
export const places = {
  file: "models/sst2-skim-lstm-small.safetensors",
  tensors: Object.fromEntries(
    Object.entries({ Elman: "elman/tanh_1l_uni", Lstm: "lstm/2l_bi", Gru: "gru/1l_uni", Sru: "sru/everything", Skim: "skim/lstm_d2_all_hard", AdaptiveSoftmax: "adaptive_softmax/two_tails" }).map(
      ([kind, name]) => [kind, `crate/tests/fixtures/${name}.safetensors`],
    ),
  ),
};

const bytes = (place) => new Uint8Array(readFileSync(new URL(`../../../${place}`, import.meta.url)));
export const files = {
  file: bytes(places.file),
  tensors: Object.fromEntries(Object.entries(places.tensors).map(([kind, place]) => [kind, bytes(place)])),
};

/** What may be chosen of a layer, in the order in which its numbers cross, as the engine's own code has it. */
export const order = choicesIn(readFileSync(new URL("../../../crate/src/web/layer.rs", import.meta.url), "utf8"));
function choicesIn(source) {
  const [, variants] = /\nenum Choice \{\n(.*?)\n\}/s.exec(source);
  const names = variants.split("\n").map((line) => /^ {4}([A-Z]\w*),$/.exec(line)?.[1]).filter((name) => name !== undefined);
  return names.map((name) => name[0].toLowerCase() + name.slice(1));
}
const WORDS = { tanh: 0, relu: 1, lstm: 0, gru: 1, slice: 0, all: 1 };
const numbered = (choices) => Uint32Array.from(order, (name) => Number(WORDS[choices[name]] ?? choices[name] ?? 2 ** 32 - 1));
const pairs = (force) => force && Uint32Array.from(Object.entries(force).flatMap(([at, what]) => [Number(at), what === "skim" ? 2 : 1]));

await init();
const model = glue.Model.load(files.file, false);
const language = glue.Model.load(byWords().file, false);
const made = Object.fromEntries(Object.entries(layers).map(([kind, { sizes }]) => [kind, fresh(kind, sizes)]));

function fresh(kind, { seed = 0, precision, ...choices }) {
  return glue.Layer.random(kind.toLowerCase(), numbered(choices), seed, precision === "bf16");
}

async function computed(layer, x, { state = [], device, threshold, force, lengths }) {
  const rows = lengths && Uint32Array.from(lengths);
  const [values] = await layer.forward(x, Float32Array.from(state), rows, threshold, pairs(force), false, device);
  return values;
}

/** A layer's answer, divided as the package divides it. */
async function divided(kind, layer, x, options = {}) {
  const values = await computed(layer, x, options);
  const rows = x.length / layer.inputSize;
  const end = rows * layer.outputSize;
  const skims = kind === "Skim" ? 3 * rows : 0;
  const h = values.subarray(end, values.length - skims);
  return ofComputed({ output: values.subarray(0, end), state: { h }, decisions: kind === "Skim" ? values.subarray(values.length - rows) : [] });
}

async function probed(kind, layer) {
  const probe = await divided(kind, layer, rowsOf(layer.inputSize));
  layer.free();
  return probe;
}

const read = async (text, { threshold, force, measureMs = 0, device } = {}) => {
  return unpackedReading(await model.read(text, threshold, pairs(force), measureMs, device));
};
const tokens = (reading) => ofReading(reading)[2];

/** The answer of every public function. */
export const answers = {
  init: () => null,
  devices: () => true,
  gpuStatistics: () => null,
  race: () => [["one", true, []]],
  useWorker: () => null,
  load(_, options = {}) {
    if (options.integrity !== undefined) throw Object.assign(new Error(), { code: "OPTION_INVALID" });
    if (options.task !== undefined && options.task !== "classify") throw Object.assign(new Error(), { code: "MODEL_CONFIG" });
    if (options.device === "webgpu-only") throw Object.assign(new Error(), { code: "DEVICE_UNAVAILABLE" });
    return ["negative", "positive"];
  },
  read: async (text, options) => ofReading(await read(text, options)),
  async readAll(texts, options = {}) {
    refuseWorkers(options);
    // For no texts no device is asked for.
    const packed = texts.length === 0 ? [] : await model.readAll(texts, options.threshold, options.device);
    return packed.map((one) => ofReading(unpackedReading(one)));
  },
  stream: async (text, options) => tokens(await read(text, options)),
  tokenize: (text) => model.tokenize(text).map(({ text, start, known }) => [text, start, known]),
  reader: async (options) => ofReading(await read("a good film", options ?? {})),
  async hidden(text, { threshold, force } = {}) {
    const { length } = model.tokenize(text);
    if (Object.keys(force ?? {}).some((at) => Number(at) >= length)) throw Object.assign(new Error(), { code: "OPTION_INVALID" });
    const reader = model.reader(threshold, pairs(force));
    try {
      await reader.update(text);
      const { rows, cells, values } = await reader.hidden();
      let at = 0;
      const states = cells.map(({ name, size, cells, gates, logits }) => {
        const from = at;
        at += rows * size * (1 + (cells ? 1 : 0) + gates.length) + (logits ? 2 * rows : 0);
        return [name, [...values.slice(from, from + rows * size).slice(-8)]];
      });
      return [states, [...values.slice(at).slice(-2)]];
    } finally {
      reader.free();
    }
  },
  calibrate: async () => ofCosts(await model.calibrate()),
  // The readings after it tell of it.
  steps: async ({ device } = {}) => [...ofSteps(await model.steps(device)), true],
  async compare(text, { device, threshold, force, bothDevices = false, wordCache = false } = {}) {
    const given = Object.entries({ device, threshold, force }).filter(([, value]) => value !== undefined);
    const { tokens, timing } = await read(text, Object.fromEntries(given));
    // There is no GPU.
    return [timing.device, true, tokens.some(({ decision }) => decision === "skim"), wordCache, null, bothDevices ? ["elsewhere"] : []];
  },
  inspect: () => model.inspect().parameters,
  save: () => ofFile(files.file),
  "Reader.update": async (text) => ofReading(await read(text)),
  "Reader.append": async (text) => ofReading(await read(`a good ${text}`)),
  "Reader.hidden": async () => (await answers.hidden("a good film"))[1],
};
/** What a cursor says of a text: figures and columns of its words. */
async function asked(text, scores, top, device) {
  const cursor = language.cursor(scores, false, device);
  const [, columns, bits] = await cursor.ask(text, top, undefined, 1, 0, 0);
  cursor.free();
  const [, , log, predicted, , rows] = new Float64Array(bits.buffer, bits.byteOffset, bits.length / 2);
  const reals = new Float32Array(columns.buffer, columns.byteOffset, columns.length);
  const words = Array.from({ length: columns.length / 8 }, (_, i) => [columns[8 * i + 3], -reals[8 * i + 7] / Math.LN2]);
  return { log, predicted, rows, words };
}
async function scored(text, { device } = {}) {
  const { log, predicted } = await asked(text, 2, 0, device);
  return [(0 - log) / Math.LN2, predicted, language.tokenize(text).map(({ text, start }) => [text, start])];
}
async function foreseen(text, { top = 10, device } = {}) {
  const { words, rows } = await asked(text, 0, top, device);
  return [words, rows];
}
const refuseGpu = ({ device } = {}) => {
  if (device === "webgpu-only") throw Object.assign(new Error(), { code: "DEVICE_UNAVAILABLE" });
};
/** Workers compute on the CPU. */
function refuseWorkers({ workers, device } = {}) {
  if (workers && device?.startsWith("webgpu")) throw Object.assign(new Error(), { code: "OPTION_INVALID" });
}
Object.assign(answers, {
  "LanguageModel.score": scored,
  "LanguageModel.scoreAll": async (texts, options) => {
    refuseWorkers(options);
    if (texts.length > 0) refuseGpu(options);
    const all = [];
    for (const text of texts) all.push(await scored(text));
    return all;
  },
  "LanguageModel.perplexity": async (text, options) => {
    const [bits, predicted] = await scored(text, options);
    return String((2 ** (bits / predicted)).toFixed(2));
  },
  "LanguageModel.predict": foreseen,
  "LanguageModel.generate": (_, options) => {
    refuseGpu(options);
    return true;
  },
  "LanguageModel.tokenize": (text) => language.tokenize(text).map(({ text, start, known }) => [text, start, known]),
  "LanguageModel.reader": () => scored("it was his cat"),
  "LanguageModel.inspect": () => language.inspect().parameters,
  "LanguageModel.save": () => ofFile(byWords().file),
  "LanguageReader.update": (text) => scored(text),
  "LanguageReader.append": (text) => scored(`it was ${text}`),
  "LanguageReader.predict": ({ top } = {}) => foreseen("it was ", { top }),
});
await started(undefined, {});
const { tagging, parsing, labelling } = Object.fromEntries(
  Object.entries(structures).map(([name, place]) => [name, structure.Structured.load(bytes(place), false)]),
);
/** The answers to some texts, or to one alone. */
function answered(ask) {
  return async (texts, options = {}) => {
    // Where nothing is asked, no device is looked for.
    if (texts.length === 0 && Array.isArray(texts)) return [];
    refuseGpu(options);
    const all = await ask([texts].flat());
    return Array.isArray(texts) ? all : all[0];
  };
}
/** The same where workers may do it. */
const dealt = (ask) => async (texts, options) => {
  refuseWorkers(options);
  return ask(texts, options);
};
const tag = answered(async (texts) => taggedTexts(texts, tagging.config, ...(await tagging.tag(texts, "cpu"))).map(ofTags));
const parse = answered(async (texts) => {
  const { relations, config } = parsing;
  return parsedTexts(texts, { ...config, relations }, ...(await parsing.parse(texts, "cpu"))).map(ofHeads);
});
const classify = answered(async (brackets) => {
  const [counts, columns, texts] = await labelling.classify(brackets, "cpu");
  return classifiedTrees(texts, labelling.config, counts, columns).map(ofNodes);
});
Object.assign(answers, {
  "Tagger.tag": tag,
  "Tagger.tagAll": dealt(tag),
  "Tagger.inspect": () => tagging.inspect().parameters,
  "Tagger.save": () => ofFile(bytes(structures.tagging)),
  "Parser.parse": parse,
  "Parser.parseAll": dealt(parse),
  "Parser.inspect": () => parsing.inspect().parameters,
  "Parser.save": () => ofFile(bytes(structures.parsing)),
  "TreeClassifier.classify": classify,
  "TreeClassifier.classifyAll": dealt(classify),
  "TreeClassifier.inspect": () => labelling.inspect().parameters,
  "TreeClassifier.save": () => ofFile(bytes(structures.labelling)),
});
const distribution = softmaxOf({ prefix: "param." });
function softmaxOf({ prefix = "", cutoffs, divValue, precision } = {}) {
  return glue.Softmax.load(files.tensors.AdaptiveSoftmax, prefix, cutoffs && Uint32Array.from(cutoffs), divValue, precision === "bf16");
}
/** The `k` most probable words of every row; of all words their probabilities, if that is 0. */
function wordsOf(layer, x, k) {
  const [logProb, words, rowsComputed] = layer.ask(Float32Array.from(x), k, undefined);
  return ofWordsOfRows({ logProb, words, rowsComputed });
}
Object.assign(answers, {
  "AdaptiveSoftmax.fromSafetensors": (_, choices) => {
    const layer = softmaxOf(choices);
    const probe = wordsOf(layer, rowsOf(softmax.width), 1);
    layer.free();
    return probe;
  },
  "AdaptiveSoftmax.logProb": (x) => wordsOf(distribution, x, 0),
  "AdaptiveSoftmax.predict": (x) => wordsOf(distribution, x, 1),
  "AdaptiveSoftmax.topK": (x, k) => wordsOf(distribution, x, k),
  "AdaptiveSoftmax.loss": (x, targets) => {
    const [output, , rowsComputed] = distribution.ask(Float32Array.from(x), 0, Uint32Array.from(targets));
    return [[...output], -output.reduce((sum, log) => sum + log, 0) / targets.length, [...rowsComputed]];
  },
});
for (const kind of Object.keys(layers)) {
  answers[`${kind}.random`] = (sizes) => probed(kind, fresh(kind, sizes));
  answers[`${kind}.fromSafetensors`] = (_, { prefix = "", precision, ...choices } = {}) => {
    return probed(kind, glue.Layer.load(files.tensors[kind], prefix, kind.toLowerCase(), numbered(choices), precision === "bf16"));
  };
  answers[`${kind}.forward`] = (x, options) => divided(kind, made[kind], Float32Array.from(x), options);
}

/** The value that a right call resolves to, or the code of what it rejects with. */
export async function expected({ call, plain }) {
  try {
    const value = await answers[call](...plain.map((value) => value ?? undefined));
    return { value: JSON.parse(JSON.stringify(value)) };
  } catch (error) {
    if (typeof error?.code !== "string") throw error;
    return { code: error.code };
  }
}

/** Whether two answers are the same but for rounding. */
export function near(a, b) {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b));
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => near(one, b[i]));
  return a === b;
}
