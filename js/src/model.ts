/** A model and its readers, over an engine in this thread or another. */

import { model, typing } from "./arguments/model.js";
import { compare, type Comparison } from "./compare.js";
import type { Answerer, Engine, Follow, HiddenValues, Id, PlainReadOptions, PlainToken } from "./engine.js";
import { errorOf } from "./errors.js";
import { errorBy, onAbort } from "./follow.js";
import { Many } from "./many.js";
import { Owner } from "./owner.js";
import type { Origin } from "./pool.js";
import { StepTimes } from "./step-times.js";
import type {
  CallOptions,
  Costs,
  DecidedToken,
  Device,
  Hidden,
  HiddenLayer,
  Inspection,
  Classifier,
  ModelConfig,
  Progress,
  Reader,
  Reading,
  ReadOptions,
  Steps,
  Token,
} from "./types.js";

/** Texts that cross to the engine together. */
const PORTION = 512;
/** UTF-16 units of a text that is read piece by piece and not with others. */
const LONG = 16_384;

/** Options of a call, in this thread and in the engine's. */
type Options = Follow & PlainReadOptions;

/** A model that the engine holds. */
export class LoadedModel extends Many implements Classifier {
  readonly task = "classify";
  readonly config: ModelConfig;
  readonly #preference: ReadOptions["device"];
  readonly #origin: Origin;
  device: Device;
  deviceReason: string;
  readonly #stepTimes = new StepTimes();

  constructor(
    engine: Engine,
    { id, config, origin }: { readonly id: Id; readonly config: ModelConfig; readonly origin: Origin },
    expected: { readonly preference: ReadOptions["device"]; readonly device: Device; readonly deviceReason: string },
  ) {
    super(engine, id, origin, "release");
    this.config = config;
    this.#origin = origin;
    this.#preference = expected.preference;
    this.device = expected.device;
    this.deviceReason = expected.deviceReason;
  }

  async read(...given: unknown[]): Promise<Reading> {
    const [text, options] = model.read(given);
    const reading = this.#stepTimes.with(await this.call("read", [text, this.#plain(options)], options));
    this.#ran(reading);
    return reading;
  }

