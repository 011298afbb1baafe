/** What the functions of a model and of a reader take. */

import type { CompareOptions } from "../compare.js";
import type { CallOptions, Model, Reader, ReadAllOptions, ReaderOptions, ReadOptions, StepsOptions, StreamOptions } from "../types.js";
import { is, number, optional, string } from "./check.js";
import { options } from "./options.js";
import { call, device, force, many, maybe, measureMs, texts, turns } from "./shared.js";
import { parameter, type Signatures, takers } from "./signature.js";

const where = optional(device);
const threshold = optional(number("a number from 0 to 1", [0, 1]));
const decisions = optional(force);

const text = parameter("text", string);
const read = parameter("options", options<ReadOptions>()({ ...call, device: where, threshold, force: decisions, measureMs }));
const readAll = options<ReadAllOptions>()({ ...call, ...many, device: where, threshold });
const stream = options<StreamOptions>()({ ...call, device: where, threshold, force: decisions });
const reader = options<ReaderOptions>()({ threshold, force: decisions });
const steps = options<StepsOptions>()({ ...call, device: where });
const other = is<Model>("a model", (found) => typeof (found as Partial<Model> | null | undefined)?.read === "function");
const compare = options<CompareOptions>()({
  device: where,
  threshold,
  force: decisions,
  against: optional(other),
  bothDevices: maybe,
  wordCache: maybe,
  ...turns,
});
const follow = parameter("options", options<CallOptions>()(call));

/** @internal */
export const modelSignatures = {
  read: [text, read],
  readAll: [parameter("texts", texts), parameter("options", readAll)],
  stream: [text, parameter("options", stream)],
  tokenize: [text],
  reader: [parameter("options", reader)],
  hidden: [text, parameter("options", stream)],
  calibrate: [follow],
  steps: [parameter("options", steps)],
  compare: [text, parameter("options", compare)],
  inspect: [],
  save: [],
} as const satisfies Signatures<Model>;

/** @internal */
export const readerSignatures = {
  update: [text, follow],
  append: [text, follow],
  hidden: [follow],
} as const satisfies Signatures<Reader>;

export const model = takers(modelSignatures);
export const typing = takers(readerSignatures);
