/** What a run is about. */
export interface TrainingAbout {
  /** How many texts there are. */
  readonly texts: { readonly train: number; readonly dev: number; readonly test: number };
  /** How many words the vocabulary has. */
  readonly words: number;
  /** How many weights there are. */
  readonly parameters: number;
  /** What the model that the run starts from has given; null without one. */
  readonly transferred: {
    readonly taken: readonly { readonly name: string; readonly rows: number; readonly of: number }[];
    readonly kept: readonly { readonly name: string }[];
    readonly unused: readonly string[];
  } | null;
}

/** One step. */
export interface TrainingStep {
  /** The epoch, from 0. */
  readonly epoch: number;
  /** The step of the epoch, from 0. */
  readonly step: number;
  /** Steps of the epoch. */
  readonly steps: number;
  /** Words that were learned from. */
  readonly words: number;
  /** The task's loss, and of networks that skim that of skimming. */
  readonly losses: { readonly loss: number; readonly skimLoss?: number };
}

/** Where a run goes on that has lost its GPU. */
export interface TrainingMove {
  /** The epoch, from 0. */
  readonly epoch: number;
  /** The step of the epoch, from 0. */
  readonly step: number;
}

/** The figures of a classifier, of a language model, or of a tagger. */
export type TrainingFigures = ClassifierFigures | LanguageModelFigures | TaggerFigures;

/** The figures of a classifier. */
export interface ClassifierFigures {
  /** Texts. */
  readonly n: number;
  readonly tokens: number;
  /** Share of texts whose most probable label is right. */
  readonly accuracy: number;
  /** Nats a text. */
  readonly loss: number;
  /** Share of decisions that were to skim; 0 without a layer that skims. */
  readonly skimRate: number;
  /** FLOPs had every word been read, over FLOPs spent. */
  readonly flopReduction: number;
}

/** The figures of a language model. */
export interface LanguageModelFigures {
  /** Words that were predicted. */
  readonly n: number;
  /** Nats a word. */
  readonly loss: number;
  readonly perplexity: number;
}

/** The figures of a tagger. */
export interface TaggerFigures {
  /** Tokens. */
  readonly n: number;
  readonly sentences: number;
  /** Share of tokens that are given the right tag. */
  readonly accuracy: number;
  /** How many tokens the vocabulary lacks. */
  readonly unknown: number;
  /** Share of those that are given the right tag; 0 of none. */
  readonly unknownAccuracy: number;
  /** Nats a token. */
  readonly loss: number;
}

/** An evaluation on the texts to choose by. */
export interface TrainingEvaluation {
  /** Epochs so far, with fraction. */
  readonly epoch: number;
  /** Whether the model is the best so far, and kept. */
  readonly kept: boolean;
  readonly dev: TrainingFigures;
}

/** The end of a run. */
export interface TrainingEnd {
  /** Of the model as stored, on the texts to choose by. */
  readonly dev: TrainingFigures;
  /** The same on the texts to report on; null without any. */
  readonly test: TrainingFigures | null;
  /** The model's file. */
  readonly model: Uint8Array<ArrayBuffer>;
}

/** The tokens of a text, and the tags that the model gives them now. */
export type TrainingTags = readonly {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly tag: string;
  readonly probability: number;
}[];

/** A text as the model reads it now. */
export interface TrainingReading {
  readonly label: string;
  readonly scores: readonly { readonly label: string; readonly probability: number }[];
  readonly tokens: readonly {
    readonly text: string;
    readonly start: number;
    readonly end: number;
    readonly known: boolean;
    readonly decision: "read" | "skim";
    readonly skimProbability: number | null;
  }[];
  readonly skimRate: number;
}
