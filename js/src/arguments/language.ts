/** What the functions of a language model and of its reader take. */

import type {
  CallOptions,
  GenerateOptions,
  LanguageModel,
  LanguageReader,
  NextOptions,
  PredictOptions,
  ScoreAllOptions,
  ScoreOptions,
} from "../types.js";
import { count, number, optional, positive, string } from "./check.js";
import { options } from "./options.js";
import { call, device, many, stream } from "./shared.js";
import { parameter, type Signatures, takers } from "./signature.js";

const where = optional(device);
const top = optional(positive);

const text = parameter("text", string);
const score = parameter("options", options<ScoreOptions>()({ ...call, device: where }));
const scoreAll = options<ScoreAllOptions>()({ ...call, ...many, device: where });
const predict = options<PredictOptions>()({ ...call, device: where, top });
const generate = options<GenerateOptions>()({
  ...call,
  device: where,
  temperature: optional(number("a number from 0 to 1,000", [0, 1000])),
  topP: optional(number("a number above 0 and at most 1", [Number.MIN_VALUE, 1])),
  topK: optional(positive),
  seed: optional(count),
  maxTokens: optional(count),
});
const follow = parameter("options", options<CallOptions>()(call));

/** @internal */
export const languageSignatures = {
  score: [text, score],
  scoreAll: [parameter("texts", stream), parameter("options", scoreAll)],
  perplexity: [text, score],
  predict: [text, parameter("options", predict)],
  generate: [parameter("prompt", string), parameter("options", generate)],
  tokenize: [text],
  reader: [],
  inspect: [],
  save: [],
} as const satisfies Signatures<LanguageModel>;

/** @internal */
export const languageReaderSignatures = {
  update: [text, follow],
  append: [text, follow],
  predict: [parameter("options", options<NextOptions>()({ ...call, top }))],
} as const satisfies Signatures<LanguageReader>;

export const language = takers(languageSignatures);
export const languageTyping = takers(languageReaderSignatures);
