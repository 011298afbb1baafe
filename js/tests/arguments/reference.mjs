/** What a call must answer: the engine's own answer, asked without the package's checks. */

import { readFileSync } from "node:fs";
import * as glue from "../../pkg/saccade_rnn.js";
import { init } from "../../dist/node.js";
import { unpackedReading } from "../../dist/reading.js";
import { layers, ofComputed, ofCosts, ofReading, ofSteps, rowsOf } from "./world.mjs";

/** Where the model and the layers' tensors are in the repository. */
export const places = {
  file: "models/sst2-skim-lstm-small.safetensors",
  tensors: Object.fromEntries(
    Object.entries({ Elman: "elman/tanh_1l_uni", Lstm: "lstm/2l_bi", Gru: "gru/1l_uni", Sru: "sru/everything", Skim: "skim/lstm_d2_all_hard" }).map(
      ([kind, name]) => [kind, `crate/tests/fixtures/${name}.safetensors`],
    ),
  ),
};

const bytes = (place) => new Uint8Array(readFileSync(new URL(`../../../${place}`, import.meta.url)));
export const files = {
  file: bytes(places.file),
  tensors: Object.fromEntries(Object.entries(places.tensors).map(([kind, place]) => [kind, bytes(place)])),
};

/** What the package gives for sizes that were not. */
const defaults = {
  Elman: { bidirectional: false, nonlinearity: "tanh" },
  Lstm: { bidirectional: false },
  Gru: { bidirectional: false },
  Sru: {
    layer_norm: false, projection_size: 0, v1: false, rescale: false, has_skip_term: true, use_tanh: false, bidirectional: false,
    normalize_after: false,
  },
  Skim: { cell: "lstm", small_reads: "slice" },
};

await init();
const model = glue.Model.load(files.file, false);
const made = Object.fromEntries(Object.entries(layers).map(([kind, { sizes }]) => [kind, fresh(kind, sizes)]));

function fresh(kind, { inputSize, numLayers = 1, bias = true, seed = 0, precision, ...others }) {
  const type = kind.toLowerCase();
  const snake = Object.entries(others).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]);
  const layer = { type, ...defaults[kind], ...Object.fromEntries(snake), ...(kind === "Sru" && { num_layers: numLayers }) };
  const depth = kind === "Sru" || kind === "Skim" ? 1 : numLayers;
  return glue.Layer.random({ inputSize, numLayers: depth, bias, layer }, seed, precision === "bf16");
}

async function computed(layer, x, { state = [], device, threshold, force, lengths }) {
  const rest = lengths === undefined && force === undefined ? undefined : { lengths, force };
  const [values] = await layer.forward(x, Float32Array.from(state), device, threshold, rest);
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

const read = async (text, { signal, onProgress, ...options } = {}) => unpackedReading(await model.read(text, options));
const tokens = (reading) => ofReading(reading)[2];

const answers = {
  init: () => null,
  devices: () => true,
  gpuStatistics: () => null,
  race: () => [["one", true, []]],
  useWorker: () => null,
  load(_, options = {}) {
    if (options.integrity !== undefined) throw Object.assign(new Error(), { code: "OPTION_INVALID" });
    if (options.device === "webgpu-only") throw Object.assign(new Error(), { code: "DEVICE_UNAVAILABLE" });
    return ["negative", "positive"];
  },
  read: async (text, options) => ofReading(await read(text, options)),
  async readAll(texts, options = {}) {
    // For no texts no device is asked for.
    const packed = texts.length === 0 ? [] : await model.readAll(texts, options);
    return packed.map((one) => ofReading(unpackedReading(one)));
  },
  stream: async (text, options) => tokens(await read(text, options)),
  tokenize: (text) => model.tokenize(text).map(({ text, start, known }) => [text, start, known]),
  reader: async (options) => ofReading(await read("a good film", options ?? {})),
  async hidden(text, { device, measureMs, ...options } = {}) {
    const reader = model.reader(options);
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
  "Reader.update": async (text) => ofReading(await read(text)),
  "Reader.append": async (text) => ofReading(await read(`a good ${text}`)),
  "Reader.hidden": async () => (await answers.hidden("a good film"))[1],
};
for (const kind of Object.keys(layers)) {
  answers[`${kind}.random`] = (sizes) => probed(kind, fresh(kind, sizes));
  answers[`${kind}.fromSafetensors`] = (_, { prefix = "", precision, ...choices } = {}) => {
    return probed(kind, glue.Layer.load(files.tensors[kind], prefix, { ...choices, type: kind.toLowerCase() }, precision === "bf16"));
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
