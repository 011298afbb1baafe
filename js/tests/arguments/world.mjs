/** What calls are made of: models and layers of one entry of the package, in Node or in a page. */

import { byWords } from "../language.mjs";
import { address } from "../package.mjs";
import { make } from "./values.mjs";

/** Sizes of the layers, whose states have 8, 4 and 2 numbers for each sequence. */
export const layers = {
  Elman: { sizes: { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, seed: 1 }, parts: ["h"], state: 8 },
  Lstm: { sizes: { inputSize: 3, hiddenSize: 2, numLayers: 2, seed: 2 }, parts: ["h", "c"], state: 4 },
  Gru: { sizes: { inputSize: 2, hiddenSize: 4, seed: 3 }, parts: ["h"], state: 4 },
  Sru: { sizes: { inputSize: 3, hiddenSize: 2, numLayers: 2, seed: 4 }, parts: ["c"], state: 4 },
  Skim: { sizes: { inputSize: 1, hiddenSize: 2, smallSize: 1, seed: 5 }, parts: ["h", "c"], state: 2 },
};

/** Columns of the adaptive softmax, and its words. */
export const softmax = { width: 20, words: 30 };

const HEALTH = "A quiet, generous film";

const probabilities = (reading) => reading.scores.map(({ probability }) => probability);

/** What two readings must have in common. */
export const ofReading = (reading) => [
  reading.label,
  probabilities(reading),
  reading.tokens.map(({ text, start, decision }) => [text, start, decision]),
];
/** Of times, which no two measurements have in common, that they are times. */
const areTimes = (...all) => all.every((time) => Number.isFinite(time) && time >= 0);
export const ofCosts = ({ cpu, webgpu }) => [Number.isFinite(cpu.fixedMs), areTimes(cpu.tokenMs), webgpu];
export const ofSteps = ({ device, kernels, readUs, skimUs, clockUs }) => [device, kernels, areTimes(readUs, skimUs, clockUs)];
/** What two scorings must have in common. */
export const ofScoring = ({ bits, predicted, tokens }) => [bits, predicted, tokens.map(({ text, start }) => [text, start])];
const ofWords = ({ words, rowsComputed }) => [words.map(({ id, bits }) => [id, bits]), rowsComputed];
const ofTokens = (tokens) => tokens.map(({ text, start, known }) => [text, start, known]);
export const ofComputed = ({ output, state, decisions = [] }) => [[...output], [...(state.h ?? []), ...(state.c ?? [])], [...decisions]];
export const ofWordsOfRows = ({ logProb, words = [], rowsComputed }) => [[...logProb], [...words], [...rowsComputed]];
export const ofTags = ({ tokens }) => tokens.map(({ text, start, end, tag, probability }) => [text, start, end, tag, probability]);
export const ofHeads = ({ tokens }) => tokens.map(({ text, start, tag, head, relation, probability }) => [text, start, tag, head, relation, probability]);
export const ofNodes = ({ nodes }) => nodes.map(({ text, start, end, label, scores }) => [text, start, end, label, scores.map(({ probability }) => probability)]);
/** What counts of one answer, or of all of many. */
const ofEach = (answer, of) => (Array.isArray(answer) ? answer.map(of) : of(answer));
const streamed = async (answers, of) => {
  const all = [];
  for await (const answer of answers) all.push(of(answer));
  return all;
};
/** Rows for a layer of whatever width. */
export const rowsOf = (width) => Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i));
const probed = async (layer) => {
  const probe = ofComputed(await layer.forward(rowsOf(layer.inputSize)));
  layer.dispose();
  return probe;
};

/** Arguments of which the first is a file, which cannot be written down: null stands for the right one. */
const sourced = ([source, ...rest], file) => [source === null ? file : source, ...rest];

/** How long a file is, and where it ends. */
const saved = async (model, given) => ofFile(await model.save(...given));
export const ofFile = (bytes) => [bytes.length, ...bytes.subarray(-8)];

