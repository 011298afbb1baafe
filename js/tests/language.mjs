/** A small language model as a file, and what it computes, by code of its own: an LSTM and an adaptive softmax, word by word. */

/** Numbers between -1 and 1 from a counter (SplitMix32). */
function noise(seed) {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 31 - 1;
  };
}

/** A safetensors file. */
function safetensors(tensors, metadata) {
  let at = 0;
  const header = { __metadata__: metadata };
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [at, (at += 4 * values.length)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + at).fill(32, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  at = 8 + padded;
  for (const { values } of Object.values(tensors)) {
    file.set(new Uint8Array(values.buffer), at);
    at += 4 * values.length;
  }
  return file;
}

const dot = (a, from, b) => b.reduce((sum, value, i) => sum + a[from + i] * value, 0);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Logarithms of a softmax. */
function logSoftmax(logits) {
  const most = Math.max(...logits);
  const sum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) + most;
  return logits.map((logit) => logit - sum);
}

/** A model over a vocabulary of which the first is `<unk>`: its file, and what it computes. */
export function languageModel({ vocabulary, tokenizer, start, cutoffs = [8, 20], seed = 1, embedding = 6, hidden = 16 }) {
  const random = noise(seed);
  const tensors = {};
  const tensor = (name, shape, scale) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => scale * random());
    return (tensors[name] = { shape, values }).values;
  };
  const count = vocabulary.length;
  const bounds = [...cutoffs, count];
  const table = tensor("embedding.weight", [count, embedding], 1.5);
  const input = tensor("encoder.0.weight_ih_l0", [4 * hidden, embedding], 1);
  const state = tensor("encoder.0.weight_hh_l0", [4 * hidden, hidden], 0.6);
  const biases = [tensor("encoder.0.bias_ih_l0", [4 * hidden], 0.5), tensor("encoder.0.bias_hh_l0", [4 * hidden], 0.5)];
  const head = tensor("head.head.weight", [bounds[0] + cutoffs.length, hidden], 3);
  const bias = tensor("head.head.bias", [bounds[0] + cutoffs.length], 1);
  const tails = cutoffs.map((first, i) => {
    const size = Math.floor(hidden / 2 ** (i + 1));
    const narrow = tensor(`head.tail.${i}.0.weight`, [size, hidden], 2);
    const words = tensor(`head.tail.${i}.1.weight`, [bounds[i + 1] - first, size], 2);
    return { size, narrow, words, count: bounds[i + 1] - first };
  });
  const predict = { cutoffs, div_value: 2, head_bias: true, ...(start && { start }) };
  const config = {
    format: 2, task: { predict }, tokenizer, vocabulary, embedding_size: embedding,
    encoder: [{ type: "lstm", hidden_size: hidden, bidirectional: false }], training: {},
  };
  const step = ({ h, c }, id) => {
    const x = table.slice(id * embedding, (id + 1) * embedding);
    const gate = (i) => dot(input, i * embedding, x) + dot(state, i * hidden, h) + biases[0][i] + biases[1][i];
    const next = { h: [], c: [] };
    for (let i = 0; i < hidden; i++) {
      const [write, keep, cell, out] = [0, 1, 2, 3].map((part) => gate(part * hidden + i));
      next.c.push(sigmoid(keep) * c[i] + sigmoid(write) * Math.tanh(cell));
      next.h.push(sigmoid(out) * Math.tanh(next.c[i]));
    }
    return next;
  };
  const distribution = (h) => {
    const of = logSoftmax(Array.from(bias, (b, i) => b + dot(head, i * hidden, h)));
    const parts = tails.map(({ size, narrow, words, count }, tail) => {
      const inner = Array.from({ length: size }, (_, i) => dot(narrow, i * hidden, h));
      return logSoftmax(Array.from({ length: count }, (_, i) => dot(words, i * size, inner))).map((log) => log + of[bounds[0] + tail]);
    });
    return [...of.slice(0, bounds[0]), ...parts.flat()];
  };
  const ids = (texts) => texts.map((text) => Math.max(vocabulary.indexOf(text), 0));
  return {
    file: safetensors(tensors, { saccade: JSON.stringify(config) }),
    vocabulary,
    /** `ln p` of all words, before each of some words and after the last; null where nothing came before. */
    distributions(texts) {
      let now = { h: Array(hidden).fill(0), c: Array(hidden).fill(0) };
      if (start) now = step(now, vocabulary.indexOf(start));
      const all = [start || texts.length === 0 ? distribution(now.h) : null];
      for (const id of ids(texts)) {
        now = step(now, id);
        all.push(distribution(now.h));
      }
      return all;
    },
    ids,
    cluster: (id) => cutoffs.filter((first) => id >= first).length,
  };
}

const WORDS = "<unk> the , . to and of a i was in he his that her it she with as had you for my not be at on is me him have but by <eos>".split(" ");
const CHARACTERS = ["<unk>", ..." etaoinhsrdlumwcyfgpbvk.,'\n-é🎬".match(/./gsu)];

/** By words, the end of a line among them, after which every text begins. */
export const byWords = (seed) => languageModel({ vocabulary: WORDS, tokenizer: { kind: "treebank", lowercase: true, ends: "line" }, start: "<eos>", seed });
/** By characters, from nothing. */
export const byCharacters = () => languageModel({ vocabulary: CHARACTERS, tokenizer: { kind: "characters", lowercase: false }, cutoffs: [10, 22], seed: 3 });
