import { load, type Decision, type Device, type RemoteModel } from "../engine.ts";
import { cells, type CellId } from "./cells.ts";
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
/** Each heat is run in so many samples of so many milliseconds. */
const [SAMPLES, SAMPLE_MS] = [5, 20];
/** The text that `steps` measures kernels on. */
export const KERNEL_TOKENS = 128;

/** The race: runs heats one after the other, and keeps what they came to. */
export class Race {
  trials: ReadonlyMap<string, Trial> = $state.raw(new Map());
  absent: ReadonlyMap<string, Absent> = $state.raw(new Map());
  anatomy: readonly Anatomy[] = $state.raw([]);
  /** The heat under way, and how far its series is; null when nothing runs. */
  running: { readonly heat: Heat; readonly done: number; readonly total: number } | null = $state.raw(null);
  /** What went wrong with the whole series. */
  failure: string | null = $state(null);
  #models: { readonly of: Course; readonly loaded: Map<CellId, RemoteModel> } | null = null;
  #stop: AbortController | null = null;

  /** All networks at one length on both devices, and where their time goes. */
  async sprint(course: Course, length: number): Promise<void> {
    await this.#series(course, heats([length]), true);
  }

  /** All networks on both devices at every length. */
  async marathon(course: Course): Promise<void> {
    await this.#series(course, heats(LENGTHS), false);
  }

  /** Stops after the sample under way; what was measured stays. */
  cancel(): void {
    this.#stop?.abort();
  }

  async #series(course: Course, wanted: readonly Heat[], anatomy: boolean): Promise<void> {
    if (this.running) return;
    const { signal } = (this.#stop = new AbortController());
    this.failure = null;
    if (anatomy) this.anatomy = [];
    try {
      for (const [done, heat] of wanted.entries()) {
        this.running = { heat, done, total: wanted.length };
        const model = await this.#model(course, heat.cell);
        await this.#run(model, course, heat, signal);
        // Both devices have run by then, and so both are warm.
        if (anatomy && heat.device === "webgpu") await this.#dissect(model, heat.cell, signal);
        if (signal.aborted) break;
      }
    } catch (error) {
      if (!signal.aborted) this.failure = error instanceof Error ? error.message : String(error);
    } finally {
      this.running = null;
    }
  }

  async #model(course: Course, cell: CellId): Promise<RemoteModel> {
    if (this.#models?.of !== course) this.#models = { of: course, loaded: new Map() };
    const { loaded } = this.#models;
    const model = loaded.get(cell) ?? (await load(runner(cell, [...new Set(course.words)])));
    loaded.set(cell, model);
    return model;
  }

  async #run(model: RemoteModel, course: Course, heat: Heat, signal: AbortSignal): Promise<void> {
    const { text, force } = lay(course, heat);
    const options = { device: heat.device, ...(heat.cell === "skim" && { force }) };
    // The first reading of a kind compiles what it needs.
    const first = await model.read(text, options, { signal });
    if (first.timing.device !== heat.device) {
      this.absent = new Map(this.absent).set(keyOf(heat), { ...heat, reason: first.deviceReason });
      return;
    }
    const samples: number[] = [];
    let { method } = first.timing;
    while (samples.length < SAMPLES && !signal.aborted) {
      const reading = await model.read(text, { ...options, measureMs: SAMPLE_MS }, { signal });
      samples.push(reading.timing.totalMs);
      method = reading.timing.method;
      const trial = { ...heat, samples: [...samples], flops: reading.flops.spent, method };
      this.trials = new Map(this.trials).set(keyOf(heat), trial);
    }
  }

  async #dissect(model: RemoteModel, cell: CellId, signal: AbortSignal): Promise<void> {
    const costs = await model.calibrate(signal);
    for (const device of devices) {
      const cost = costs[device];
      if (!cost) continue;
      const { kernels } = device === "webgpu" ? await model.steps(device, signal) : { kernels: null };
      const known = kernels && {
        launches: kernels.reduce((sum, { launches }) => sum + launches, 0),
        ms: kernels.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0) / 1e6,
      };
      this.anatomy = [...this.anatomy, { cell, device, fixedMs: cost.fixedMs, tokenMs: cost.tokenMs, kernels: known }];
    }
  }
}

/** Every network on one device before the next device, so that bars grow together; shorter texts first. */
function heats(lengths: readonly number[]): Heat[] {
  return lengths.flatMap((length) => cells.flatMap(({ id: cell }) => devices.map((device) => ({ cell, device, length }))));
}

/** The course laid end to end until it is as long as the heat. */
function lay({ words, decisions }: Course, { length }: Heat): { text: string; force: Record<number, Decision> } {
  const text = Array.from({ length }, (_, at) => words[at % words.length]).join(" ");
  const force = Object.fromEntries(Array.from({ length }, (_, at) => [at, decisions[at % decisions.length] ?? "read"]));
  return { text, force };
}
