/** What a tagger's file says of itself; its words and letters are left out. */
export interface TaggerConfig extends Omit<ModelConfig, "task" | "labels" | "pool"> {
  readonly task: "tag";
  /** The tags. */
  readonly labels: readonly string[];
}

/** What a parser's file says of itself; its words and letters are left out. */
export interface ParserConfig extends Omit<TaggerConfig, "task"> {
  readonly task: "parse";
  /** What a word can be to its head; that of a sentence's root is `root`. */
  readonly relations: readonly string[];
}

/** What a tree classifier's file says of itself; its words are left out. */
export interface TreeClassifierConfig extends Omit<ModelConfig, "task" | "pool"> {
  readonly task: "tree";
}

/** What the file of any model says of itself, but for a parser's relations. */
export type StructuredConfig =
  | ModelConfig
  | LanguageModelConfig
  | TaggerConfig
  | Omit<ParserConfig, "relations">
  | TreeClassifierConfig;

/** Words of texts as they cross: how many each text has, and the columns of all of them, one after the other. */
export type PackedTexts = readonly [counts: Uint32Array, columns: Uint32Array];

/** Nodes of trees as they cross: how many each tree has, the columns of all of them, and the words of each tree. */
export type PackedTrees = readonly [counts: Uint32Array, columns: Uint32Array, texts: readonly string[]];

/** The number of brackets that are no tree, and what is wrong with them. */
export type NoTree = readonly [number: number, problem: string];
