import { AdaptiveSoftmax, Elman, Gru, Lstm, race, Skim, Sru, type Contestant, type LayerConfig, type Race } from "../../engine.ts";
import { SITTINGS } from "../../study/measurements.svelte.ts";
import type { Seen } from "../predict.svelte.ts";
import { vectorsOf } from "./vectors.ts";
import { ways, WORDS, type Way } from "./ways.ts";

/** The last words of a text that the state is computed from. */
const MOST = 512;

/** What it takes here to find the next words, in each way: the softmax alone, after one text. */
export class Times {
  /** What it came to, and of which text; of the latest only. */
  found: { readonly seen: Seen; readonly race: Race<Way> } | null = $state.raw(null);
  running: { readonly done: number; readonly total: number } | null = $state.raw(null);
  failure: string | null = $state(null);
  #stop: AbortController | null = null;

  cancel(): void {
    this.#stop?.abort();
  }

  async measure(seen: Seen): Promise<void> {
    if (this.running) return;
    const { signal } = (this.#stop = new AbortController());
    const { rounds } = SITTINGS;
    this.failure = null;
    this.running = { done: 0, total: rounds };
    try {
      const { file } = seen.ready;
      const x = await stateAfter(seen);
      signal.throwIfAborted();
      const layer = await AdaptiveSoftmax.fromSafetensors(file.slice(), { prefix: "head." });
      try {
        // By the engine's own clock: the way to the worker and back is none of the softmax's business.
        const contestant = (run: () => Promise<{ readonly timing: { readonly totalMs: number } }>): Contestant => ({
          async sample(ms) {
            const end = performance.now() + ms;
            let [total, runs] = [0, 0];
            do {
              total += (await run()).timing.totalMs;
              runs += 1;
            } while (performance.now() < end && !signal.aborted);
            return total / runs;
          },
        });
        const entrants = Object.fromEntries(
          ways.map((way) => [way, contestant(() => (way === "every" ? layer.logProb(x) : layer.topK(x, WORDS[way])))]),
        ) as Record<Way, Contestant>;
        const result = await race<Way>(entrants, { ...SITTINGS, signal, onRound: ({ rounds: done }) => (this.running = { done, total: rounds }) });
        const [reason] = Object.values(result.absent);
        if (reason !== undefined) throw new Error(reason);
        this.found = { seen, race: result };
      } finally {
        layer.dispose();
      }
    } catch (error) {
      if (!signal.aborted) this.failure = error instanceof Error ? error.message : String(error);
    } finally {
      this.running = null;
    }
  }
}

/** The words that the model has read when it guesses what comes next, with the one that it begins with. */
function idsOf({ ready, scoring }: Seen): number[] {
  const ids = scoring.tokens.map(({ id }) => id);
  const all = ready.start === null ? ids : [ready.start, ...ids];
  return all.slice(-MOST);
}

/** What a model's network is made of. */
const layers: Readonly<Record<LayerConfig["type"], typeof Elman | typeof Lstm | typeof Skim | typeof Sru>> = { elman: Elman, gru: Gru, lstm: Lstm, skim: Skim, sru: Sru };

/** What the softmax is given at the end of a text: the last row of the network's output. */
async function stateAfter(seen: Seen): Promise<Float32Array> {
  const { file, model } = seen.ready;
  let [rows, columns] = [vectorsOf(file, seen.ready, idsOf(seen)), 0];
  for (const [at, { type }] of model.config.encoder.entries()) {
    const layer = await layers[type].fromSafetensors(file.slice(), { prefix: `encoder.${at}.` });
    try {
      ({ output: rows } = await layer.forward(rows));
      columns = layer.outputSize;
    } finally {
      layer.dispose();
    }
  }
  return rows.slice(-columns);
}
