import type { Costs, Device, Model, ReadOptions, Steps } from "../engine.ts";
import type { Seen } from "./reader.svelte.ts";

/** One text, read by the network and by the full network made of its big cell, one after the other on one device. */
export interface Comparison {
  readonly device: Device;
  /** Milliseconds of a reading, from token ids to scores. */
  readonly ms: number;
  readonly fullMs: number;
  /** How they were measured, in words. */
  readonly method: string;
}

/** What is to be measured. */
export interface Subject {
  readonly model: Model;
  readonly seen: Seen;
  /** As the reading was made. */
  readonly options: ReadOptions;
  /** The full network of the same sizes; resolves to null where there is none. */
  readonly full: () => Promise<Model | null>;
}

const COMPARE_MS = 50;

/** What both devices, and the tokens of a text, were measured to take here. One measurement runs at a time. */
export class Measurements {
  readonly #costs = new WeakMap<Model, Costs>();
  /** The latest, and what it was measured on. */
  #steps: { readonly of: Model; readonly text: string; readonly steps: Steps } | null = $state.raw(null);
  #latest: { readonly of: Model; readonly costs: Costs } | null = $state.raw(null);
  #comparison: { readonly of: Seen; readonly comparison: Comparison | null } | null = $state.raw(null);
  #running: AbortController | null = null;

  /** What both devices take for a model, if that was measured. */
  costs(model: Model): Costs | null {
    // The state is there to be heard of; the map remembers the other models.
    return this.#latest?.of === model ? this.#latest.costs : (this.#costs.get(model) ?? null);
  }

  /** What a token of a reading took on its device, if that was measured. */
  steps(model: Model, { text, reading }: Seen): Steps | null {
    const known = this.#steps;
    const same = known?.of === model && known.text === text && known.steps.device === reading.timing.device;
    return same ? known.steps : null;
  }

  /** What a token took on the text measured last, by whichever device: near enough to pace a playback. */
  lastSteps(model: Model): Steps | null {
    return this.#steps?.of === model ? this.#steps.steps : null;
  }

  /** A reading beside that of the full network, if that was measured. */
  comparison(seen: Seen): Comparison | null {
    return this.#comparison?.of === seen ? this.#comparison.comparison : null;
  }

  /**
   * Measures what is not known yet: both devices, once for a model; then the tokens of its latest reading; then the full
   * network on the same text. Resolves to whether the devices were measured by this call, in which case `auto` may choose
   * otherwise than before and the rest is left for the next call. A measurement that fails or is stopped leaves no trace.
   */
  async measure({ model, seen, options, full }: Subject): Promise<boolean> {
    this.stop();
    const { signal } = (this.#running = new AbortController());
    try {
      if (!this.#costs.has(model)) {
        const costs = await model.calibrate({ signal });
        this.#costs.set(model, costs);
        this.#latest = { of: model, costs };
        return true;
      }
      if (seen.reading.tokens.length === 0) return false;
      if (!this.steps(model, seen)) {
        const steps = await model.steps({ device: seen.reading.timing.device, signal });
        this.#steps = { of: model, text: seen.text, steps };
      }
      if (this.#comparison?.of !== seen) {
        const comparison = await compare(model, await full(), seen, options, signal);
        if (!signal.aborted) this.#comparison = { of: seen, comparison };
      }
    } catch {
      // What is wrong with the engine, the next reading says.
    }
    return false;
  }

  /** Stops what is being measured: something is to be read. */
  stop(): void {
    this.#running?.abort();
    this.#running = null;
  }
}

async function compare(
  model: Model,
  full: Model | null,
  { text, reading }: Seen,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<Comparison | null> {
  if (!full) return null;
  const { device } = reading.timing;
  const theirs = await full.read(text, { device, measureMs: COMPARE_MS, signal });
  const ours = await model.read(text, { ...options, device, measureMs: COMPARE_MS, signal });
  // A device that was lost under way leaves two times that cannot be compared.
  if (theirs.timing.device !== device || ours.timing.device !== device) return null;
  return { device, ms: ours.timing.totalMs, fullMs: theirs.timing.totalMs, method: ours.timing.method };
}
