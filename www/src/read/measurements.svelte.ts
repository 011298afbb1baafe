import type { RemoteModel } from "../../../js/remote.ts";
import type { Costs, Steps } from "../../../js/types.ts";
import type { Seen } from "./reader.svelte.ts";

/** What both devices, and the tokens of a text, were measured to take here. One measurement runs at a time. */
export class Measurements {
  readonly #costs = new WeakMap<RemoteModel, Costs>();
  /** The latest, and what it was measured on. */
  #steps: { readonly of: RemoteModel; readonly text: string; readonly steps: Steps } | null = $state.raw(null);
  #latest: { readonly of: RemoteModel; readonly costs: Costs } | null = $state.raw(null);
  #running: AbortController | null = null;

  /** What both devices take for a model, if that was measured. */
  costs(model: RemoteModel): Costs | null {
    // The state is there to be heard of; the map remembers the other models.
    return this.#latest?.of === model ? this.#latest.costs : (this.#costs.get(model) ?? null);
  }

  /** What a token of a reading took on its device, if that was measured. */
  steps(model: RemoteModel, { text, reading }: Seen): Steps | null {
    const known = this.#steps;
    const same = known?.of === model && known.text === text && known.steps.device === reading.timing.device;
    return same ? known.steps : null;
  }

  /**
   * Measures what is not known yet: both devices, once for a model, and then the tokens of its latest reading. Resolves
   * to whether the devices were measured by this call, in which case `auto` may choose otherwise than before and the
   * tokens are left for the next call. A measurement that fails or is stopped leaves no trace.
   */
  async measure(model: RemoteModel, seen: Seen): Promise<boolean> {
    this.stop();
    const { signal } = (this.#running = new AbortController());
    try {
      if (!this.#costs.has(model)) {
        const costs = await model.calibrate(signal);
        this.#costs.set(model, costs);
        this.#latest = { of: model, costs };
        return true;
      }
      if (!this.steps(model, seen) && seen.reading.tokens.length > 0) {
        const steps = await model.steps(seen.reading.timing.device, signal);
        this.#steps = { of: model, text: seen.text, steps };
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