  #ran(reading: { readonly timing: { readonly device: Device }; readonly deviceReason: string } | undefined): void {
    if (!reading) return;
    this.device = reading.timing.device;
    this.deviceReason = reading.deviceReason;
  }

  async readAll(...given: unknown[]): Promise<readonly Reading[]> {
    const [all, { workers, ...options }] = model.readAll(given);
    const { device } = this.#plain(options);
    const readings = workers
      ? await this.all("readAll: texts", all, { ...options, device, workers }, (by, texts, { signal }) => this.#readAll(by, texts, options, { signal }))
      : await this.follow(options, (follow) => this.#readAll(this, all, options, follow));
    this.#ran(readings.at(-1));
    return readings;
  }

  async #readAll(by: Answerer, all: readonly string[], options: Options, { signal, onProgress }: CallOptions): Promise<readonly Reading[]> {
    const readings: Reading[] = [];
    const total = all.length;
    if (total === 0) onProgress?.({ done: 0, total });
    while (readings.length < total) {
      const at = readings.length;
      const long = all.slice(at, at + PORTION).findIndex((text) => text.length > LONG);
      if (long === 0) {
        readings.push(this.#stepTimes.with(await by.ask("read", [all[at] ?? "", this.#plain(options)], { signal })));
        onProgress?.({ done: at + 1, total });
        signal?.throwIfAborted();
        continue;
      }
      const part = all.slice(at, at + (long > 0 ? long : PORTION));
      const told = onProgress && ((progress: Progress) => onProgress({ done: at + progress.done, total }));
      for (const reading of await by.ask("readAll", [part, this.#plain(options)], { signal, onProgress: told })) {
        readings.push(this.#stepTimes.with(reading));
      }
    }
    return readings;
  }

  async *stream(...given: unknown[]): AsyncIterableIterator<DecidedToken> {
    const [text, options] = model.stream(given);
    const tokens = await this.call("tokenize", [text], { signal: options.signal });
    const left = new AbortController();
    const release = onAbort(options.signal, () => left.abort(options.signal?.reason));
    const ready: DecidedToken[] = [];
    let arrived = () => {};
    // A reading that begins again on another device tells again of tokens that were given.
    let next = 0;
    const collect = (progress: Progress, from: number, decided: Float32Array | null) => {
      for (; next < progress.done; next++) {
        const token = tokens[next];
        const at = 2 * (next - from);
        const skims = decided?.[at];
        const skimProbability = decided?.[at + 1] ?? null;
        if (token) ready.push({ ...token, decision: skims === 1 ? "skim" : "read", skimProbability });
      }
      arrived();
    };
    let ended = false;
    const reading = this.follow({ ...options, signal: left.signal }, ({ signal, onProgress }) => {
      const told: Follow["onProgress"] = (progress, from, decided) => {
        onProgress?.(progress);
        collect(progress, from, decided);
      };
      return this.ask("read", [text, this.#plain(options)], { signal, onProgress: told });
    }).finally(() => {
      ended = true;
      arrived();
    });
    reading.catch(() => undefined);
    // Tokens may be left of a reading that has ended.
    const unlessStopped = () => {
      this.disposed.throwIfAborted();
      if (options.signal?.aborted) throw errorBy(options.signal);
    };
    try {
      for (;;) {
        for (const token of ready.splice(0)) {
          unlessStopped();
          yield token;
        }
        unlessStopped();
        if (ended && ready.length === 0) break;
        if (ready.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      }
      this.#ran(this.#stepTimes.with(await reading));
    } finally {
      release();
      left.abort();
    }
  }

  async tokenize(...given: unknown[]): Promise<readonly PlainToken[]> {
    const [text] = model.tokenize(given);
    return this.call("tokenize", [text], {});
  }

  reader(...given: unknown[]): Reader {
    const [options] = model.reader(given);
    return new LoadedReader(this.engine, this.ask("reader", [options], {}), this.#stepTimes);
  }

  async hidden(...given: unknown[]): Promise<Hidden> {
    const [text, { threshold, force, ...options }] = model.hidden(given);
    return this.follow(options, async (follow) => {
      const reader = this.reader({ threshold, force });
      try {
        const { tokens } = await reader.update(text, follow);
        // To a reader, the rest of the text may still come.
        const beyond = Object.keys(force ?? {}).find((at) => Number(at) >= tokens.length);
        if (beyond !== undefined) throw errorOf("OPTION_INVALID", `force: there is no token ${beyond}; the text has ${tokens.length}`);
        return await reader.hidden(follow);
      } finally {
        reader.dispose();
      }
    });
  }

  async calibrate(...given: unknown[]): Promise<Costs> {
    const [options] = model.calibrate(given);
    return this.call("calibrate", [], options);
  }

  async steps(...given: unknown[]): Promise<Steps> {
    const [options] = model.steps(given);
    const device = options.device ?? this.#preference;
    return this.follow(options, (follow) => this.#stepTimes.measured((once) => this.ask("steps", [device], once), follow));
  }

  async compare(...given: unknown[]): Promise<Comparison> {
    const [text, { wordCache = false, against, ...options }] = model.compare(given);
    return this.follow({ signal: options.signal }, async ({ signal }) => {
      const bareOf = (one: unknown) => (one as Partial<LoadedModel> | undefined)?.withoutWordCache?.();
      const bare = await bareOf(this);
      let other: LoadedModel | undefined;
      try {
        other = await bareOf(against);
        const contest = { ...options, against: other ?? against, keeping: wordCache ? this : undefined, signal };
        return await compare(bare ?? this, text, contest);
      } finally {
        bare?.dispose();
        other?.dispose();
      }
    });
  }

  /** The same model, whose CPU keeps no products of words. */
  async withoutWordCache(): Promise<LoadedModel> {
    // Not by `call`: a model that is disposed meanwhile would leave this one in the engine, and nobody would know its id.
    const id = await this.ask("withoutWordCache", [], {});
    const { config, device, deviceReason } = this;
    return new LoadedModel(this.engine, { id, config, origin: this.#origin }, { preference: this.#preference, device, deviceReason });
  }

  async inspect(...given: unknown[]): Promise<Inspection> {
    model.inspect(given);
    return { config: this.config, ...(await this.call("inspect", [], {})) };
  }

  /** What crosses to the engine: neither signals nor callbacks. */
  #plain({ signal: _, onProgress: __, ...options }: Options): PlainReadOptions {
    return { ...(this.#preference !== undefined && { device: this.#preference }), ...options };
  }
}

class LoadedReader extends Owner implements Reader {
  text = "";
  computed = 0;
  readonly #stepTimes: StepTimes;

  constructor(engine: Engine, id: Promise<Id>, stepTimes: StepTimes) {
    super(engine, id, "reader");
    this.#stepTimes = stepTimes;
  }

  async update(...given: unknown[]): Promise<Reading> {
    const [text, options] = typing.update(given);
    return this.#read(text, options);
  }

  async append(...given: unknown[]): Promise<Reading> {
    const [text, options] = typing.append(given);
    return this.#read(this.text + text, options);
  }

  async #read(text: string, follow: CallOptions): Promise<Reading> {
    // Of a call that is stopped before it begins the engine hears nothing.
    if (!follow.signal?.aborted) this.text = text;
    const { reading: packed, computed } = await this.call("update", [text], follow);
    this.computed = computed;
    return this.#stepTimes.with(packed);
  }

  async hidden(...given: unknown[]): Promise<Hidden> {
    const [options] = typing.hidden(given);
    const { reading, ...values } = await this.call("hidden", [this.text], options);
    return unpacked(values, this.#stepTimes.with(reading).tokens);
  }
}

/** Names the parts of the buffer that the engine filled. */
function unpacked({ rows, cells, values }: HiddenValues, tokens: readonly Token[]): Hidden {
  let at = 0;
  const next = (length: number) => values.subarray(at, (at += length));
  const layers = cells.map(({ name, kind, size, smallSize, backward, cells, gates, logits }): HiddenLayer => {
    const matrix = () => next(rows * size);
    const states = matrix();
    return {
      name,
      kind,
      size,
      ...(kind === "skim" && { smallSize }),
      ...(kind !== "embedding" && { direction: backward ? "backward" : "forward" }),
      states,
      ...(cells && { cells: matrix() }),
      ...(gates.length > 0 && { gates: Object.fromEntries(gates.map((gate) => [gate, matrix()])) }),
      ...(logits && { logits: next(2 * rows) }),
    };
  });
  return { tokens, layers, scores: next(values.length - at) };
}
