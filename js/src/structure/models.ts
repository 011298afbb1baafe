/** Taggers, parsers and tree classifiers, over an engine in this thread or another. */

import { refuse } from "../arguments/check.js";
import { parser, tagger, treeClassifier } from "../arguments/structure.js";
import type { Answerer, Engine, Follow, Id } from "../engine.js";
import { errorOf } from "../errors.js";
import { type AskOf, Many } from "../many.js";
import type { Origin } from "../pool.js";
import { Halted } from "../portions.js";
import type { Device, Inspection, TextStream } from "../types.js";
import { reasonInWords } from "../words.js";
import type { LendableParser, LentParser, Place, Wanted } from "./calls.js";
import type {
  ClassifiedText,
  ClassifiedTree,
  Parsed,
  ParserConfig,
  StructureAllOptions,
  StructureOptions,
  Tagged,
  Tagger,
  TaggerConfig,
  TreeClassifier,
  TreeClassifierConfig,
} from "./types.js";
import { classifiedTexts, classifiedTrees, parsedTexts, taggedTexts } from "./unpack.js";

/** A model that the engine opened, and where it is to compute. */
export interface Opened<Config> {
  readonly id: Id;
  readonly config: Config;
  readonly origin: Origin;
  readonly place: Place;
  readonly preference: Wanted;
}

/** Has `by` find the answers to some texts, of which the first has this number. */
type Ask<Answer> = (by: Answerer, texts: readonly string[], device: Wanted, follow: Follow, first: number) => Promise<readonly Answer[]>;

/** The same on this device. */
function asking<Answer>(ask: Ask<Answer>, device: Wanted): AskOf<Answer> {
  return (by, texts, follow, first) => ask(by, texts, device, follow, first);
}

/** What all of them have. */
abstract class LoadedStructured<Config> extends Many {
  readonly config: Config;
  device: Device = "cpu";
  deviceReason = "";
  /** See {@link Lent}. */
  protected readonly openIn: Origin["openIn"];
  readonly #preference: Wanted;

  constructor(engine: Engine, { id, config, origin, place, preference }: Opened<Config>) {
    super(engine, id, origin, "releaseStructured");
    this.config = config;
    this.openIn = origin.openIn;
    this.#preference = preference;
    this.ran(place);
  }

  /** A call computed there. */
  protected ran({ device, reason }: Place): void {
    this.device = device;
    this.deviceReason =
      reason.code === "cpuUnlessAsked" ? "CPU: the GPU is used where it is asked for, since sentences are short" : reasonInWords(reason);
  }

