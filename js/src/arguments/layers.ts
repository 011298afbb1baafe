/** What the functions of layers take. */

import type {
  ElmanChoices,
  From,
  KnownLstmSizes,
  KnownSizes,
  KnownSkimSizes,
  KnownSruSizes,
  LayerKind,
  RecurrentSizes,
  Sizes,
  SkimSizes,
  SruChoices,
  SruSizes,
} from "../layers.js";
import type {
  FileSource,
  ForwardOptions,
  HiddenState,
  LstmState,
  SequenceLayer,
  SkimComputed,
  SkimForwardOptions,
  SkimState,
  SruState,
} from "../types.js";
import { count, number, oneOf, optional, size, string, unchecked } from "./check.js";
import { type Fields, options, record } from "./options.js";
import { initial, lengths, type Parts, rows } from "./rows.js";
import { device, force, maybe, precision, signal } from "./shared.js";
import { parameter, type Signature, type Signatures, type Take, take, takers } from "./signature.js";

const sizes = { inputSize: size, hiddenSize: size, seed: optional(count), precision: optional(precision) } satisfies Fields<Sizes>;
const recurrent = { ...sizes, numLayers: optional(size), bidirectional: maybe, bias: maybe } satisfies Fields<RecurrentSizes>;
const nonlinearity = optional(oneOf("tanh", "relu"));
const sru = {
  v1: maybe,
  rescale: maybe,
  hasSkipTerm: maybe,
  useTanh: maybe,
  bidirectional: maybe,
  normalizeAfter: maybe,
} satisfies Fields<SruChoices>;
const known = {
  inputSize: optional(size),
  hiddenSize: optional(size),
  numLayers: optional(size),
  bidirectional: maybe,
  bias: maybe,
} satisfies Fields<KnownSizes>;
const ofSru = {
  inputSize: optional(size),
  hiddenSize: optional(size),
  numLayers: optional(size),
  layerNorm: maybe,
  projectionSize: optional(size),
} satisfies Fields<KnownSruSizes>;
const ofSkim = {
  inputSize: optional(size),
  hiddenSize: optional(size),
  smallSize: optional(size),
  cell: optional(oneOf("lstm", "gru")),
  smallReads: optional(oneOf("slice", "all")),
} satisfies Fields<KnownSkimSizes>;
const projected = { ...known, projSize: optional(size) } satisfies Fields<KnownLstmSizes>;
const from = { prefix: optional(string), precision: optional(precision) } satisfies Fields<From>;

// What reads it looks at the file.
const file = parameter("file", unchecked<FileSource | PromiseLike<FileSource>>());
const stored = [file, parameter("choices", options<From & KnownSizes>()({ ...from, ...known }))] as const;

/** @internal */
export const layerSignatures = {
  elman: {
    random: [parameter("sizes", record<RecurrentSizes & ElmanChoices>()({ ...recurrent, nonlinearity }))],
    fromSafetensors: [file, parameter("choices", options<From & KnownSizes & ElmanChoices>()({ ...from, ...known, nonlinearity }))],
  } satisfies Signatures<LayerKind<RecurrentSizes & ElmanChoices, KnownSizes & ElmanChoices, HiddenState>>,
  lstm: {
    random: [parameter("sizes", record<RecurrentSizes>()(recurrent))],
    fromSafetensors: [file, parameter("choices", options<From & KnownLstmSizes>()({ ...from, ...projected }))],
  } satisfies Signatures<LayerKind<RecurrentSizes, KnownLstmSizes, LstmState>>,
  gru: {
    random: [parameter("sizes", record<RecurrentSizes>()(recurrent))],
    fromSafetensors: stored,
  } satisfies Signatures<LayerKind<RecurrentSizes, KnownSizes, HiddenState>>,
  sru: {
    random: [parameter("sizes", record<SruSizes>()({ ...ofSru, ...sizes, ...sru }))],
    fromSafetensors: [file, parameter("choices", options<From & KnownSruSizes & SruChoices>()({ ...from, ...sru, ...ofSru }))],
  } satisfies Signatures<LayerKind<SruSizes, KnownSruSizes & SruChoices, SruState>>,
  skim: {
    random: [parameter("sizes", record<SkimSizes>()({ ...ofSkim, ...sizes, smallSize: size }))],
    fromSafetensors: [file, parameter("choices", options<From & KnownSkimSizes>()({ ...from, ...ofSkim }))],
  } satisfies Signatures<LayerKind<SkimSizes, KnownSkimSizes, SkimState, SkimComputed<SkimState>, SkimForwardOptions<SkimState>>>,
} as const;

export const layers = {
  elman: takers(layerSignatures.elman, "Elman"),
  lstm: takers(layerSignatures.lstm, "Lstm"),
  gru: takers(layerSignatures.gru, "Gru"),
  sru: takers(layerSignatures.sru, "Sru"),
  skim: takers(layerSignatures.skim, "Skim"),
};

/** What `forward` takes of a layer with such rows and states. @internal */
export function forwardSignature<State>(width: number, parts: Parts, columns?: readonly number[]) {
  const check = options<ForwardOptions<State>>()(forwardFields<State>(parts, columns));
  return [parameter("x", rows(width)), parameter("options", check)] as const satisfies Signature<Forward<ForwardOptions<State>>>;
}

/** The same of a layer that skims. @internal */
export function skimSignature<State>(width: number, parts: Parts) {
  const fields = { ...forwardFields<State>(parts), threshold: optional(number("a finite number")), force: optional(force) };
  const check = options<SkimForwardOptions<State>>()(fields);
  return [parameter("x", rows(width)), parameter("options", check)] as const satisfies Signature<Forward<SkimForwardOptions<State>>>;
}

type Forward<Options> = Parameters<SequenceLayer<unknown, unknown, Options>["forward"]>;

function forwardFields<State>(parts: Parts, columns?: readonly number[]) {
  return {
    device: optional(device),
    state: optional(initial<State>(parts, columns)),
    lengths: optional(lengths),
    profile: maybe,
    signal: optional(signal),
  };
}

/** What takes the arguments of a layer's `forward`; of a layer that does not skim there is never what only Skim has. */
export function forward(
  skims: boolean,
  width: number,
  parts: Parts,
  columns: readonly number[],
): Take<ReturnType<typeof skimSignature>> {
  return skims ? take("forward", skimSignature(width, parts)) : take("forward", forwardSignature(width, parts, columns));
}
