import { loadLanguageModel, prepare, race, spread, type Contestant, type LanguageModel, type Scoring, type Spread } from "../../engine.ts";
import { download } from "../../study/download.ts";
import { failureOf, type Failure } from "../../study/reader.svelte.ts";
import { SITTINGS } from "../../study/measurements.svelte.ts";
import { parse } from "../../study/safetensors.ts";
import { lastPart } from "../text.ts";
import { addressOf, networks, type NetworkId } from "./networks.ts";

/** Of a longer text, so many characters at its end are read. */
export const MOST = 2000;
/** How a text is gone on with: so many characters, drawn at this temperature. */
export const [LENGTH, TEMPERATURE] = [160, 0.7];
/** All turns of all networks together take about so many milliseconds. */
const BUDGET_MS = 6000;

export interface Network {
  readonly id: NetworkId;
  readonly model: LanguageModel;
  readonly bytes: number;
  /** Numbers that were learned. */
  readonly weights: number;
}

export type Stage =
  | { readonly kind: "idle" }
  /** Bytes so far, of how many; null while a server does not say. */
  | { readonly kind: "loading"; readonly received: number; readonly total: number | null }
  | { readonly kind: "ready"; readonly networks: readonly Network[] }
  | { readonly kind: "failed"; readonly failure: Failure };

/** What the networks made of a text, in their order. */
export interface Seen {
  readonly text: string;
  readonly scorings: readonly Scoring[];
}

/** What the networks write after a text. */
export interface Written {
  readonly text: string;
  readonly seed: number;
  readonly pieces: readonly string[];
}

/** What a character took, by network, in milliseconds. */
export interface Timed {
  readonly text: string;
  readonly times: Readonly<Record<NetworkId, Spread>>;
}

/** The end of a text, which begins with a whole character even where it has no space to begin after. */
const endOf = (text: string) => (text.length > MOST ? lastPart(text, MOST).replace(/^[\uDC00-\uDFFF]/, "") : text);

/** The weights of a file: its numbers, without the scales of rows of bytes. */
function weightsOf(file: Uint8Array): number {
  const { tensors } = parse(file);
  return tensors.filter(({ name }) => !name.endsWith(".scale")).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** Three networks that read the visitor's text: loaded when asked for, then reading the latest text. */
class Trio {
  stage: Stage = $state.raw({ kind: "idle" });
  seen: Seen | null = $state.raw(null);
  written: Written | null = $state.raw(null);
  timed: Timed | null = $state.raw(null);
  seed = $state(1);
  /** How many rounds of the timing are done; null while nothing is timed. */
  timing: { readonly done: number; readonly total: number } | null = $state.raw(null);
  /** Why the latest text was not read. */
  failure: Failure | null = $state.raw(null);
  /** Why the last timing has no end. */
  untimed: Failure | null = $state.raw(null);
  readonly ready: readonly Network[] | null = $derived(this.stage.kind === "ready" ? this.stage.networks : null);
  #wanted: { readonly text: string; readonly seed: number } | null = null;
  #busy = false;
  #clock: AbortController | null = null;

  /** Fetches the three models; `fresh` past the browser's cache. */
  async load(fresh = false): Promise<void> {
    if (this.stage.kind === "loading" || this.stage.kind === "ready") return;
    const loading = new AbortController();
    const { signal } = loading;
    const progress = new Map<NetworkId, { readonly received: number; readonly total: number | null }>();
    const tell = () => {
      if (signal.aborted) return;
      const all = [...progress.values()];
      const total = all.length < networks.length || all.some(({ total }) => total === null) ? null : all.reduce((sum, { total }) => sum + (total ?? 0), 0);
      this.stage = { kind: "loading", received: all.reduce((sum, { received }) => sum + received, 0), total };
    };
    tell();
    try {
      const files = await Promise.all([
        ...networks.map(async ({ id }) => {
          const file = await download(addressOf(id), { signal, fresh, onProgress: (so) => (progress.set(id, { ...so }), tell()) });
          return { id, file };
        }),
        prepare(),
      ]);
      const loaded = await Promise.all(
        files.flatMap((each) => (each ? [loadLanguageModel(each.file).then((model) => ({ id: each.id, model, bytes: each.file.length, weights: weightsOf(each.file) }))] : [])),
      );
      this.stage = { kind: "ready", networks: loaded };
    } catch (error) {
      // The other downloads are of no use without the one that failed.
      loading.abort();
      this.stage = { kind: "failed", failure: failureOf(error) };
    }
  }

  /** Reads a text and goes on with it; of several asked for meanwhile, the last. */
  async read(text: string, seed: number): Promise<void> {
    this.#clock?.abort();
    this.#wanted = { text: endOf(text), seed };
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted && this.ready) {
      const { text, seed } = this.#wanted;
      this.#wanted = null;
      try {
        if (this.seen?.text !== text) {
          const scorings: Scoring[] = [];
          for (const { model } of this.ready) scorings.push(await model.score(text, { device: "cpu" }));
          this.seen = { text, scorings };
        }
        if (this.#wanted) continue;
        const pieces: string[] = [];
        for (const { model } of this.ready) pieces.push(await writtenBy(model, text, seed));
        this.written = { text, seed, pieces };
        this.failure = null;
      } catch (error) {
        this.failure = this.#failed(error);
      }
    }
    this.#busy = false;
  }

  /** Times how long each network takes to read the text, in turns. */
  async time(): Promise<void> {
    const { ready, seen } = this;
    if (!ready || !seen || this.timing) return;
    const { signal } = (this.#clock = new AbortController());
    const { rounds: total } = SITTINGS;
    this.timing = { done: 0, total };
    this.untimed = null;
    try {
      const contestants = Object.fromEntries(ready.map(({ id, model }) => [id, reading(model, seen.text)]));
      const { samples, absent } = await race(contestants, { ...SITTINGS, budgetMs: BUDGET_MS, signal, onRound: ({ rounds: done }) => (this.timing = { done, total }) });
      const [reason] = Object.values(absent);
      if (reason !== undefined) throw new Error(reason);
      const times = Object.fromEntries(ready.map(({ id }) => [id, spread(samples[id] ?? [])])) as Record<NetworkId, Spread>;
      this.timed = { text: seen.text, times };
    } catch (error) {
      if (!signal.aborted) this.untimed = this.#failed(error);
    } finally {
      this.timing = null;
    }
  }

  /** Stops the timing; nothing of it stays. */
  cancel(): void {
    this.#clock?.abort();
  }

  /** Why a call failed; null where the networks are lost with the engine. */
  #failed(error: unknown): Failure | null {
    const failure = failureOf(error);
    if (failure.code !== "ENGINE_FAILED") return failure;
    this.stage = { kind: "failed", failure };
    return null;
  }
}

async function writtenBy(model: LanguageModel, prompt: string, seed: number): Promise<string> {
  let text = "";
  for await (const { piece } of model.generate(prompt, { seed, temperature: TEMPERATURE, maxTokens: LENGTH, device: "cpu" })) text += piece;
  return text;
}

/** Reads a text again and again; a sample is the mean time of a character. */
function reading(model: LanguageModel, text: string): Contestant {
  return {
    async sample(ms, signal) {
      let [total, characters] = [0, 0];
      const begun = performance.now();
      do {
        const { timing, tokens } = await model.score(text, { device: "cpu", signal });
        total += timing.totalMs;
        characters += tokens.length;
      } while (performance.now() - begun < ms);
      return total / Math.max(1, characters);
    },
  };
}

/** The page's one: what was loaded stays while other chapters are open. */
export const trio = new Trio();
