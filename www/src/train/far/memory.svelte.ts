import { untrack } from "svelte";
import type { Run } from "./link.ts";
import { cells, LENGTHS, type Cell, type Learned, type Options } from "./sizes.ts";
import { controls as say } from "./strings.ts";
import type { Tells, Told } from "./worker.ts";

/** What a cell has come to. */
export interface Seen extends Learned {
  readonly round: number;
  /** Over so many letters its gradient went back. */
  readonly reach: number;
  /** The share answered right in the last rounds. */
  readonly lately: number;
}

export const ROUNDS = 160;
/** Rounds that a shown share is of. */
export const LATELY = 8;

/** Three networks that have to remember the first letter of a text, in a worker. */
export class Memory {
  stage: "idle" | "starting" | "running" | "paused" | "ended" | "failed" = $state("idle");
  failure: string | null = $state(null);
  seen: Readonly<Partial<Record<Cell, Seen>>> = $state.raw({});
  length: number = $state(LENGTHS.first);
  /** Over so many letters a gradient goes back; null for all. */
  reach: number | null = $state(null);
  clip = $state(true);
  scale = $state(1);
  seed = $state(1);
  readonly reaches: number = $derived(Math.min(this.reach ?? this.length, this.length));
  readonly rounds: number = $derived(Math.max(0, ...cells.map((cell) => this.seen[cell]?.round ?? 0)));

  #worker: Worker | null = null;
  #begun: Run | null = null;

  start(): void {
    this.forget();
    this.stage = "starting";
    this.#begun = this.#next;
    const worker = (this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }));
    const rights: Record<Cell, number[]> = { elman: [], lstm: [], sru: [] };
    worker.addEventListener("message", ({ data }: MessageEvent<Tells>) => {
      if (this.#worker !== worker) return;
      if (data.type === "ended") this.#end("ended");
      else if (data.type === "failed") this.#fail(data.message);
      else {
        const { type: _, cell, ...learned } = data;
        const last = [...rights[cell], learned.right].slice(-LATELY);
        rights[cell] = last;
        this.seen = { ...this.seen, [cell]: { ...learned, lately: last.reduce((sum, right) => sum + right, 0) / last.length } };
        if (this.stage === "starting") this.stage = "running";
      }
    });
    // Where the worker's script does not load the event has no message, whatever its type says.
    worker.addEventListener("error", ({ message }: Partial<ErrorEvent>) => this.#worker === worker && this.#fail(message ?? say.notLoaded));
    const options: Options = { length: this.length, clip: this.clip, scale: this.scale, seed: this.seed };
    this.#tell({ type: "begin", options, reach: this.reaches, rounds: ROUNDS });
  }

  /** Of how far back gradients go, from the next step on; of all else, with a new beginning if there was one. */
  turn({ reach, ...others }: { readonly reach?: number | null; readonly length?: number; readonly clip?: boolean; readonly scale?: number }): void {
    if (reach !== undefined) this.reach = reach;
    Object.assign(this, others);
    if (Object.keys(others).length > 0 && this.stage !== "idle") this.start();
    else this.#tell({ type: "reach", reach: this.reaches });
  }

  /** How the run began that is under way, or how the next will; how far gradients go may have been changed since. */
  get run(): Run {
    return this.#begun ?? this.#next;
  }

  get #next(): Run {
    const { length, reach, clip, scale, seed } = this;
    return { length, reach: reach !== null && reach < length ? reach : null, clip, scale, seed };
  }

  /** Stands as a link says; it begins when it is asked to. */
  stand(run: Run): void {
    Object.assign(this, run);
  }

  pause(): void {
    if (this.stage !== "starting" && this.stage !== "running") return;
    this.stage = "paused";
    this.#tell({ type: "pause" });
  }

  resume(): void {
    if (this.stage !== "paused") return;
    this.stage = "running";
    this.#tell({ type: "resume" });
  }

  forget(): void {
    this.#worker?.terminate();
    [this.#worker, this.#begun, this.stage, this.failure, this.seen] = [null, null, "idle", null, {}];
  }

  /** While another chapter is open nothing is learned; called while the chapter is made. */
  follow(): void {
    $effect(() => () => untrack(() => this.pause()));
  }

  #fail(message: string): void {
    this.failure = message;
    this.#end("failed");
  }

  #end(stage: "ended" | "failed"): void {
    this.#worker?.terminate();
    [this.#worker, this.stage] = [null, stage];
  }

  #tell(told: Told): void {
    this.#worker?.postMessage(told);
  }
}

/** The page's one. */
export const remembering = new Memory();
