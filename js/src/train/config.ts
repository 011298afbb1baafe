/**
 * What a run is to do: the settings of `saccade train`'s files in camel case, most of which have a default here. The texts are given
 * apart from it.
 */

/** A layer of the network. */
export type LayerSettings =
  | {
      readonly type: "elman";
      readonly hiddenSize: number;
      /** False unless given. */
      readonly bidirectional?: boolean | undefined;
      /** `tanh` unless given. */
      readonly nonlinearity?: "tanh" | "relu" | undefined;
    }
  | {
      readonly type: "lstm" | "gru";
      readonly hiddenSize: number;
      /** False unless given. */
      readonly bidirectional?: boolean | undefined;
    }
  | {
      readonly type: "sru";
      readonly hiddenSize: number;
      /** 1 unless given. */
      readonly numLayers?: number | undefined;
      readonly bidirectional?: boolean | undefined;
      readonly v1?: boolean | undefined;
      readonly rescale?: boolean | undefined;
      readonly hasSkipTerm?: boolean | undefined;
      readonly useTanh?: boolean | undefined;
      readonly layerNorm?: boolean | undefined;
      readonly normalizeAfter?: boolean | undefined;
      readonly projectionSize?: number | undefined;
    }
  | {
      readonly type: "skim";
      readonly cell: "lstm" | "gru";
      readonly hiddenSize: number;
      /** What skimming updates; 0 passes over the word. */
      readonly smallSize: number;
      /** What the small cell sees of the state: its own part unless given. */
      readonly smallReads?: "slice" | "all" | undefined;
    };

/** How text becomes words. */
export interface TokenizerSettings {
  readonly kind: "spaces" | "characters" | "treebank";
  readonly lowercase: boolean;
  /** What `<eos>` ends, for models that predict words. */
  readonly ends?: "line" | "paragraph" | "document" | undefined;
}

/** What every task's data may say. */
interface CommonData {
  /** The data set's name, for the record. */
  readonly name?: string | undefined;
  /** Its licence, for the record. */
  readonly licence?: string | undefined;
  readonly tokenizer?: TokenizerSettings | undefined;
  /** Words that occur less often in the training texts are unknown; 1 unless given. */
  readonly minCount?: number | undefined;
  /** The most words, `<unk>` included. */
  readonly maxWords?: number | undefined;
}

/** What to make of labelled texts. */
export interface LabelledSettings extends CommonData {
  /**
   * The labels in the order of the scores, by the names in the data and for people; unless given, those of the data, which are refused
   * if there are more than sixteen for less than twice as many texts.
   */
  readonly labels?: readonly { readonly file: string; readonly name: string }[] | undefined;
  /** How many texts to hold out to choose by, if there are none for that; a tenth, 1,000 at most, unless given. */
  readonly holdOut?: number | undefined;
  /** Holds out the last texts of every label, in proportion, and not a random sample; false unless given. */
  readonly devBlock?: boolean | undefined;
  /** Learns once from texts that are equal in words and label; false unless given. */
  readonly distinct?: boolean | undefined;
  /** Learns from the last so many tokens of a text; all unless given. */
  readonly lastTokens?: number | undefined;
  /** Learns from pieces of the texts; `short` is the share of them, 0 to 1, that have fewer words than `min`. */
  readonly spans?: { readonly min: number; readonly max: number; readonly short?: number | undefined } | undefined;
}

/** What to make of texts with a tag for every token. */
export interface TaggedSettings extends CommonData {
  /** `spaces`, lower-cased, unless given. */
  readonly tokenizer?: (TokenizerSettings & { readonly kind: "spaces" | "characters" }) | undefined;
  /** How many sentences to hold out to choose by, if there are none for that; a tenth of the texts, 1,000 at most, unless given. */
  readonly holdOut?: number | undefined;
  /** The share of tokens that an epoch reads as unknown, so that letters and neighbours must do; 0 unless given. */
  readonly unknown?: number | undefined;
}

/** What to make of running text. */
export interface RunningSettings extends CommonData {
  /** A text hard-wrapped or not, or one sentence a line; `text` unless given. */
  readonly layout?: "text" | "lines" | undefined;
  /** The share of the text, at its end, to choose by, if there is no other for that; 0.1 unless given. */
  readonly devShare?: number | undefined;
  /** Words that a lane reads a step, beyond which no gradient goes; 32 unless given. */
  readonly steps?: number | undefined;
  /** What begins with a state of zeros; `epoch` unless given. */
  readonly reset?: "epoch" | "document" | undefined;
}

/** The network of any task, of such layers. */
export interface AnyNetwork<Layer> {
  /** Width of word vectors; 64 unless given. */
  readonly embeddingSize?: number | undefined;
  readonly encoder: readonly Layer[];
  /** Added to fresh biases of LSTM forget gates; 0 unless given. */
  readonly forgetBias?: number | undefined;
}

/** The network of a classifier, whose layers may skim. */
export interface NetworkSettings extends AnyNetwork<LayerSettings> {
  /** How the states of a text become one; `last` unless given. */
  readonly pool?: "last" | "mean" | "max" | undefined;
  /** Fresh bias of SRU's reset gates; 0 unless given. */
  readonly highwayBias?: number | undefined;
}

/** A layer that reads every token. */
export type ReadingLayerSettings = Exclude<LayerSettings, { readonly type: "skim" }>;

/** How a layer learns. */
export interface LayerRate {
  /** Multiplies the learning rate; 1 unless given, 0 leaves the layer as it is. */
  readonly rate?: number | undefined;
  /** The first epoch in which it learns, counted from 0; 0 unless given. */
  readonly from?: number | undefined;
}

