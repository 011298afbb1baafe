import { untrack } from "svelte";
import { failureOf, type Failure } from "../../study/reader.svelte.ts";
import type { Training, TrainingEvaluation, TrainingFigures } from "../engine.ts";

/** Where a run is: none, on its way, learning, waiting, at its end. */
export type Stage = "idle" | "starting" | "running" | "paused" | "ended" | "failed";

/** The mean loss of the last steps, and how many steps there were, of how many. */
export interface Now {
  readonly loss: number;
  readonly step: number;
  readonly of: number;
}

/** Steps that a shown loss is the mean of. */
const SMOOTH = 10;

/** What every figure keeps of an evaluation. */
export interface Kept {
  /** Epochs so far, with fraction. */
  readonly epoch: number;
  /** Whether the model was the best so far. */
  readonly kept: boolean;
}

/** The moment that is looked at, by its number, or the latest; null before the first. */
export function momentAt<Moment>(moments: readonly Moment[], at: number | null): Moment | null {
  return moments[Math.min(at ?? Infinity, moments.length - 1)] ?? null;
}

/** A run as a figure has it: begun, held up, ended, and looked back at, evaluation by evaluation. */
export class Run<Moment extends Kept> {
  stage: Stage = $state("idle");
  /** Of all that the run draws, or the next run where there is none. */
  seed = $state(1);
  failure: Failure | null = $state.raw(null);
  moments: readonly Moment[] = $state.raw([]);
  now: Now | null = $state.raw(null);
  /** The moment that is looked at; null for the latest. */
  at: number | null = $state(null);
  readonly shown: Moment | null = $derived(momentAt(this.moments, this.at));
  /** How far it is, where no earlier moment is looked at: beside that moment's figures it would be of another. */
  readonly present: Now | null = $derived(this.at === null ? this.now : null);
  /** The moment whose model is handed on; below 0 while there is none. */
  readonly best: number = $derived(this.moments.findLastIndex(({ kept }) => kept));
  /** That moment, where later ones were no better. */
  readonly earlier: Moment | null = $derived(this.best < this.moments.length - 1 ? (this.moments[this.best] ?? null) : null);
  /** Whether nothing is learned, nor about to be. */
  readonly fresh: boolean = $derived(this.stage === "idle" && this.moments.length === 0);
  readonly busy: boolean = $derived(this.stage === "starting" || this.stage === "running");

  /** Whether a run that has ended is still asked things, and so is freed only with what it has learned. */
  protected readonly lasting: boolean = false;
  /** Of a run whose data is on its way the stage before it. */
  #awaited: { readonly before: Stage } | null = null;
  #training: Training | null = null;
  /** One that has ended and is still asked things. */
  #ended: Training | null = null;
  /** The best model of a run that learns no more. */
  #file: Uint8Array<ArrayBuffer> | null = $state.raw(null);
  /** Whether there is a best model to be had. */
  readonly hasFile: boolean = $derived(this.best >= 0 && (this.#file !== null || this.busy || this.stage === "paused"));

  /** Waits for what the next run is made of; null once nobody waits for it. Where it does not come, all stands as before. */
  protected async awaited<Data>(data: Promise<Data>): Promise<Data | null> {
    this.#giveUp();
    const awaited = (this.#awaited = { before: this.stage });
    this.stage = "starting";
    try {
      const found = await data;
      return this.#awaited === awaited ? found : null;
    } catch (error) {
      if (this.#awaited !== awaited) return null;
      this.#giveUp();
      throw error;
    }
  }

  /** Learns, in the place of what was learned before; `look` makes a moment of each evaluation, for which the run waits. */
  async drive<Figures extends TrainingFigures>(training: Training<Figures>, epochs: number, look: (found: TrainingEvaluation<Figures>, training: Training<Figures>) => Promise<Moment>): Promise<void> {
    this.forget();
    this.#training = training;
    this.stage = "starting";
    const losses: number[] = [];
    try {
      for await (const event of training) {
        // Somebody may have held it up before it had begun.
        if (event.type === "begun" && this.stage === "starting") this.stage = "running";
        if (event.type === "step") {
          losses.push(event.losses.loss);
          const last = losses.slice(-SMOOTH);
          this.now = { loss: last.reduce((sum, loss) => sum + loss, 0) / last.length, step: losses.length, of: event.steps * epochs };
        } else if (event.type === "evaluated") {
          const moment = await look(event, training);
          if (this.#training === training) this.moments = [...this.moments, moment];
        } else if (event.type === "ended") {
          const file = await training.file();
          if (this.#training === training) [this.#file, this.stage, this.#training] = [file, "ended", null];
          this.#rest(training);
        }
        if (this.#training !== training) return;
      }
    } catch (error) {
      await this.#fail(training, error);
    }
  }

  pause(): void {
    this.#giveUp();
    if (!this.busy) return;
    this.#training?.pause();
    this.stage = "paused";
  }

  resume(): void {
    if (this.stage !== "paused") return;
    this.stage = "running";
    this.#training?.resume();
  }

  /** Changes how it learns from the next step on. */
  set(adjusted: Parameters<Training["set"]>[0]): void {
    // A run that has failed says so itself.
    void this.#training?.set(adjusted).catch(() => undefined);
  }

  /** Ends the run where it is; what it has learned is kept. */
  async stop(): Promise<void> {
    const training = this.#training;
    if (!training) return;
    const file = await this.file();
    if (this.#training !== training) return;
    [this.#training, this.#file] = [null, file];
    this.#rest(training);
    this.stage = file ? "ended" : "idle";
  }

  /** The best model so far; null before there is one, and where it is lost: the run has failed then. */
  async file(): Promise<Uint8Array<ArrayBuffer> | null> {
    const training = this.#training;
    if (this.#file || !training || this.best < 0) return this.#file;
    try {
      return await training.file();
    } catch (error) {
      await this.#fail(training, error);
      return null;
    }
  }

  /** Ends the run and gives up what was learned. */
  forget(): void {
    this.#training?.dispose();
    this.#ended?.dispose();
    [this.#awaited, this.#training, this.#ended, this.#file] = [null, null, null, null];
    [this.stage, this.failure, this.moments, this.now, this.at] = ["idle", null, [], null, null];
  }

  /** Ends a run with an error; what it has learned is kept if it can still be had. */
  async #fail(training: Training, error: unknown): Promise<void> {
    if (this.#training !== training) return;
    [this.failure, this.stage] = [failureOf(error), "failed"];
    const file = this.best >= 0 ? await training.file().catch(() => null) : null;
    if (this.#training !== training) return;
    [this.#training, this.#file] = [null, file];
    this.#rest(training);
  }

  /** Waits no longer for the data of a run: what was learned before stands. */
  #giveUp(): void {
    if (this.#awaited) [this.stage, this.#awaited] = [this.#awaited.before, null];
  }

  #rest(training: Training): void {
    if (this.lasting) this.#ended = training;
    else training.dispose();
  }

  /** While another chapter is open nothing is learned; called while the chapter is made. */
  follow(): void {
    $effect(() => () => untrack(() => this.pause()));
  }
}
