import { accountOf, loadWithoutWordCache, race as takeTurns, spread, type Contestant, type Decision, type Device } from "../engine.ts";
import { SITTINGS } from "../study/measurements.svelte.ts";
import { cells, type CellId } from "./cells.ts";
import { lane, type Lane, type Lanes } from "./lanes.ts";
import { runner } from "./runner.ts";
import { race as say } from "./strings.ts";
import { keyOf, type Absent, type Anatomy, type Heat, type Trial } from "./trial.ts";

/** A text to race on: its words, and what the skimming network decided at each. */
export interface Course {
  readonly words: readonly string[];
  readonly decisions: readonly Decision[];
}

export const devices: readonly Device[] = ["cpu", "webgpu"];
/** From a sentence to a chapter. */
export const LENGTHS = [20, 64, 256, 1024, 4096] as const;
/** From one text to many at once, each of so many tokens. */
export const BATCHES = [1, 4, 16, 64, 256] as const;
export const BATCH_LENGTH = 32;
/**
 * So many words of a text are raced on: a turn over all of a book would take longer than a race. It is none of
 * {@link LENGTHS}, among whose measurements a race would count.
 */
export const MOST = 4000;
/** The rounds of a group of heats take about so many milliseconds in all. */
const BUDGET_MS = 12_000;
/** Where the time goes shows in a text so many times as long. */
const LONGER = 4;
/** A pass is profiled so often. */
const PROFILES = 5;

/** What is measured at one press of a button. */
export type Series = "sprint" | "marathon" | "relay";

/** The race: in each group of heats all networks take turns on all devices; it keeps what they came to. */
export class Race {
  trials: ReadonlyMap<string, Trial> = $state.raw(new Map());
  absent: ReadonlyMap<string, Absent> = $state.raw(new Map());
  anatomy: readonly Anatomy[] = $state.raw([]);
  /** What runs, and how far it is; null when nothing does. */
  running: { readonly series: Series; readonly heat: Heat; readonly done: number; readonly total: number } | null = $state.raw(null);
  /** The length of the text raced on last: what the figures show stays, whatever is typed meanwhile. */
  raced = $state(0);
  /** The series that failed as a whole, and why, until another one is begun. */
  failure: { readonly series: Series; readonly why: string } | null = $state.raw(null);
  /** The series that came to its end, until another one is begun. */
  ended: Series | null = $state.raw(null);
  #stop: AbortController | null = null;

  /** All networks at one length on both devices, and where their time goes. */
  async sprint(course: Course, length: number): Promise<void> {
    if (this.running) return;
    this.anatomy = [];
    this.raced = length;
    const heats = [...heatsOf(length, 1, false), ...heatsOf(LONGER * length, 1, false)];
    await this.#series("sprint", [heats], (cell) => reading(course, cell), (signal) => this.#dissect(course, length, signal));
  }

  /** All networks on both devices at every length. */
  async marathon(course: Course): Promise<void> {
    await this.#series("marathon", LENGTHS.map((length) => heatsOf(length, 1, false)), (cell) => reading(course, cell));
  }

  /** All networks on both devices with ever more texts at once. */
  async relay(course: Course): Promise<void> {
    await this.#series("relay", BATCHES.map((batch) => heatsOf(BATCH_LENGTH, batch, true)), (cell) => batches(course, cell));
  }

  /** Stops after the turn under way; what was measured stays. */
  cancel(): void {
    this.#stop?.abort();
  }

  /** Runs groups of heats, each network's by what `prepare` made for it, which is released at the end. */
  async #series(
    series: Series,
    groups: readonly (readonly Heat[])[],
    prepare: (cell: CellId) => Promise<Runner>,
    afterwards?: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const [first] = groups[0] ?? [];
    if (this.running || !first) return;
    const { signal } = (this.#stop = new AbortController());
    const runners = new Map<CellId, Runner>();
    const total = groups.length * SITTINGS.rounds;
    this.failure = this.ended = null;
    this.running = { series, heat: first, done: 0, total };
    try {
      for (const { id } of cells) {
        signal.throwIfAborted();
        runners.set(id, await prepare(id));
      }
      for (const [at, group] of groups.entries()) await this.#together(group, runners, at * SITTINGS.rounds, signal);
      await afterwards?.(signal);
      // One in which nothing could run has no end to tell of.
      if (groups.flat().some((heat) => this.trials.has(keyOf(heat)))) this.ended = series;
    } catch (error) {
      if (!signal.aborted) this.failure = { series, why: error instanceof Error ? error.message : String(error) };
    } finally {
      for (const runner of runners.values()) runner.dispose();
      this.running = null;
    }
  }

