import type { Comparison, Model, ReadOptions } from "../engine.ts";
import type { Seen } from "./reader.svelte.ts";

/** What is to be measured. */
export interface Subject {
  readonly model: Model;
  readonly seen: Seen;
  /** As the reading was made. */
  readonly options: ReadOptions;
  /** The full network of the same sizes; resolves to null where there is none. */
  readonly full: () => Promise<Model | null>;
}

/** How what stands still is measured: a machine that others use changes its speed from one second to the next. */
export const SITTINGS = { rounds: 12, sittings: 3, pauseMs: 1000 };
/** A longer text, in tokens, is not read some fifty times more for its time alone. */
const MOST = 2000;

/** What the text takes here: as decided, all read, by the full network, on both devices. One measurement runs at a time. */
export class Measurements {
  readonly #calibrated = new WeakSet<Model>();
  #latest: { readonly of: Seen; readonly model: Model; readonly comparison: Comparison } | null = $state.raw(null);
  /** Whether something is measured now. */
  running = $state(false);
  #stop: AbortController | null = null;

  /** What was measured of a reading; null before. */
  of(seen: Seen): Comparison | null {
    return this.#latest?.of === seen ? this.#latest.comparison : null;
  }

  /** What was measured last of a model, whatever the text. */
  last(model: Model): Comparison | null {
    return this.#latest?.model === model ? this.#latest.comparison : null;
  }

  /** Whether a text is too long to be measured in turns. */
  isLong({ reading }: Seen): boolean {
    return reading.tokens.length > MOST;
  }

  /**
   * Measures what is not known yet: both devices, once for a model; then the reading. Resolves to whether the devices were
   * measured by this call, in which case `auto` may choose otherwise than before and the rest is left for the next call. A
   * measurement that fails or is stopped leaves no trace.
   */
  async measure({ model, seen, options, full }: Subject): Promise<boolean> {
    this.stop();
    const { signal } = (this.#stop = new AbortController());
    this.running = true;
    try {
      if (!this.#calibrated.has(model)) {
        await model.calibrate({ signal });
        this.#calibrated.add(model);
        return true;
      }
      if (seen.reading.tokens.length === 0 || this.isLong(seen) || this.of(seen)) return false;
      const against = (await full()) ?? undefined;
      const comparison = await model.compare(seen.text, { ...options, against, bothDevices: true, wordCache: true, signal, ...SITTINGS });
      if (!signal.aborted) this.#latest = { of: seen, model, comparison };
    } catch {
      // What is wrong with the engine, the next reading says.
    } finally {
      // A later one may have begun.
      if (!signal.aborted) this.running = false;
    }
    return false;
  }

  /** Stops what is being measured: something is to be read. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.running = false;
  }
}
