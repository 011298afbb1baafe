/** A model and its readers, over an engine in this thread or another. */

import type { Engine, Follow, HiddenValues, Id, PlainReadOptions, PlainToken } from "./engine.js";
import { Owner } from "./owner.js";
import { StepTimes } from "./step-times.js";
import type {
  CallOptions,
  Costs,
  DecidedToken,
  Device,
  Hidden,
  HiddenLayer,
  Inspection,
  Model,
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

/** What crosses to the engine: neither signals nor callbacks. */
function plain({ device, threshold, force, measureMs }: ReadOptions): PlainReadOptions {
  return {
    ...(device !== undefined && { device }),
    ...(threshold !== undefined && { threshold }),
    ...(force !== undefined && { force }),
    ...(measureMs !== undefined && { measureMs }),
  };
}

/** A model that the engine holds. */
export class LoadedModel extends Owner implements Model {
  readonly config: ModelConfig;
  #preference: ReadOptions["device"];
  #device: Device;
  #deviceReason: string;
  readonly #stepTimes = new StepTimes();

  constructor(
    engine: Engine,
    { id, config }: { readonly id: Id; readonly config: ModelConfig },
    expected: { readonly preference: ReadOptions["device"]; readonly device: Device; readonly deviceReason: string },
  ) {
    super(engine, id, "model");
    this.config = config;
    this.#preference = expected.preference;
    this.#device = expected.device;
    this.#deviceReason = expected.deviceReason;
  }

  get device(): Device {
    return this.#device;
  }

  get deviceReason(): string {
    return this.#deviceReason;
  }

  async read(text: string, options: ReadOptions = {}): Promise<Reading> {
    const reading = this.#stepTimes.with(await this.call("read", [text, this.#plain(options)], options));
    this.#ran(reading);
    return reading;
  }

  #ran(reading: { readonly timing: { readonly device: Device }; readonly deviceReason: string } | undefined): void {
    if (!reading) return;
    this.#device = reading.timing.device;
    this.#deviceReason = reading.deviceReason;
  }

  async readAll(
    texts: Iterable<string>,
    { signal, onProgress, ...options }: Omit<ReadOptions, "force" | "measureMs"> = {},
  ): Promise<readonly Reading[]> {
    const all = [...texts];
    const readings: Reading[] = [];
    const total = all.length;
    while (readings.length < total) {
      const at = readings.length;
      const long = all.slice(at, at + PORTION).findIndex((text) => text.length > LONG);
      if (long === 0) {
        readings.push(this.#stepTimes.with(await this.call("read", [all[at] ?? "", this.#plain(options)], { signal })));
        onProgress?.({ done: at + 1, total });
        continue;
      }
      const part = all.slice(at, at + (long > 0 ? long : PORTION));
      const told = onProgress && ((progress: Progress) => onProgress({ done: at + progress.done, total }));
      const follow = { signal, onProgress: told };
      for (const reading of await this.call("readAll", [part, this.#plain(options)], follow)) {
        readings.push(this.#stepTimes.with(reading));
      }
    }
    this.#ran(readings.at(-1));
    return readings;
  }

  async *stream(text: string, options: Omit<ReadOptions, "measureMs"> = {}): AsyncIterableIterator<DecidedToken> {
    const tokens = await this.tokenize(text);
    const stop = new AbortController();
    const { signal } = options;
    const forward = () => stop.abort(signal?.reason);
    if (signal?.aborted) forward();
    signal?.addEventListener("abort", forward);
    const ready: DecidedToken[] = [];
    let arrived = () => {};
    // A reading that begins again on another device tells again of tokens that were given.
    let next = 0;
    const onProgress: Follow["onProgress"] = (progress, from, decided) => {
      options.onProgress?.(progress);
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
    const reading = this.call("read", [text, this.#plain(options)], { signal: stop.signal, onProgress }).finally(() => {
      ended = true;
      arrived();
    });
    reading.catch(() => undefined);
    try {
      for (;;) {
        yield* ready.splice(0);
        if (ended && ready.length === 0) break;
        if (ready.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      }
      this.#ran(this.#stepTimes.with(await reading));
    } finally {
      signal?.removeEventListener("abort", forward);
      stop.abort();
    }
  }

  tokenize(text: string): Promise<readonly PlainToken[]> {
    return this.call("tokenize", [text], {});
  }

  reader(options: Pick<ReadOptions, "threshold" | "force"> = {}): Reader {
    return new LoadedReader(this.engine, this.call("reader", [plain(options)], {}), this.#stepTimes);
  }

  async hidden(text: string, options: ReadOptions = {}): Promise<Hidden> {
    const reader = this.reader(options);
    try {
      await reader.update(text, options);
      return await reader.hidden(options);
    } finally {
      reader.dispose();
    }
  }

  calibrate(options: CallOptions = {}): Promise<Costs> {
    return this.call("calibrate", [], options);
  }

  async steps(options: CallOptions & Pick<ReadOptions, "device"> = {}): Promise<Steps> {
    return this.#stepTimes.measured(await this.call("steps", [options.device ?? this.#preference], options));
  }

  async inspect(): Promise<Inspection> {
    return { config: this.config, ...(await this.call("inspect", [], {})) };
  }

  #plain(options: ReadOptions): PlainReadOptions {
    return { ...(this.#preference !== undefined && { device: this.#preference }), ...plain(options) };
  }
}

class LoadedReader extends Owner implements Reader {
  #text = "";
  #computed = 0;
  #tokens: readonly Token[] = [];
  readonly #stepTimes: StepTimes;

  constructor(engine: Engine, id: Promise<Id>, stepTimes: StepTimes) {
    super(engine, id, "reader");
    this.#stepTimes = stepTimes;
  }

  get text(): string {
    return this.#text;
  }

  get computed(): number {
    return this.#computed;
  }

  async update(text: string, options: CallOptions = {}): Promise<Reading> {
    this.#text = text;
    const { reading: packed, computed } = await this.call("update", [text], options);
    const reading = this.#stepTimes.with(packed);
    this.#tokens = reading.tokens;
    this.#computed = computed;
    return reading;
  }

  append(text: string, options: CallOptions = {}): Promise<Reading> {
    return this.update(this.#text + text, options);
  }

  async hidden(options: CallOptions = {}): Promise<Hidden> {
    return unpacked(await this.call("hidden", [], options), this.#tokens);
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