/** How each public function is called, and what of its answer counts. */
export const calls = {
  init: ({ api }, given) => api.init(...given),
  devices: async ({ api }, given) => (await api.devices(...given)).cpu.usable,
  gpuStatistics: ({ api }, given) => api.gpuStatistics(...given),
  race: async ({ api }, given) => {
    const { times, absent } = await api.race(...given);
    return Object.entries(times).map(([name, { median }]) => [name, areTimes(median), Object.keys(absent)]);
  },
  useWorker: ({ api }, given) => api.useWorker(...given),
  load: async ({ api, file }, given) => {
    const model = await api.load(...sourced(given, file));
    const { labels } = model.config;
    model.dispose();
    return labels;
  },
  read: async ({ model }, given) => ofReading(await model.read(...given)),
  readAll: async ({ model }, given) => (await model.readAll(...given)).map(ofReading),
  stream: async ({ model }, given) => {
    const tokens = [];
    for await (const { text, start, decision } of model.stream(...given)) tokens.push([text, start, decision]);
    return tokens;
  },
  tokenize: async ({ model }, given) => ofTokens(await model.tokenize(...given)),
  reader: async ({ model }, given) => {
    const reader = model.reader(...given);
    const reading = await reader.update("a good film");
    reader.dispose();
    return ofReading(reading);
  },
  hidden: async ({ model }, given) => {
    const { layers, scores } = await model.hidden(...given);
    return [layers.map(({ name, states }) => [name, [...states.slice(-8)]]), [...scores.slice(-2)]];
  },
  calibrate: async ({ model }, given) => ofCosts(await model.calibrate(...given)),
  steps: async ({ model }, given) => {
    const steps = await model.steps(...given);
    const { timing } = await model.read("a", { device: steps.device });
    return [...ofSteps(steps), timing.readStepUs === steps.readUs];
  },
  compare: async ({ model }, given) => {
    const { device, reading, everyWord, kept, elsewhere, absent } = await model.compare(...given);
    const times = areTimes(reading.least, reading.median, reading.most);
    return [device, times, everyWord !== null, kept !== null, elsewhere, Object.keys(absent)];
  },
  inspect: async ({ model }, given) => (await model.inspect(...given)).parameters,
  save: ({ model }, given) => saved(model, given),
  "Reader.update": async ({ reader }, given) => ofReading(await reader.update(...given)),
  "Reader.append": async ({ reader }, given) => {
    await reader.update("a good ");
    return ofReading(await reader.append(...given));
  },
  "Reader.hidden": async ({ reader }, given) => {
    await reader.update("a good film");
    return [...(await reader.hidden(...given)).scores.slice(-2)];
  },
};
Object.assign(calls, {
  "LanguageModel.score": async ({ language }, given) => ofScoring(await language.score(...given)),
  "LanguageModel.scoreAll": ({ language }, given) => streamed(language.scoreAll(...given), ofScoring),
  "LanguageModel.perplexity": async ({ language }, given) => String((await language.perplexity(...given)).toFixed(2)),
  "LanguageModel.predict": async ({ language }, given) => ofWords(await language.predict(...given)),
  "LanguageModel.generate": async ({ language }, given) => {
    const tokens = [];
    for await (const token of language.generate(...given)) tokens.push(token);
    return tokens.every(({ kind, bits }) => (kind === "word" || kind === "end") && bits >= 0);
  },
  "LanguageModel.tokenize": async ({ language }, given) => ofTokens(await language.tokenize(...given)),
  "LanguageModel.reader": async ({ language }, given) => {
    const reader = language.reader(...given);
    const scoring = await reader.update("it was his cat");
    reader.dispose();
    return ofScoring(scoring);
  },
  "LanguageModel.inspect": async ({ language }, given) => (await language.inspect(...given)).parameters,
  "LanguageModel.save": ({ language }, given) => saved(language, given),
  "LanguageReader.update": async ({ writing }, given) => ofScoring(await writing.update(...given)),
  "LanguageReader.append": async ({ writing }, given) => {
    await writing.update("it was ");
    return ofScoring(await writing.append(...given));
  },
  "LanguageReader.predict": async ({ writing }, given) => {
    await writing.update("it was ");
    return ofWords(await writing.predict(...given));
  },
});
Object.assign(calls, {
  "Tagger.tag": async ({ tagging }, given) => ofEach(await tagging.tag(...given), ofTags),
  "Tagger.tagAll": ({ tagging }, given) => streamed(tagging.tagAll(...given), ofTags),
  "Tagger.inspect": async ({ tagging }, given) => (await tagging.inspect(...given)).parameters,
  "Tagger.save": ({ tagging }, given) => saved(tagging, given),
  "Parser.parse": async ({ parsing }, given) => ofEach(await parsing.parse(...given), ofHeads),
  "Parser.parseAll": ({ parsing }, given) => streamed(parsing.parseAll(...given), ofHeads),
  "Parser.inspect": async ({ parsing }, given) => (await parsing.inspect(...given)).parameters,
  "Parser.save": ({ parsing }, given) => saved(parsing, given),
  "TreeClassifier.classify": async ({ labelling }, given) => ofEach(await labelling.classify(...given), ofNodes),
  "TreeClassifier.classifyAll": ({ labelling }, given) => streamed(labelling.classifyAll(...given), ofNodes),
  "TreeClassifier.inspect": async ({ labelling }, given) => (await labelling.inspect(...given)).parameters,
  "TreeClassifier.save": ({ labelling }, given) => saved(labelling, given),
});
for (const kind of Object.keys(layers)) {
  calls[`${kind}.random`] = async ({ api }, given) => probed(await api[kind].random(...given));
  calls[`${kind}.fromSafetensors`] = async ({ api, tensors }, given) => {
    return probed(await api[kind].fromSafetensors(...sourced(given, tensors[kind])));
  };
  calls[`${kind}.forward`] = async ({ kinds }, given) => ofComputed(await kinds[kind].forward(...given));
}