  /** Runs heats in turns. */
  async #together(group: readonly Heat[], runners: ReadonlyMap<CellId, Runner>, before: number, signal: AbortSignal): Promise<void> {
    const flops = new Map<string, number>();
    const heats = new Map(group.map((heat) => [keyOf(heat), heat]));
    const contestants: Record<string, Contestant> = {};
    for (const [key, heat] of heats) {
      contestants[key] = {
        sample: async (ms, signal) => {
          const run = await runners.get(heat.cell)?.run(heat, ms, signal);
          if (!run) throw new Error(say.notReady);
          flops.set(key, run.flops);
          return run.ms;
        },
      };
    }
    await takeTurns(contestants, {
      ...SITTINGS,
      budgetMs: BUDGET_MS,
      signal,
      onRound: ({ samples, absent, rounds, sampleMs }) => {
        const method = say.method(Math.round(sampleMs), SITTINGS.sittings);
        const kept = Object.entries(samples).flatMap(([key, samples]) => {
          const heat = heats.get(key);
          return heat && samples ? [[key, { ...heat, samples: [...samples], flops: flops.get(key) ?? 0, method }] as const] : [];
        });
        const missed = Object.entries(absent).flatMap(([key, reason]) => {
          const heat = heats.get(key);
          return heat && reason !== undefined ? [[key, { ...heat, reason }] as const] : [];
        });
        // What is known of a heat is what came last: a trial, or why there is none.
        this.trials = new Map([...this.trials, ...kept].filter(([key]) => !(key in absent)));
        this.absent = new Map([...this.absent, ...missed].filter(([key]) => !(key in samples)));
        const [heat] = group;
        if (heat && this.running) this.running = { ...this.running, heat, done: before + rounds };
      },
    });
  }

  /** Where the time of each network goes: the line through a text and one that is longer; on the GPU, what a pass did there. */
  async #dissect({ decisions }: Course, length: number, signal: AbortSignal): Promise<void> {
    for (const device of devices) {
      for (const { id: cell } of cells) {
        const timed = (length: number) => {
          const trial = this.trials.get(keyOf({ cell, device, length, batch: 1, alone: false }));
          return trial && { tokens: { read: length, skimmed: 0 }, samples: trial.samples };
        };
        const [once, longer] = [timed(length), timed(LONGER * length)];
        if (!once || !longer) continue;
        const { fixedMs, readMs, spreads } = accountOf(once, longer, null);
        const pass = device === "webgpu" ? await profile(cell, { device, length, batch: 1, decisions, signal, profile: true }) : null;
        this.anatomy = [...this.anatomy, { cell, device, fixedMs, tokenMs: readMs, spreads, pass }];
      }
    }
  }
}

/** The page's one race: what was measured stays while other chapters are open. */
export const race = new Race();

/** A network that was made ready. */
interface Runner {
  /** Runs a heat again and again for about `ms` milliseconds; resolves to what one run came to, in the mean. */
  run(heat: Heat, ms: number, signal: AbortSignal | undefined): Promise<{ readonly ms: number; readonly flops: number }>;
  dispose(): void;
}

/** Reads the course as a text model does, one text at a time. */
async function reading(course: Course, cell: CellId): Promise<Runner> {
  const model = await loadWithoutWordCache(runner(cell, [...new Set(course.words)]));
  return {
    async run(heat, measureMs, signal) {
      const { text, force } = lay(course, heat);
      const options = { device: heat.device, signal, measureMs, ...(cell === "skim" && { force }) };
      const { timing, flops, deviceReason } = await model.read(text, options);
      if (timing.device !== heat.device) throw new Error(deviceReason);
      return { ms: timing.totalMs, flops: flops.spent };
    },
    dispose: () => model.dispose(),
  };
}

/** Runs the layer alone on many texts at once. */
async function batches({ decisions }: Course, cell: CellId): Promise<Runner> {
  const layer = await lane(cell);
  return {
    async run(heat, ms, signal) {
      let [total, flops, runs] = [0, 0, 0];
      const begun = performance.now();
      do {
        const pass = await layer.pass({ ...heat, decisions, signal });
        total += pass.ms;
        flops = pass.flops;
        runs += 1;
      } while (performance.now() - begun < ms);
      return { ms: total / runs, flops };
    },
    dispose: () => layer.dispose(),
  };
}

/** What a pass of the layer does on the GPU, the medians of several, after one that compiles what it needs. */
async function profile(cell: CellId, lanes: Lanes): Promise<Anatomy["pass"]> {
  const layer: Lane = await lane(cell);
  try {
    await layer.pass(lanes);
    const passes = [];
    for (let n = 0; n < PROFILES; n++) passes.push(await layer.pass(lanes));
    const kernels = passes.flatMap(({ kernelMs }) => (kernelMs === null ? [] : [kernelMs]));
    const [{ dispatches, bytesMoved } = { dispatches: null, bytesMoved: null }] = passes;
    return {
      ms: spread(passes.map(({ ms }) => ms)).median,
      dispatches: dispatches ?? 0,
      bytesMoved: bytesMoved ?? 0,
      kernelMs: kernels.length > 0 ? spread(kernels).median : null,
    };
  } finally {
    layer.dispose();
  }
}

/** Every network on every device. */
function heatsOf(length: number, batch: number, alone: boolean): Heat[] {
  return devices.flatMap((device) => cells.map(({ id: cell }) => ({ cell, device, length, batch, alone })));
}

/** The course laid end to end until it is as long as the heat. */
function lay({ words, decisions }: Course, { length }: Heat): { text: string; force: Record<number, Decision> } {
  const text = Array.from({ length }, (_, at) => words[at % words.length]).join(" ");
  const force = Object.fromEntries(Array.from({ length }, (_, at) => [at, decisions[at % decisions.length] ?? "read"]));
  return { text, force };
}
