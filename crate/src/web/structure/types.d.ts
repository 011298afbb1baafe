/** What the file of such a task says of itself. */
type ConfigOf<Task> = Omit<ModelConfig, "task" | "pool"> & { readonly task: Task };

/** What the file of any model says of itself; its words are left out. */
export type StructuredConfig = ModelConfig | LanguageModelConfig | ConfigOf<"tag"> | ConfigOf<"parse"> | ConfigOf<"tree">;

/** Words of texts as they cross: how many each text has, and the columns of all of them, one after the other. */
export type PackedTexts = readonly [counts: Uint32Array, columns: Uint32Array];

/** Nodes of trees as they cross: how many each tree has, the columns of all of them, and the words of each tree. */
export type PackedTrees = readonly [counts: Uint32Array, columns: Uint32Array, texts: readonly string[]];

/** The number of brackets that are no tree, and what is wrong with them. */
export type NoTree = readonly [number: number, problem: string];
