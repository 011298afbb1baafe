/** What a language model is asked, and what it answers. */

import type { Device, DevicePreference, LanguageModelConfig, PlainToken } from "../pkg/saccade_rnn.js";
import type { CallOptions, Disposes, Inspection, ManyOptions, PlainTiming, TextStream } from "./types.js";

export interface ScoreOptions extends CallOptions {
  /** In place of the model's own. */
  readonly device?: DevicePreference | undefined;
}

export interface ScoreAllOptions extends ScoreOptions, ManyOptions {}

export interface NextOptions extends CallOptions {
  /** How many of the most probable words; 10 unless given. */
  readonly top?: number | undefined;
}

export interface PredictOptions extends NextOptions, ScoreOptions {}

/** How words are drawn. Progress is that of reading the prompt. */
export interface GenerateOptions extends ScoreOptions {
  /** 1 unless given: the model's own probabilities. Less prefers probable words; 0 takes the most probable. */
  readonly temperature?: number | undefined;
  /** Draw from the most probable words that together reach this probability; from all unless given. */
  readonly topP?: number | undefined;
  /** Draw from so many of the most probable words; from all unless given. */
  readonly topK?: number | undefined;
  /** The same seed, prompt and options give the same words, on every device but for rounding; another one each time unless given. */
  readonly seed?: number | undefined;
  /** 100 unless given. */
  readonly maxTokens?: number | undefined;
}

/** A word of a language model's text. */
export interface LanguageToken extends PlainToken {
  /** Its number in the vocabulary; 0 of words that are not in it. */
  readonly id: number;
  /** Where the softmax has it: 0 is the head, then come the tails. */
  readonly cluster: number;
}

/** The first word of a text, in a model that begins without one: nothing comes before it that could predict it. */
export interface FirstToken extends LanguageToken {
  readonly kind: "first";
}

/** A word, and what the model made of it before it read it. */
export interface PredictedToken extends LanguageToken {
  readonly kind: "predicted";
  readonly probability: number;
  /** Its surprisal: -log2 of its probability. */
  readonly bits: number;
  /** How many words were more probable, plus 1; of equals the one with the lower number comes first. */
  readonly rank: number;
  /** How many logits were computed to know that. */
  readonly rowsComputed: number;
}

/**
 * A word of a text that was scored, by `kind`. Where the model's tokenizer has ends, the end of a line or paragraph is a word
 * too: `<eos>`, whose place in the text is the white space there.
 */
export type ScoredToken = FirstToken | PredictedToken;

/** What a language model made of a text. */
export interface Scoring {
  readonly tokens: readonly ScoredToken[];
  /** How many tokens were predicted: all, or all but the first. */
  readonly predicted: number;
  /** The surprisal of all of them together. */
  readonly bits: number;
  /** Two to the mean of their surprisals; NaN if there are none. */
  readonly perplexity: number;
  readonly timing: PlainTiming;
  /** Why it ran on `timing.device`, in words. */
  readonly deviceReason: string;
}

/** A word that may come next. */
export interface NextWord {
  readonly text: string;
  readonly id: number;
  readonly cluster: number;
  readonly probability: number;
  /** Its surprisal: -log2 of its probability. */
  readonly bits: number;
}

/** What finding the next words took. */
export interface NextCost {
  /** The tails that were computed, in that order, as `cluster` numbers them: the others cannot matter. */
  readonly clustersOpened: readonly number[];
  /** How many logits were computed: those of the head and of these tails. */
  readonly rowsComputed: number;
  readonly timing: PlainTiming;
  /** Why it ran on `timing.device`, in words. */
  readonly deviceReason: string;
}

/** The most probable next words, the most probable first: exactly those of the whole distribution. */
export interface NextWords extends NextCost {
  readonly words: readonly NextWord[];
}

/** A word that was drawn. */
export interface GeneratedWord extends NextWord, NextCost {
  readonly kind: "word";
  /** What the text goes on with: the word, behind a space where words have spaces between them and none is there. */
  readonly piece: string;
}

/** The end of what the model's texts are: of the line, paragraph or document. Nothing is generated after it. */
export interface GeneratedEnd extends NextWord, NextCost {
  readonly kind: "end";
  /** What the text goes on with: the white space that ends a line or a paragraph. */
  readonly piece: string;
}

/** What was drawn, by `kind`. */
export type GeneratedToken = GeneratedWord | GeneratedEnd;

/** A language model: how probable words are in their places, and what may come next. */
export interface LanguageModel extends Disposes {
  readonly task: "predict";
  readonly config: LanguageModelConfig;
  /** Where the last call ran; before the first, where it is expected to. */
  readonly device: Device;
  /** Why there, in words. */
  readonly deviceReason: string;
  /** How surprising every word of a text is, read from its beginning, piece by piece however long it is. */
  score(text: string, options?: ScoreOptions): Promise<Scoring>;
  /**
   * Scores any number of texts, in their order, a batch at a time: texts are taken when more are asked for, and whatever has arrived
   * by then is a batch. To leave the loop ends it. Its progress counts texts.
   */
  scoreAll(texts: TextStream, options?: ScoreAllOptions): AsyncIterableIterator<Scoring>;
  /** The perplexity of a text by the words that {@link score} predicts, without a token's object for each; NaN if there are none. */
  perplexity(text: string, options?: ScoreOptions): Promise<number>;
  /** The words that may come after a text, which may be empty. */
  predict(text: string, options?: PredictOptions): Promise<NextWords>;
  /**
   * Draws one word after the other, each when it is asked for, until there are `maxTokens` or the model draws the end of the
   * line, paragraph or document. To leave the loop ends it. The prompt may be empty.
   */
  generate(prompt: string, options?: GenerateOptions): AsyncIterableIterator<GeneratedToken>;
  /** The tokens of a text, without reading it. */
  tokenize(text: string): Promise<readonly PlainToken[]>;
  /** A reader of text that is still being typed, or arrives in pieces. It runs on the CPU. */
  reader(): LanguageReader;
  /** What the model is made of. */
  inspect(): Promise<Inspection<LanguageModelConfig>>;
  /** The file that it was loaded from, for `load` and the command line. */
  save(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Keeps states on the way, so that typing costs the new words. Calls are answered in their order. */
export interface LanguageReader extends Disposes {
  /** The text as of the last call. */
  readonly text: string;
  /** How many tokens the last `update` or `append` read: those that are new, and of a change further back also up to 16 before it. */
  readonly computed: number;
  /** The text is this now. */
  update(text: string, options?: CallOptions): Promise<Scoring>;
  /** The text goes on with this. */
  append(text: string, options?: CallOptions): Promise<Scoring>;
  /** The words that may come next. */
  predict(options?: NextOptions): Promise<NextWords>;
}
