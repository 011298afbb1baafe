import { load, type Decision, type Device, type Model } from "../engine.ts";
import { cells, type CellId } from "./cells.ts";
import { lane, type Lane } from "./lanes.ts";
import { runner } from "./runner.ts";
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
/** Each heat is run in so many samples of so many milliseconds. */
const [SAMPLES, SAMPLE_MS] = [5, 20];

/** The race: runs heats one after the other, and keeps what they came to. */
export class Race {
  trials: ReadonlyMap<string, Trial> = $state.raw(new Map());
  absent: ReadonlyMap<string, Absent> = $state.raw(new Map());
  anatomy: readonly Anatomy[] = $state.raw([]);
  /** The heat under way, and how far its series is; null when nothing runs. */
  running: { readonly heat: Heat; readonly done: number; readonly total: number } | null = $state.raw(null);
  /** What went wrong with the whole series. */
  failure: string | null = $state(null);
  #stop: AbortController | null = null;

  /** All networks at one length on both devices, and where their time goes. */
  async sprint(course: Course, length: number): Promise<void> {
    this.anatomy = [];
    await this.#series(heats([length], [1], false), (cell, signal) => this.#reading(course, cell, signal, true));
  }

  /** All networks on both devices at every length. */
  async marathon(course: Course): Promise<void> {
    await this.#series(heats(LENGTHS, [1], false), (cell, signal) => this.#reading(course, cell, signal, false));
  }

  /** All networks on both devices with ever more texts at once. */
  async relay(course: Course): Promise<void> {
    await this.#series(heats([BATCH_LENGTH], BATCHES, true), (cell, signal) => this.#batches(course, cell, signal));
  }

  /** Stops after the sample under way; what was measured stays. */
  cancel(): void {
    this.#stop?.abort();
  }

  /** Runs heats, each network's by what `prepare` made for it, which is released at the end. */
  async #series(wanted: readonly Heat[], prepare: (cell: CellId, signal: AbortSignal) => Promise<Runner>): Promise<void> {
    if (this.running) return;
    const { signal } = (this.#stop = new AbortController());
    const runners = new Map<CellId, Runner>();
    this.failure = null;
    try {
      for (const [done, heat] of wanted.entries()) {
        this.running = { heat, done, total: wanted.length };
        const runner = runners.get(heat.cell) ?? (await prepare(heat.cell, signal));
        runners.set(heat.cell, runner);
        await runner.run(heat);
        if (signal.aborted) break;
      }
    } catch (error) {
      if (!signal.aborted) this.failure = error instanceof Error ? error.message : String(error);
    } finally {
      for (const runner of runners.values()) runner.dispose();
      this.running = null;
    }
  }

  #keep(heat: Heat, samples: readonly number[], flops: number, method: string): void {
    this.trials = new Map(this.trials).set(keyOf(heat), { ...heat, samples: [...samples], flops, method });
  }

  #miss(heat: Heat, reason: string): void {
    this.absent = new Map(this.absent).set(keyOf(heat), { ...heat, reason });
  }

  /** Reads the course as a text model does, one text at a time. */
  async #reading(course: Course, cell: CellId, signal: AbortSignal, dissect: boolean): Promise<Runner> {
    const model = await load(runner(cell, [...new Set(course.words)]));
    const run = async (heat: Heat) => {
      const { text, force } = lay(course, heat);
      const options = { device: heat.device, signal, ...(cell === "skim" && { force }) };
      // The first reading of a kind compiles what it needs.
      const first = await model.read(text, options);
      if (first.timing.device !== heat.device) {
        this.#miss(heat, first.deviceReason);
      } else {
        const samples: number[] = [];
        while (samples.length < SAMPLES && !signal.aborted) {
          const { timing, flops } = await model.read(text, { ...options, measureMs: SAMPLE_MS });
          samples.push(timing.totalMs);
          this.#keep(heat, samples, flops.spent, timing.method);
        }
      }
      // Both devices have run by then, and so both are warm.
      if (dissect && heat.device === "webgpu") await this.#dissect(model, course, heat, signal);
    };
    return { run, dispose: () => model.dispose() };
  }

  async #dissect(model: Model, { decisions }: Course, { cell, length }: Heat, signal: AbortSignal): Promise<void> {
    const costs = await model.calibrate({ signal });
    const layer = await lane(cell);
    for (const device of devices) {
      const cost = costs[device];
      if (!cost) continue;
      let pass: Anatomy["pass"] = null;
      if (device === "webgpu") {
        // The first pass of a kind compiles what it needs; the whole and its kernels are then of one and the same pass.
        const lanes = { device, length, batch: 1, decisions, signal, profile: true };
        await layer.pass(lanes);
        const timed = await layer.pass(lanes);
        pass = { ms: timed.ms, dispatches: timed.dispatches ?? 0, bytesMoved: timed.bytesMoved ?? 0, kernelMs: timed.kernelMs };
      }
      this.anatomy = [...this.anatomy, { cell, device, fixedMs: cost.fixedMs, tokenMs: cost.tokenMs, pass }];
    }
    layer.dispose();
  }

  /** Runs the layer alone on many texts at once. */
  async #batches({ decisions }: Course, cell: CellId, signal: AbortSignal): Promise<Runner> {
    const layer = await lane(cell);
    const run = async (heat: Heat) => {
      const lanes = { ...heat, decisions, signal };
      try {
        await layer.pass(lanes);
      } catch (error) {
        if (heat.device === "cpu" || signal.aborted) throw error;
        this.#miss(heat, error instanceof Error ? error.message : String(error));
        return;
      }
      const samples: number[] = [];
      while (samples.length < SAMPLES && !signal.aborted) {
        const { ms, flops, runs } = await mean(layer, lanes);
        samples.push(ms);
        this.#keep(heat, samples, flops, `mean time of ${runs} runs in ${SAMPLE_MS} ms, from rows to rows, the layer alone`);
      }
    };
    return { run, dispose: () => layer.dispose() };
  }
}

/** A network at the start. */
interface Runner {
  run(heat: Heat): Promise<void>;
  dispose(): void;
}

/** The mean of as many passes as a sample takes: the clocks of browsers are too coarse for one. */
async function mean(layer: Lane, lanes: Parameters<Lane["pass"]>[0]): Promise<{ ms: number; flops: number; runs: number }> {
  let [total, flops, runs] = [0, 0, 0];
  const begun = performance.now();
  while (performance.now() - begun < SAMPLE_MS) {
    const pass = await layer.pass(lanes);
    total += pass.ms;
    flops = pass.flops;
    runs += 1;
  }
  return { ms: total / runs, flops, runs };
}

/** Every network on one device before the next device, so that bars grow together; less work first. */
function heats(lengths: readonly number[], batches: readonly number[], alone: boolean): Heat[] {
  return lengths.flatMap((length) =>
    batches.flatMap((batch) => cells.flatMap(({ id: cell }) => devices.map((device) => ({ cell, device, length, batch, alone })))),
  );
}

/** The course laid end to end until it is as long as the heat. */
function lay({ words, decisions }: Course, { length }: Heat): { text: string; force: Record<number, Decision> } {
  const text = Array.from({ length }, (_, at) => words[at % words.length]).join(" ");
  const force = Object.fromEntries(Array.from({ length }, (_, at) => [at, decisions[at % decisions.length] ?? "read"]));
  return { text, force };
}