/** How the layers of a network learn: what a model that it starts from knows can be frozen, or thawed later. */
export interface LayerRates {
  /** Word vectors. */
  readonly embedding?: LayerRate | undefined;
  /** The layers of the encoder, that next to the words first. */
  readonly encoder?: readonly LayerRate[] | undefined;
  /** What is above them. */
  readonly head?: LayerRate | undefined;
}

/** How to learn. */
export interface LearningSettings {
  /** Texts, or lanes of a text, a step; 32 unless given. */
  readonly batch?: number | undefined;
  /** 10 unless given. */
  readonly epochs?: number | undefined;
  /** Stops after so many evaluations without a better one; 0, never, unless given. */
  readonly patience?: number | undefined;
  /** An epoch; 1 unless given. */
  readonly evaluations?: number | undefined;
  /** `adam` unless given. */
  readonly optimizer?: "adam" | "sgd" | undefined;
  /** 0.002 unless given. */
  readonly learningRate?: number | undefined;
  readonly embeddingRate?: number | undefined;
  /** How single layers learn: as all do unless given. */
  readonly layers?: LayerRates | undefined;
  /** `constant` unless given. */
  readonly schedule?:
    | "constant"
    | "linear"
    | { readonly decay: { readonly after: number; readonly factor: number } }
    | { readonly plateau: { readonly factor: number } }
    | undefined;
  readonly weightDecay?: number | undefined;
  /** The largest norm of a gradient; 5 unless given, 0 for no bound. */
  readonly clip?: number | undefined;
  readonly average?: number | undefined;
  readonly averageAfter?: number | undefined;
  readonly dropoutWeights?: number | undefined;
  readonly dropoutWords?: number | undefined;
  readonly dropoutEmbedding?: number | undefined;
  readonly dropoutPerSequence?: boolean | undefined;
  readonly dropoutVariational?: boolean | undefined;
  readonly dropoutEncoder?: number | undefined;
  readonly dropoutHead?: number | undefined;
  /**
   * Learns from every batch once more, its word vectors moved by so much of their norm to where the loss is greater; 0, not at
   * all, unless given (after Miyato, Dai & Goodfellow 2017). Classifiers of reviews learned
   * best with some 0.005; a step takes twice as long.
   */
  readonly adversarial?: number | undefined;
  /** Of networks that skim; `{ gamma: 0.02, temperatureRate: 0.001 }` unless given. */
  readonly skim?: SkimSettings | undefined;
}

/** The loss of skimming (Seo et al. 2018): `gamma` times the mean of `-log p` of skimming. */
export interface SkimSettings {
  readonly gamma: number;
  /** The temperature of the Gumbel softmax is `max(0.5, exp(-rate n))` at step n. */
  readonly temperatureRate: number;
  /** Steps in which the weight rises from 0 to `gamma`; 0 unless given. */
  readonly rise?: number | undefined;
  /** Of the evaluations that skim so much, 0 to 1, the most accurate is kept; 0 unless given. */
  readonly minRate?: number | undefined;
}

/** How models are stored. */
export interface StorageSettings {
  /** `f32` unless given. */
  readonly embedding?: "f32" | "f16" | "int8" | undefined;
  /** `f32` unless given. */
  readonly weights?: "f32" | "f16" | "int8" | undefined;
}

/** How the next word is predicted. */
export interface PredictionSettings {
  /** The first word of every tail of an adaptive softmax, increasing; one softmax over all words unless given. */
  readonly cutoffs?: readonly number[] | undefined;
  /** How many times narrower each tail is than the one before; 4 unless given. */
  readonly divValue?: number | undefined;
  readonly headBias?: boolean | undefined;
  /** Where word vectors come from; `table` unless given. */
  readonly input?: "table" | "adaptive" | "tied" | "tied_projections" | undefined;
  /** The word that every text begins after. */
  readonly start?: string | undefined;
}

/** How a tagger sees tokens. */
export interface TaggingSettings {
  /** An LSTM in both directions over the letters of each token, beside its vector; none unless given. */
  readonly characters?: { readonly embeddingSize: number; readonly hiddenSize: number } | undefined;
}

/** A run that learns one label a text. */
export interface ClassifySettings {
  readonly task: "classify";
  /** Of all random choices; 0 unless given. */
  readonly seed?: number | undefined;
  readonly data?: LabelledSettings | undefined;
  readonly model: NetworkSettings;
  readonly train?: LearningSettings | undefined;
  readonly output?: StorageSettings | undefined;
}

/** A run that learns the next word. */
export interface PredictSettings {
  readonly task: "predict";
  /** Of all random choices; 0 unless given. */
  readonly seed?: number | undefined;
  readonly data?: RunningSettings | undefined;
  readonly prediction?: PredictionSettings | undefined;
  readonly model: AnyNetwork<ReadingLayerSettings> & Pick<NetworkSettings, "highwayBias">;
  readonly train?: LearningSettings | undefined;
  readonly output?: StorageSettings | undefined;
}

/** A run that learns one tag a token. */
export interface TagSettings {
  readonly task: "tag";
  /** Of all random choices; 0 unless given. */
  readonly seed?: number | undefined;
  readonly data?: TaggedSettings | undefined;
  readonly tagging?: TaggingSettings | undefined;
  readonly model: AnyNetwork<ReadingLayerSettings>;
  readonly train?: LearningSettings | undefined;
  readonly output?: StorageSettings | undefined;
}

/** What a run is to do. */
export type TrainSettings = ClassifySettings | PredictSettings | TagSettings;
