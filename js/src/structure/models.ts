/** Taggers, parsers and tree classifiers, over an engine in this thread or another. */

import { parser, tagger, treeClassifier } from "../arguments/structure.js";
import type { Engine, Follow, Id } from "../engine.js";
import { errorOf } from "../errors.js";
import { Owner } from "../owner.js";
import type { Device, Inspection } from "../types.js";
import { reasonInWords } from "../words.js";
import type { Place, Wanted } from "./calls.js";
import { asked, streamed } from "./portions.js";
import type {
  ClassifiedTree,
  Parsed,
  Parser,
  ParserConfig,
  StructureOptions,
  Tagged,
  Tagger,
  TaggerConfig,
  TextStream,
  TreeClassifier,
  TreeClassifierConfig,
} from "./types.js";
import { classifiedTrees, parsedTexts, taggedTexts } from "./unpack.js";

/** A model that the engine opened, and where it is to compute. */
export interface Opened<Config> {
  readonly id: Id;
  readonly config: Config;
  readonly place: Place;
  readonly preference: Wanted;
}

/** Finds the answers to some texts, of which the first has this number. */
type Ask<Answer> = (texts: readonly string[], device: Wanted, follow: Follow, first: number) => Promise<readonly Answer[]>;

/** What all of them have. */
abstract class LoadedStructured<Config> extends Owner {
  readonly config: Config;
  device: Device = "cpu";
  deviceReason = "";
  readonly #preference: Wanted;

  constructor(engine: Engine, { id, config, place, preference }: Opened<Config>) {
    super(engine, id, "model", "releaseStructured");
    this.config = config;
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
  protected answered<Answer>(texts: string | readonly string[], { device = this.#preference, ...options }: StructureOptions, ask: Ask<Answer>) {
    const answers: Promise<unknown> = this.follow(options, async (follow) => {
      if (typeof texts === "string") return (await ask([texts], device, follow, 0))[0];
      return asked(texts, (some, first, follow) => ask(some, device, follow, first), follow);
    });
    return answers as Promise<Answer & readonly Answer[]>;
  }

  protected streamed<Answer>(by: string, texts: TextStream, { device = this.#preference, ...options }: StructureOptions, ask: Ask<Answer>) {
    return streamed(by, texts, options, (some, first, { signal }) => this.follow({ signal }, (follow) => ask(some, device, follow, first)));
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
    return this.answered(texts, options, this.#tagged);
  }

  async *tagAll(...given: unknown[]): AsyncIterableIterator<Tagged> {
    const [texts, options] = tagger.tagAll(given);
    yield* this.streamed("tagAll: texts", texts, options, this.#tagged);
  }

  readonly #tagged: Ask<Tagged> = async (texts, device, follow) => {
    const [counts, columns, place] = await this.ask("tag", [texts, device], follow);
    this.ran(place);
    return taggedTexts(texts, this.config, counts, columns);
  };
}

export class LoadedParser extends LoadedStructured<ParserConfig> implements Parser {
  readonly task = "parse";

  async parse(...given: unknown[]) {
    const [texts, options] = parser.parse(given);
    return this.answered(texts, options, this.#parsed);
  }

  async *parseAll(...given: unknown[]): AsyncIterableIterator<Parsed> {
    const [texts, options] = parser.parseAll(given);
    yield* this.streamed("parseAll: texts", texts, options, this.#parsed);
  }

  readonly #parsed: Ask<Parsed> = async (texts, device, follow) => {
    const [counts, columns, place] = await this.ask("parse", [texts, device], follow);
    this.ran(place);
    return parsedTexts(texts, this.config, counts, columns);
  };
}

export class LoadedTreeClassifier extends LoadedStructured<TreeClassifierConfig> implements TreeClassifier {
  readonly task = "tree";

  async classify(...given: unknown[]) {
    const [trees, options] = treeClassifier.classify(given);
    const name = typeof trees === "string" ? () => "classify: tree" : (number: number) => `classify: trees[${number}]`;
    return this.answered(trees, options, this.#classified(name));
  }

  async *classifyAll(...given: unknown[]): AsyncIterableIterator<ClassifiedTree> {
    const [trees, options] = treeClassifier.classifyAll(given);
    yield* this.streamed("classifyAll: trees", trees, options, this.#classified((number) => `classifyAll: trees[${number}]`));
  }

  /** Classifies trees, which have these names in messages. */
  #classified(name: (number: number) => string): Ask<ClassifiedTree> {
    return async (trees, device, follow, first) => {
      const found = await this.ask("classifyTrees", [trees, device], follow);
      if (found.length === 2) throw errorOf("OPTION_INVALID", `${name(first + found[0])}: ${found[1]}`);
      const [counts, columns, texts, place] = found;
      this.ran(place);
      return classifiedTrees(texts, this.config, counts, columns);
    };
  }
}
