/** What taggers, parsers and tree classifiers are asked, and what they answer. */

import type { CallOptions, Device, DevicePreference, Disposes, Inspection, ManyOptions, ModelConfig, Score, Texts, TextStream } from "../types.js";

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
export interface TreeClassifierConfig extends Omit<ModelConfig, "task" | "labels" | "pool"> {
  readonly task: "tree";
  /** The labels of a node. */
  readonly labels: readonly string[];
  /** What trees it takes: binary ones, in brackets, or those that a parser makes of texts. */
  readonly cell: "binary" | "child-sum";
}

export interface StructureOptions extends CallOptions {
  /** In place of the model's own. `auto` is the CPU, which such short sequences suit. */
  readonly device?: DevicePreference | undefined;
}

export interface StructureAllOptions extends StructureOptions, ManyOptions {}

export interface TreeOptions extends StructureOptions {
  /**
   * What makes trees of texts, for a model whose `cell` is `"child-sum"` and no other: a parser of the same thread, from
   * `saccade-rnn` or from `saccade-rnn/worker` as the model is. It computes where the model does.
   */
  readonly parser?: Parser | undefined;
}

export interface TreeAllOptions extends TreeOptions, ManyOptions {}

/** What all models of sentences and trees have. */
interface Structured<Config> extends Disposes {
  readonly config: Config;
  /** Where the last call ran; before the first, where it is expected to. */
  readonly device: Device;
  /** Why there, in words. */
  readonly deviceReason: string;
  /** What the model is made of. */
  inspect(): Promise<Inspection<Config>>;
  /** The file that it was loaded from, for `load` and the command line. */
  save(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A word of a text, and its tag. */
export interface TaggedToken {
  /** As the text has it. */
  readonly text: string;
  /** Where it begins in the text, in UTF-16 units. */
  readonly start: number;
  /** One past its last UTF-16 unit. */
  readonly end: number;
  /** The likeliest tag. */
  readonly tag: string;
  /** That of the tag, in [0, 1]. */
  readonly probability: number;
}

/** The words of a text, and their tags. */
export interface Tagged {
  readonly tokens: readonly TaggedToken[];
}

/** One label for every word. A text is cut into words by the model's tokenizer, and into sentences by simple rules. */
export interface Tagger extends Structured<TaggerConfig> {
  readonly task: "tag";
  /** Tags the words of a text of any length; a lone surrogate counts as U+FFFD. Its progress counts words. */
  tag(text: string, options?: StructureOptions): Promise<Tagged>;
  /** Tags the words of many texts in batches, which takes less time than one by one. Their progress counts texts. */
  tag(texts: Texts, options?: StructureOptions): Promise<readonly Tagged[]>;
  tag(texts: string | Texts, options?: StructureOptions): Promise<Tagged | readonly Tagged[]>;
  /**
   * Tags any number of texts, in their order, with a batch of them in memory at a time, with workers two for each: texts are taken
   * when more are asked for, and whatever has arrived by then is a batch. To leave the loop ends it. Its progress counts texts.
   */
  tagAll(texts: TextStream, options?: StructureAllOptions): AsyncIterableIterator<Tagged>;
}

/** A word of a text, its tag, and the word that it depends on. */
export interface ParsedToken extends Omit<TaggedToken, "probability"> {
  /** The number of its head among the tokens of the text; null of the root of a sentence. */
  readonly head: number | null;
  /** How it depends on its head: one of the model's relations, or `root`. */
  readonly relation: string;
  /** That of the step that gave it its head, in [0, 1], among the steps that were possible. */
  readonly probability: number;
}

/** The words of a text, and the trees over its sentences. */
export interface Parsed {
  readonly tokens: readonly ParsedToken[];
}

/** A tree over the words of every sentence, which it cuts a text into as a {@link Tagger} does. */
export interface Parser extends Structured<ParserConfig> {
  readonly task: "parse";
  /** Parses the sentences of a text of any length; a lone surrogate counts as U+FFFD. Its progress counts words. */
  parse(text: string, options?: StructureOptions): Promise<Parsed>;
  /** Parses many texts in batches, which takes less time than one by one. Their progress counts texts. */
  parse(texts: Texts, options?: StructureOptions): Promise<readonly Parsed[]>;
  parse(texts: string | Texts, options?: StructureOptions): Promise<Parsed | readonly Parsed[]>;
  /** Parses any number of texts, as {@link Tagger.tagAll} tags them. */
  parseAll(texts: TextStream, options?: StructureAllOptions): AsyncIterableIterator<Parsed>;
}

/** A node of a tree, and its label. */
export interface TreeNode {
  /** Its words. */
  readonly text: string;
  /** Where they begin in the text of the tree, in UTF-16 units. */
  readonly start: number;
  /** One past their last UTF-16 unit. */
  readonly end: number;
  /** The likeliest label. */
  readonly label: string;
  /** That of the label, in [0, 1]. */
  readonly probability: number;
  /** Of every label. */
  readonly scores: readonly Score[];
  /** Left and right; none of a word. */
  readonly children: readonly TreeNode[];
}

/** A tree with a label for every node. */
export interface ClassifiedTree {
  /** Its words, with a space between them. */
  readonly text: string;
  /** Null if the tree has no words. */
  readonly root: TreeNode | null;
  /** All nodes: first the words in their order, then what two nodes make together, children before their parent. */
  readonly nodes: readonly TreeNode[];
}

/** A word in the tree of its sentence, and the label of what it says together with all words under it. */
export interface PhraseNode extends Omit<TreeNode, "children"> {
  /** The word, which heads the part of the text that the node stands for. */
  readonly token: ParsedToken;
  /** The words that depend on it, in their order. */
  readonly children: readonly PhraseNode[];
}

/** A text with a label for every word, in the trees over its sentences. */
export interface ClassifiedText {
  readonly text: string;
  /** The roots of the sentences, in their order. */
  readonly roots: readonly PhraseNode[];
  /** All nodes, in the order of their words. */
  readonly nodes: readonly PhraseNode[];
}

/**
 * A label for every node of a tree over words. A model whose `config.cell` is `"binary"` takes trees in brackets; one whose cell is
 * `"child-sum"` takes any text, and a {@link Parser} that makes the trees of its sentences:
 *
 * ```ts
 * const parser = await load("parser.safetensors", { task: "parse" });
 * const ofTexts = await load("texts.safetensors", { task: "tree" });
 * const { roots } = await ofTexts.classify("A dull film with a wonderful cast.", { parser });
 * for (const { label, children } of roots) console.log(label, children.map(({ text, label }) => `${text}: ${label}`));
 * ```
 *
 * Trees in brackets are as treebanks have them: a node is `(label word)` or `(label node node)`, and its label may be left out, as
 * in `( ( good) ( film))`. Words have `-LRB-` for `(` and so on.
 */
export interface TreeClassifier extends Structured<TreeClassifierConfig> {
  readonly task: "tree";
  /** Labels the words of a text of any length, in the trees over its sentences. Its progress counts words that are parsed. */
  classify(text: string, options: TreeOptions & { readonly parser: Parser }): Promise<ClassifiedText>;
  /** Labels the words of many texts in batches, which takes less time than one by one. Their progress counts texts. */
  classify(texts: Texts, options: TreeOptions & { readonly parser: Parser }): Promise<readonly ClassifiedText[]>;
  /** Labels the nodes of a tree of any depth. Its progress counts words. */
  classify(tree: string, options?: StructureOptions): Promise<ClassifiedTree>;
  /** Labels the nodes of many trees in batches, which takes less time than one by one. Their progress counts trees. */
  classify(trees: Texts, options?: StructureOptions): Promise<readonly ClassifiedTree[]>;
  classify(
    trees: string | Texts,
    options?: TreeOptions,
  ): Promise<ClassifiedText | readonly ClassifiedText[] | ClassifiedTree | readonly ClassifiedTree[]>;
  /** Labels the words of any number of texts, as {@link Tagger.tagAll} tags them. Workers hold the parser as well. */
  classifyAll(texts: TextStream, options: TreeAllOptions & { readonly parser: Parser }): AsyncIterableIterator<ClassifiedText>;
  /** Labels the nodes of any number of trees, as {@link Tagger.tagAll} tags texts. */
  classifyAll(trees: TextStream, options?: StructureAllOptions): AsyncIterableIterator<ClassifiedTree>;
  classifyAll(trees: TextStream, options?: TreeAllOptions): AsyncIterableIterator<ClassifiedText | ClassifiedTree>;
}