  /** The answer to one text, or those to many. */
  protected answered<Answer>(at: string, texts: string | readonly string[], options: StructureOptions, ask: Ask<Answer>) {
    const { device = this.#preference, ...follow } = options;
    const one = async () => (await this.follow(follow, (follow) => ask(this, [texts as string], device, follow, 0)))[0];
    const answers: Promise<unknown> = typeof texts === "string" ? one() : this.all(at, texts, follow, asking(ask, device));
    return answers as Promise<Answer & readonly Answer[]>;
  }

  protected streamed<Answer>(at: string, texts: TextStream, { device = this.#preference, ...options }: StructureAllOptions, ask: Ask<Answer>) {
    return this.each(at, texts, { ...options, device }, asking(ask, device));
  }

  async inspect(...given: unknown[]): Promise<Inspection<Config>> {
    tagger.inspect(given);
    return { config: this.config, ...(await this.call("inspectStructured", [], {})) };
  }
}

export class LoadedTagger extends LoadedStructured<TaggerConfig> implements Tagger {
  readonly task = "tag";

  async tag(...given: unknown[]) {
    const [texts, options] = tagger.tag(given);
    return this.answered("tag: texts", texts, options, this.#tagged);
  }

  async *tagAll(...given: unknown[]): AsyncIterableIterator<Tagged> {
    const [texts, options] = tagger.tagAll(given);
    yield* this.streamed("tagAll: texts", texts, options, this.#tagged);
  }

  readonly #tagged: Ask<Tagged> = async (by, texts, device, follow) => {
    const [counts, columns, place] = await by.ask("tag", [texts, device], follow);
    this.ran(place);
    return taggedTexts(texts, this.config, counts, columns);
  };
}

export class LoadedParser extends LoadedStructured<ParserConfig> implements LendableParser {
  readonly task = "parse";

  lent(): LentParser {
    return { engine: this.engine, id: () => this.id(), openIn: this.openIn, config: this.config };
  }

  async parse(...given: unknown[]) {
    const [texts, options] = parser.parse(given);
    return this.answered("parse: texts", texts, options, this.#parsed);
  }

  async *parseAll(...given: unknown[]): AsyncIterableIterator<Parsed> {
    const [texts, options] = parser.parseAll(given);
    yield* this.streamed("parseAll: texts", texts, options, this.#parsed);
  }

  readonly #parsed: Ask<Parsed> = async (by, texts, device, follow) => {
    const [counts, columns, place] = await by.ask("parse", [texts, device], follow);
    this.ran(place);
    return parsedTexts(texts, this.config, counts, columns);
  };
}

export class LoadedTreeClassifier extends LoadedStructured<TreeClassifierConfig> implements TreeClassifier {
  readonly task = "tree";

  async classify(...given: unknown[]) {
    const [trees, { parser, ...options }] = treeClassifier.classify(given);
    const name = typeof trees === "string" ? () => "classify: tree" : (number: number) => `classify: trees[${number}]`;
    return this.answered("classify: trees", trees, options, this.#asked("classify", parser, name));
  }

  async *classifyAll(...given: unknown[]): AsyncIterableIterator<ClassifiedTree & ClassifiedText> {
    const [trees, { parser, ...options }] = treeClassifier.classifyAll(given);
    yield* this.streamed("classifyAll: trees", trees, options, this.#asked("classifyAll", parser, (number) => `classifyAll: trees[${number}]`));
  }

  /** What a function of this name does, with the parser that it is given, by the kind of trees that the model is for. */
  #asked(by: string, parser: LendableParser | undefined, name: (number: number) => string) {
    const at = `${by}: options.parser`;
    const ask = this.config.cell === "binary" ? this.#ofBrackets(at, parser, name) : this.#ofTexts(at, parser);
    // The caller's types tell by the parser which of them it is.
    return ask as Ask<ClassifiedTree & ClassifiedText>;
  }

  /** Labels texts in a parser's trees. */
  #ofTexts(at: string, parser: LendableParser | undefined): Ask<ClassifiedText> {
    if (!parser) refuse(at, 'a parser, since the model labels the trees that one makes of texts (its cell is "child-sum")', parser);
    const lent = parser.lent();
    if (lent.engine !== this.engine) {
      throw errorOf("OPTION_INVALID", `${at}: expected a parser of the model's thread: both from saccade-rnn, or both from saccade-rnn/worker`);
    }
    const id = () => {
      try {
        return lent.id();
      } catch (error) {
        throw errorOf("DISPOSED", `${at}: this parser was disposed`, error);
      }
    };
    id();
    return async (by, texts, device, follow) => {
      const [counts, columns, place] = await by.ask("labelTexts", [await by.idOf({ ...lent, id }, follow), texts, device], follow);
      // Once more, so that the parser is not collected before.
      id();
      this.ran(place);
      return classifiedTexts(texts, this.config, lent.config, counts, columns);
    };
  }

  /** Labels trees in brackets. */
  #ofBrackets(at: string, parser: LendableParser | undefined, name: (number: number) => string): Ask<ClassifiedTree> {
    if (parser) {
      throw errorOf("OPTION_INVALID", `${at}: expected none, since the model labels trees in brackets (its cell is "binary"), found a parser`);
    }
    return this.#classified(name);
  }

  /** Classifies trees, which have these names in messages. */
  #classified(name: (number: number) => string): Ask<ClassifiedTree> {
    const classified: Ask<ClassifiedTree> = async (by, trees, device, follow, first) => {
      const found = await by.ask("classifyTrees", [trees, device], follow);
      if (found.length === 2) {
        const [number, problem] = found;
        const error = errorOf("OPTION_INVALID", `${name(first + number)}: ${problem}`);
        throw number === 0 ? error : new Halted(await classified(by, trees.slice(0, number), device, follow, first), error);
      }
      const [counts, columns, texts, place] = found;
      this.ran(place);
      return classifiedTrees(texts, this.config, counts, columns);
    };
    return classified;
  }
}
