/** A language model and its readers, over an engine in this thread or another. */

import { language, languageTyping } from "./arguments/language.js";
import type { CursorAsk, CursorValues, Engine, Id, PlainCursor, PlainToken, Reason } from "./engine.js";
import { Many } from "./many.js";
import { Owner } from "./owner.js";
import type { Origin } from "./pool.js";
import type {
  CallOptions,
  Device,
  DevicePreference,
  GeneratedToken,
  Inspection,
  LanguageModel,
  LanguageModelConfig,
  LanguageReader,
  NextWords,
  NextWord,
  PlainTiming,
  ScoredToken,
  Scoring,
} from "./types.js";
import { methodInWords, reasonInWords, type Units } from "./words.js";

/** How many words are generated unless told otherwise. */
const MOST_TOKENS = 100;
/** How many next words are told unless told otherwise. */
const MOST_WORDS = 10;
/** Numbers of each word. */
const COLUMNS = 8;
const END = "<eos>";

/** A language model that the engine holds. */
export class LoadedLanguageModel extends Many implements LanguageModel {
  readonly task = "predict";
  readonly config: LanguageModelConfig;
  readonly #preference: DevicePreference | undefined;
  readonly #units: Units;
  device: Device;
  deviceReason: string;

  constructor(
    engine: Engine,
    { id, config, origin }: { readonly id: Id; readonly config: LanguageModelConfig; readonly origin: Origin },
    expected: { readonly preference: DevicePreference | undefined; readonly device: Device; readonly deviceReason: string },
  ) {
    super(engine, id, origin, "release");
    this.config = config;
    this.#units = config.tokenizer.kind === "characters" ? "letters" : "words";
    this.#preference = expected.preference;
    this.device = expected.device;
    this.deviceReason = expected.deviceReason;
  }

