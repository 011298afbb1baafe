/** What the settings of a run must be: ranges are for the engine to check, which names the field as well. */

import { boolean, type Check, count, is, isCount, isRecord, number, oneOf, optional, positive, refuse, string, tagOf } from "../arguments/check.js";
import { type Fields, options, record } from "../arguments/options.js";
import { maybe, texts } from "../arguments/shared.js";
import { parameter, takers } from "../arguments/signature.js";
import type { Adjusted, Snapshot, Writing } from "./calls.js";
import type {
  ClassifySettings,
  LabelledSettings,
  LayerRate,
  LayerRates,
  LayerSettings,
  LearningSettings,
  PredictionSettings,
  PredictSettings,
  ReadingLayerSettings,
  RunningSettings,
  SkimSettings,
  StorageSettings,
  TaggedSettings,
  TaggingSettings,
  TagSettings,
  TokenizerSettings,
  TrainSettings,
} from "./config.js";

/** The engine's Unicode has no halves of characters. */
const name = is<string>("a string without half a character (a lone surrogate)", (found) => typeof found === "string" && !/\p{Surrogate}/u.test(found));
const size = optional(count);
const real = number("a number");
const rate = optional(real);

function list<In, Out>(of: Check<In, Out>): Check<readonly In[], readonly Out[]> {
  const expected = "an array";
  const take = (found: unknown, at: string) => (Array.isArray(found) ? found.map((one, i) => of.take(one, `${at}[${i}]`)) : refuse(at, expected, found));
  return { expected, take };
}

type Kind<Type> = Extract<LayerSettings, { readonly type: Type }>;
const recurrent = { hiddenSize: count, bidirectional: maybe };
const layers = {
  elman: record<Kind<"elman">>()({ ...recurrent, type: oneOf("elman"), nonlinearity: optional(oneOf("tanh", "relu")) }),
  lstm: record<Kind<"lstm" | "gru">>()({ ...recurrent, type: oneOf("lstm", "gru") }),
  sru: record<Kind<"sru">>()({
    ...recurrent,
    type: oneOf("sru"),
    numLayers: size,
    v1: maybe,
    rescale: maybe,
    hasSkipTerm: maybe,
    useTanh: maybe,
    layerNorm: maybe,
    normalizeAfter: maybe,
    projectionSize: size,
  }),
  skim: record<Kind<"skim">>()({
    type: oneOf("skim"),
    cell: oneOf("lstm", "gru"),
    hiddenSize: count,
    smallSize: count,
    smallReads: optional(oneOf("slice", "all")),
  }),
};

/** A layer of one of these types. */
const layerOf = <Layer extends LayerSettings>(type: Check<Layer["type"]>): Check<Layer> => ({
  expected: "a layer",
  take(found, at) {
    const named: LayerSettings["type"] = type.take((found as Partial<Layer> | null | undefined)?.type, `${at}.type`);
    const fields = layers[named === "gru" ? "lstm" : named] as Check<unknown>;
    return fields.take(found, at) as Layer;
  },
});
const anyLayer = layerOf<LayerSettings>(oneOf("elman", "lstm", "gru", "sru", "skim"));
const readingLayer = layerOf<ReadingLayerSettings>(oneOf("elman", "lstm", "gru", "sru"));

const tokenizer = { lowercase: boolean, ends: optional(oneOf("line", "paragraph", "document")) };
/** The binary has no room for `universal`. */
const anyTokenizer = optional(record<TokenizerSettings>()({ kind: oneOf("spaces", "characters", "treebank"), ...tokenizer }));
type TagTokenizer = NonNullable<TaggedSettings["tokenizer"]>;
const tagTokenizer = optional(record<TagTokenizer>()({ kind: oneOf("spaces", "characters"), ...tokenizer }));

const common = { name: optional(name), licence: optional(name), minCount: size, maxWords: size };

const labelled = record<LabelledSettings>()({
  ...common,
  tokenizer: anyTokenizer,
  labels: optional(list(record<{ readonly file: string; readonly name: string }>()({ file: name, name }))),
  holdOut: size,
  devBlock: maybe,
  distinct: maybe,
  lastTokens: size,
  spans: optional(record<NonNullable<LabelledSettings["spans"]>>()({ min: count, max: count, short: rate })),
});

const running = record<RunningSettings>()({
  ...common,
  tokenizer: anyTokenizer,
  layout: optional(oneOf("text", "lines")),
  devShare: optional(number("a number from 0 to 1", [0, 1])),
  steps: size,
  reset: optional(oneOf("epoch", "document")),
});

const tagged = record<TaggedSettings>()({
  ...common,
  tokenizer: tagTokenizer,
  holdOut: size,
  unknown: optional(number("a number from 0 to below 1", [0, 1])),
});

const pool = optional(oneOf("last", "mean", "max"));
const network = { embeddingSize: size, forgetBias: rate };
const networks = {
  classify: record<ClassifySettings["model"]>()({ ...network, encoder: list(anyLayer), pool, highwayBias: rate }),
  predict: record<PredictSettings["model"]>()({ ...network, encoder: list(readingLayer), highwayBias: rate }),
  tag: record<TagSettings["model"]>()({ ...network, encoder: list(readingLayer) }),
};

