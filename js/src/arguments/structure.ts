/** What the functions of taggers, parsers and tree classifiers take. */

import type { LendableParser } from "../structure/calls.js";
import type { Parser, StructureAllOptions, StructureOptions, Tagger, TreeAllOptions, TreeClassifier, TreeOptions } from "../structure/types.js";
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

/** By what it has: the parser may be in a proxy of a library's. */
const lendable: Check<Parser, LendableParser> = {
  expected: "a parser, as load makes of a file of that task",
  take(found, at) {
    const { task, lent } = Object(found) as Partial<LendableParser>;
    if (task !== "parse" || typeof lent !== "function") refuse(at, this.expected, found, typeof task === "string" ? `, whose task is "${task}"` : "");
    return found as LendableParser;
  },
};

const how = parameter("options", options<StructureOptions>()({ ...call, device: optional(device) }));
const howAll = parameter("options", options<StructureAllOptions>()({ ...call, ...many, device: optional(device) }));
const withParser = { parser: optional(lendable) };
const howTrees = parameter("options", options<TreeOptions>()({ ...call, device: optional(device), ...withParser }));
const howAllTrees = parameter("options", options<TreeAllOptions>()({ ...call, ...many, device: optional(device), ...withParser }));

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
  classify: [parameter("trees", oneOrMany), howTrees],
  classifyAll: [parameter("trees", stream), howAllTrees],
  inspect: [],
  save: [],
} as const satisfies Signatures<TreeClassifier>;

export const tagger = takers(taggerSignatures);
export const parser = takers(parserSignatures);
export const treeClassifier = takers(treeClassifierSignatures);
