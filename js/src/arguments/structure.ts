/** What the functions of taggers, parsers and tree classifiers take. */

import type { Parser, StructureAllOptions, StructureOptions, Tagger, TreeClassifier } from "../structure/types.js";
import type { Texts } from "../types.js";
import { type Check, optional, refuse, tagOf } from "./check.js";
import { options } from "./options.js";
import { call, device, many, stream, texts } from "./shared.js";
import { parameter, type Signatures, takers } from "./signature.js";

/** One text, or many. */
const oneOrMany: Check<string | Texts, string | readonly string[]> = {
  expected: "a string, an array of strings, or another iterable of them",
  take(found, at) {
    if (typeof found === "string") return found;
    if (tagOf(found) === "String" || typeof found !== "object" || found === null || !(Symbol.iterator in found)) refuse(at, this.expected, found);
    return texts.take(found, at);
  },
};

const how = parameter("options", options<StructureOptions>()({ ...call, device: optional(device) }));
const howAll = parameter("options", options<StructureAllOptions>()({ ...call, ...many, device: optional(device) }));

/** @internal */
export const taggerSignatures = {
  tag: [parameter("texts", oneOrMany), how],
  tagAll: [parameter("texts", stream), howAll],
  inspect: [],
  save: [],
} as const satisfies Signatures<Tagger>;

/** @internal */
export const parserSignatures = {
  parse: [parameter("texts", oneOrMany), how],
  parseAll: [parameter("texts", stream), howAll],
  inspect: [],
  save: [],
} as const satisfies Signatures<Parser>;

/** @internal */
export const treeClassifierSignatures = {
  classify: [parameter("trees", oneOrMany), how],
  classifyAll: [parameter("trees", stream), howAll],
  inspect: [],
  save: [],
} as const satisfies Signatures<TreeClassifier>;

export const tagger = takers(taggerSignatures);
export const parser = takers(parserSignatures);
export const treeClassifier = takers(treeClassifierSignatures);