const decay = record<{ readonly decay: { readonly after: number; readonly factor: number } }>()({
  decay: record<{ readonly after: number; readonly factor: number }>()({ after: count, factor: real }),
});
const plateau = record<{ readonly plateau: { readonly factor: number } }>()({
  plateau: record<{ readonly factor: number }>()({ factor: real }),
});
const named = oneOf("constant", "linear");
const schedule: Check<NonNullable<LearningSettings["schedule"]>> = {
  expected: '"constant", "linear", or an object with decay or plateau',
  take(found, at) {
    if (typeof found !== "object" || found === null) return named.take(found, at);
    return ("decay" in found ? decay : plateau).take(found, at) as never;
  },
};

const layerRate = record<LayerRate>()({ rate, from: size });
const layerRates = record<LayerRates>()({ embedding: optional(layerRate), encoder: optional(list(layerRate)), head: optional(layerRate) });

const learning = record<LearningSettings>()({
  batch: size,
  epochs: size,
  patience: size,
  evaluations: size,
  optimizer: optional(oneOf("adam", "sgd")),
  learningRate: rate,
  embeddingRate: rate,
  layers: optional(layerRates),
  schedule: optional(schedule),
  weightDecay: rate,
  clip: rate,
  average: rate,
  averageAfter: size,
  dropoutWeights: rate,
  dropoutWords: rate,
  dropoutEmbedding: rate,
  dropoutPerSequence: maybe,
  dropoutVariational: maybe,
  dropoutEncoder: rate,
  dropoutHead: rate,
  adversarial: rate,
  skim: optional(record<SkimSettings>()({ gamma: real, temperatureRate: real, rise: size, minRate: rate })),
});

const stored = optional(oneOf("f32", "f16", "int8"));
const output = record<StorageSettings>()({ embedding: stored, weights: stored });
const prediction = record<PredictionSettings>()({
  cutoffs: optional(list(count)),
  divValue: rate,
  headBias: maybe,
  input: optional(oneOf("table", "adaptive", "tied", "tied_projections")),
  start: optional(name),
});

const sizes = record<NonNullable<TaggingSettings["characters"]>>()({ embeddingSize: count, hiddenSize: count });
const tagging = record<TaggingSettings>()({ characters: optional(sizes) });

const all = { seed: size, train: optional(learning), output: optional(output) };
const tasks = {
  classify: record<ClassifySettings>()({ ...all, model: networks.classify, task: oneOf("classify"), data: optional(labelled) }),
  predict: record<PredictSettings>()({ ...all, model: networks.predict, task: oneOf("predict"), data: optional(running), prediction: optional(prediction) }),
  tag: record<TagSettings>()({
    ...all,
    model: networks.tag,
    task: oneOf("tag"),
    data: optional(tagged),
    tagging: optional(tagging),
  }),
};
const task = oneOf("classify", "predict", "tag");

export const settings: Check<TrainSettings> = {
  expected: "an object with task, model and more",
  take(found, at) {
    const named = task.take((found as Partial<TrainSettings> | null | undefined)?.task, `${at}.task`);
    return (tasks[named] as Check<unknown>).take(found, at) as TrainSettings;
  },
};

/** How a text is written. */
export interface WriteOptions {
  /** The most words, or letters; 100 unless given, 10,000 at most: other calls wait until they are written. */
  readonly words?: number | undefined;
  /** 1 unless given; less prefers probable words. */
  readonly temperature?: number | undefined;
  /** The same seed draws the same text; 0 unless given. */
  readonly seed?: number | undefined;
}

/** What a run writes as it learns. */
export interface SampleOptions extends WriteOptions {
  /** What every sample goes on with; nothing unless given. */
  readonly prompt?: string | undefined;
  /** Steps from one sample to the next, counted through all epochs; a sample after every evaluation unless given. */
  readonly every?: number | undefined;
}

/** A text is written in one go. */
const MOST_WORDS = 10_000;
const fewWords = is<number>(`a whole number from 0 to ${MOST_WORDS}`, (found) => isCount(found) && found <= MOST_WORDS);
const written = { words: optional(fewWords), temperature: optional(number("a number from 0", [0, Infinity])), seed: size } satisfies Fields<WriteOptions>;

export const sampled = record<SampleOptions>()({ ...written, prompt: optional(string), every: optional(positive) });

/** A text to go on with, and how. */
export function writing(text: string, { words = 100, temperature = 1, seed = 0 }: WriteOptions = {}): Writing {
  return [text, words, temperature, seed];
}

const adjusted = record<Adjusted>()({ learningRate: rate, gamma: rate, temperature: rate });

const areBytes = (found: unknown) => tagOf(found) === "Uint8Array";

/** What `run.snapshot` gave, or a clone of it; whether it is of such a run is for the engine to check. */
export const snapshot: Check<Snapshot> = {
  expected: "a snapshot that run.snapshot gave",
  take(found, at) {
    if (!isRecord(found) || !isRecord(found["adjusted"])) refuse(at, this.expected, found);
    const { state, kept } = found;
    if (!areBytes(state) || (kept != null && !areBytes(kept))) {
      refuse(at, this.expected, found, ", whose state or kept is no Uint8Array: clone it or keep it in IndexedDB, not as JSON");
    }
    return { ...(found as unknown as Snapshot), adjusted: adjusted.take(found["adjusted"], `${at}.adjusted`) };
  },
};

/** What the functions of a run take. */
export const taken = takers(
  {
    set: [parameter("adjusted", adjusted)],
    read: [parameter("texts", texts)],
    tag: [parameter("texts", texts)],
    write: [parameter("text", string), parameter("options", options<WriteOptions>()(written))],
  },
  "run",
);
