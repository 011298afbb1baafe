/** What is asked of taggers, parsers and tree classifiers, which a binary of their own holds. */

import type { NoTree, PackedTexts, PackedTrees, StructuredConfig } from "../../pkg/saccade_structure.js";
import type { Caller, Id, Lent, Reason } from "../engine.js";
import type { Device, DevicePreference, InitOptions, Inspection, Precision } from "../types.js";
import type { Parser, ParserConfig, TreeClassifierConfig } from "./types.js";

export type { NoTree, PackedTexts, PackedTrees, StructuredConfig };

/** Where a call ran, or is expected to, and why. */
export interface Place {
  readonly device: Device;
  readonly reason: Reason | { readonly code: "cpuUnlessAsked" };
}

/** Where it is wanted. */
export type Wanted = DevicePreference | undefined;

/** A parser whose trees another model labels. */
export interface LentParser extends Lent {
  readonly config: ParserConfig;
}

/** A parser of this package. */
export interface LendableParser extends Parser {
  lent(): LentParser;
}

/** A model that was opened. */
export interface OpenedFile {
  readonly id: Id;
  readonly config: StructuredConfig;
  /** Of a parser. */
  readonly relations: readonly string[];
  /** Of a tree classifier. */
  readonly cell: TreeClassifierConfig["cell"] | undefined;
}

/** Calls of the engine that this binary answers. */
export interface StructureCalls {
  /** Starts it unless it runs. */
  startStructures(options: Pick<InitOptions, "wasm">): undefined;
  /** What it was compiled to. */
  moduleOfStructures(): WebAssembly.Module | undefined;
  /** Takes the bytes of a model file, of whatever task. */
  openStructured(bytes: Uint8Array, precision: Precision): OpenedFile;
  /** Where its models would compute. */
  placeOfStructures(device: Wanted): Place;
  tag(id: Id, texts: readonly string[], device: Wanted): readonly [...PackedTexts, place: Place];
  parse(id: Id, texts: readonly string[], device: Wanted): readonly [...PackedTexts, place: Place];
  classifyTrees(id: Id, brackets: readonly string[], device: Wanted): readonly [...PackedTrees, place: Place] | NoTree;
  /** Labels the trees that a parser makes of texts. */
  labelTexts(id: Id, parser: Id, texts: readonly string[], device: Wanted): readonly [...PackedTexts, place: Place];
  inspectStructured(id: Id): Omit<Inspection, "config">;
  /** Frees what `id` stands for; calls under way still end. */
  releaseStructured(id: Id): undefined;
}

/** What answers them. */
export type Structures = Caller<StructureCalls>;