  async score(...given: unknown[]): Promise<Scoring> {
    const [text, { device, ...follow }] = language.score(given);
    return scoring(await this.#once({ scores: "all" }, { text }, device, follow), this.#units);
  }

  async *scoreAll(...given: unknown[]): AsyncIterableIterator<Scoring> {
    const [texts, { device = this.#preference, ...options }] = language.scoreAll(given);
    yield* this.each("scoreAll: texts", texts, { ...options, device }, async (by, some, follow) => {
      const scorings: Scoring[] = [];
      for (const text of some) {
        const values = await by.ask("askOnce", [{ scores: "all", device }, { text }], follow);
        scorings.push(scoring(this.#ran(values), this.#units));
      }
      return scorings;
    });
  }

  async perplexity(...given: unknown[]): Promise<number> {
    const [text, { device, ...follow }] = language.perplexity(given);
    return scoring(await this.#once({ scores: "total" }, { text }, device, follow), this.#units).perplexity;
  }

  async predict(...given: unknown[]): Promise<NextWords> {
    const [text, { top = MOST_WORDS, device, ...follow }] = language.predict(given);
    return nextWords(await this.#once({}, { text, top }, device, follow), this.#units);
  }

  async #once(cursor: PlainCursor, ask: CursorAsk, device: DevicePreference | undefined, follow: CallOptions): Promise<CursorValues> {
    return this.#ran(await this.call("askOnce", [{ ...cursor, device: device ?? this.#preference }, ask], follow));
  }

  #ran(values: CursorValues): CursorValues {
    const [, , , , device, reason] = values;
    this.device = device;
    this.deviceReason = inWords(reason, this.#units);
    return values;
  }

  async *generate(...given: unknown[]): AsyncIterableIterator<GeneratedToken> {
    const [prompt, options] = language.generate(given);
    const { temperature = 1, topP = 1, topK = 0, seed = Math.floor(Math.random() * 2 ** 32), maxTokens = MOST_TOKENS } = options;
    const device = options.device ?? this.#preference;
    const writer = new Writer(this.engine, this.ask("cursor", [{ device }], {}));
    const draw = { temperature, topP, topK, seed };
    try {
      const { signal, onProgress } = options;
      for (let count = 0; count < maxTokens; count++) {
        const first = count === 0;
        const ask = first ? { text: prompt, draw } : { draw };
        const values = await this.follow({ signal, onProgress: first ? onProgress : undefined }, (follow) => writer.draw(ask, follow));
        const apart = !first || /\S$/u.test(prompt);
        const token = this.#generated(nextWords(this.#ran(values), this.#units), apart);
        yield token;
        if (token.kind === "end") return;
      }
    } finally {
      writer.dispose();
    }
  }

  #generated({ words: [word], ...rest }: NextWords, apart: boolean): GeneratedToken {
    const { kind, ends } = this.config.tokenizer;
    const { text = "" } = word ?? {};
    if (word && ends !== undefined && text === END) {
      return { kind: "end", ...word, ...rest, piece: ends === "line" ? "\n" : ends === "paragraph" ? "\n\n" : "" };
    }
    return { kind: "word", ...(word as NextWord), ...rest, piece: kind === "characters" || !apart ? text : ` ${text}` };
  }

  async tokenize(...given: unknown[]): Promise<readonly PlainToken[]> {
    const [text] = language.tokenize(given);
    return this.call("tokenize", [text], {});
  }

  reader(...given: unknown[]): LanguageReader {
    language.reader(given);
    return new LoadedLanguageReader(this.engine, this.ask("cursor", [{ device: "cpu", scores: "all", keeps: true }], {}), this.#units);
  }

  async inspect(...given: unknown[]): Promise<Inspection<LanguageModelConfig>> {
    language.inspect(given);
    return { config: this.config, ...(await this.call("inspect", [], {})) };
  }
}

/** A text that is being generated. */
class Writer extends Owner {
  constructor(engine: Engine, id: Promise<Id>) {
    super(engine, id, "text");
  }

  draw(ask: CursorAsk, follow: CallOptions): Promise<CursorValues> {
    return this.call("ask", [ask], follow);
  }
}

class LoadedLanguageReader extends Owner implements LanguageReader {
  readonly #units: Units;
  text = "";
  computed = 0;

  constructor(engine: Engine, id: Promise<Id>, units: Units) {
    super(engine, id, "reader");
    this.#units = units;
  }

  async update(...given: unknown[]): Promise<Scoring> {
    const [text, options] = languageTyping.update(given);
    return this.#read(text, options);
  }

  async append(...given: unknown[]): Promise<Scoring> {
    const [text, options] = languageTyping.append(given);
    return this.#read(this.text + text, options);
  }

  async #read(text: string, follow: CallOptions): Promise<Scoring> {
    // Of a call that is stopped before it begins the engine hears nothing.
    if (!follow.signal?.aborted) this.text = text;
    const values = await this.call("ask", [{ text }], follow);
    this.computed = figuresOf(values).computed;
    return scoring(values, this.#units);
  }

  async predict(...given: unknown[]): Promise<NextWords> {
    const [{ top = MOST_WORDS, ...follow }] = languageTyping.predict(given);
    return nextWords(await this.call("ask", [{ text: this.text, top }], follow), this.#units);
  }
}

/** Why a call ran where it did, in words. */
function inWords(reason: Reason | null, units: Units): string {
  return reasonInWords(reason ?? { code: "unmeasured" }, { what: "text", done: "read", units });
}

function figuresOf([, , bits]: CursorValues) {
  const [totalMs = 0, computed = 0, logProbability = 0, predicted = 0, next = 0, rowsComputed = 0] = new Float64Array(
    bits.buffer,
    bits.byteOffset,
    bits.length / 2,
  );
  return { totalMs, computed, logProbability, predicted, next, rowsComputed };
}

function timing(totalMs: number, tokens: number, device: Device, units: Units): PlainTiming {
  const method = methodInWords({ kind: "rest", tokens }, device, units);
  return { device, totalMs, microsecondsPerToken: tokens === 0 ? 0 : (totalMs * 1e3) / tokens, method };
}

/** The words of an answer, each with its text and its columns. There may be a million, so none is put together of parts. */
function wordsOf([texts, columns]: CursorValues) {
  const reals = new Float32Array(columns.buffer, columns.byteOffset, columns.length);
  const number = (at: number) => columns[at] ?? 0;
  let from = 0;
  return Array.from({ length: columns.length / COLUMNS }, (_, row) => {
    const at = row * COLUMNS;
    return {
      text: texts.slice(from, (from += number(at + 2))),
      start: number(at),
      end: number(at + 1),
      id: number(at + 3),
      cluster: number(at + 4),
      rank: number(at + 5),
      rowsComputed: number(at + 6),
      logProbability: reals[at + 7] ?? 0,
    };
  });
}

/** The text's words: without scores if none were asked for. */
function scoring(values: CursorValues, units: Units): Scoring {
  const [, , , , device, reason] = values;
  const { totalMs, computed, logProbability, predicted } = figuresOf(values);
  const tokens = wordsOf(values).map(({ text, start, end, id, cluster, rank, rowsComputed, logProbability }): ScoredToken => {
    const known = id !== 0 || text === "<unk>";
    if (rowsComputed === 0) return { kind: "first", text, start, end, id, cluster, known };
    const [probability, bits] = [Math.exp(logProbability), -logProbability / Math.LN2];
    return { kind: "predicted", text, start, end, id, cluster, known, probability, bits, rank, rowsComputed };
  });
  return {
    tokens,
    predicted,
    // Not minus zero.
    bits: (0 - logProbability) / Math.LN2,
    perplexity: Math.exp(-logProbability / predicted),
    timing: timing(totalMs, computed, device, units),
    deviceReason: inWords(reason, units),
  };
}

/** The next words, which come last. */
function nextWords(values: CursorValues, units: Units): NextWords {
  const [, , , opened, device, reason] = values;
  const { totalMs, next, computed, rowsComputed } = figuresOf(values);
  const words = wordsOf(values).slice(-next || Infinity).map(({ text, id, cluster, logProbability }) => {
    return { text, id, cluster, probability: Math.exp(logProbability), bits: -logProbability / Math.LN2 };
  });
  return { words, clustersOpened: [...opened], rowsComputed, timing: timing(totalMs, computed, device, units), deviceReason: inWords(reason, units) };
}