Object.assign(calls, {
  "AdaptiveSoftmax.fromSafetensors": async ({ api, tensors }, given) => {
    const layer = await api.AdaptiveSoftmax.fromSafetensors(...sourced(given, tensors.AdaptiveSoftmax));
    const probe = ofWordsOfRows(await layer.predict(rowsOf(layer.inputSize)));
    layer.dispose();
    return probe;
  },
  "AdaptiveSoftmax.logProb": async ({ distribution }, given) => ofWordsOfRows(await distribution.logProb(...given)),
  "AdaptiveSoftmax.predict": async ({ distribution }, given) => ofWordsOfRows(await distribution.predict(...given)),
  "AdaptiveSoftmax.topK": async ({ distribution }, given) => ofWordsOfRows(await distribution.topK(...given)),
  "AdaptiveSoftmax.loss": async ({ distribution }, given) => {
    const { output, loss, rowsComputed } = await distribution.loss(...given);
    return [[...output], loss, [...rowsComputed]];
  },
});

/** Models of whose tasks another engine is. */
export const structures = { tagging: "models/ewt-tagger.safetensors", parsing: "models/ewt-parser.safetensors", labelling: "models/sst-tree-lstm.safetensors" };

/** Everything that calls need, and what a healthy model and healthy layers answer. */
export async function world(api, { file, tensors }) {
  const model = await api.load(file, { warmUp: false });
  const healthy = await api.load(file, { warmUp: false });
  const made = Object.entries(layers).map(async ([kind, { sizes }]) => [kind, await api[kind].random(sizes)]);
  const kinds = Object.fromEntries(await Promise.all(made));
  const language = await api.load(byWords().file);
  const writing = language.reader();
  const opened = Object.entries(structures).map(async ([name, path]) => [name, await api.load(address(path))]);
  const structured = Object.fromEntries(await Promise.all(opened));
  const distribution = await api.AdaptiveSoftmax.fromSafetensors(tensors.AdaptiveSoftmax, { prefix: "param." });
  const all = { api, file, tensors, model, healthy, kinds, language, writing, ...structured, distribution, reader: model.reader(), performed: 0 };
  all.cheap = await cheap(all);
  all.full = await full(all);
  return all;
}

const cheap = async ({ healthy }) => JSON.stringify(ofReading(await healthy.read(HEALTH)));

async function full({ healthy, kinds, language, distribution }) {
  const { scores } = await healthy.hidden(HEALTH);
  const words = [ofScoring(await language.score(HEALTH)), ofWordsOfRows(await distribution.predict(rowsOf(softmax.width)))];
  const computed = await Promise.all(Object.values(kinds).map((layer) => layer.forward(rowsOf(layer.inputSize))));
  return JSON.stringify([await healthy.tokenize(HEALTH), [...scores], computed.map(ofComputed), words]);
}

/** Makes calls, one after the other; resolves to their outcomes. */
export async function perform(all, calls) {
  const outcomes = [];
  for (const call of calls) outcomes.push(await performed(all, call));
  return outcomes;
}

/** What counts of a call's value or of its error, and what no longer answers as it did. */
async function performed(all, { call, given }) {
  let outcome;
  try {
    const value = await calls[call](all, given.map(make));
    outcome = { value: value === undefined ? null : JSON.parse(JSON.stringify(value)) };
  } catch (error) {
    const ours = error instanceof all.api.SaccadeError;
    outcome = { error: { ours, code: error?.code ?? null, message: String(error?.message) } };
  }
  const unwell = [];
  if ((await cheap(all)) !== all.cheap) unwell.push("a reading");
  if (++all.performed % 200 === 0 && (await full(all)) !== all.full) unwell.push("hidden states, tokens, words and layers");
  return { ...outcome, unwell };
}
