import { train, type ClassifySettings } from "../engine.ts";
import { Run, type Kept } from "../shared/run.svelte.ts";
import type { Rows, Taken } from "./data.ts";
import { KNOBS, type Difference, type Knobs } from "./knobs.ts";

/** A word of a sentence, where it stands in it, and what the network does with it. */
export interface Word {
  readonly start: number;
  readonly end: number;
  readonly skimmed: boolean;
}

/** A sentence as the network read it at some moment. */
export interface Read {
  readonly label: string;
  readonly words: readonly Word[];
}

/** What was known at an evaluation. */
export interface Moment extends Kept {
  readonly accuracy: number;
  readonly skimRate: number;
  /** Nats a text, of those that it does not learn from. */
  readonly loss: number;
  /** The shown sentences. */
  readonly reads: readonly Read[];
  readonly knobs: Knobs;
}

/** Passes through the texts, and how often it is looked at in each. */
export const EPOCHS = 36;
const EVALUATIONS = 2;
/** Of the evaluations that skim so much the most accurate is handed on; with a γ of 0, under which only the untrained do, that of all. */
export const HALF = 0.5;
/** Steps in which what skimming is worth rises from nothing: it has something to lose by then. */
const RISE = 300;

/** What the run is made of: the same data, knobs and seed give the same run. */
export function settingsOf({ gamma, learningRate }: Knobs, seed: number): ClassifySettings {
  return {
    task: "classify",
    seed,
    model: { embeddingSize: 32, encoder: [{ type: "skim", cell: "lstm", hiddenSize: 64, smallSize: 4 }] },
    train: { batch: 32, epochs: EPOCHS, evaluations: EVALUATIONS, learningRate, skim: { gamma, temperatureRate: 2e-3, rise: RISE, minRate: gamma > 0 ? HALF : 0 } },
  };
}

/** A Skim-LSTM that learns, and the history of what it made of some sentences. */
export class Learner extends Run<Moment> {
  /** A file of the visitor's, and what is in it; null before there is one. */
  brought: { readonly name: string; readonly taken: Taken } | null = $state.raw(null);
  /** What the next run is to learn from. */
  chosen: "own" | "file" = $state("own");
  /** What it learns from; null before the first run. */
  rows: Rows | null = $state.raw(null);
  knobs: Knobs = $state.raw(KNOBS);

  /** In what a second learner differs; null while there is to be none. */
  difference: Difference | null = $state.raw(null);
  /** The second learner of this run: from the same seed and data, with one knob otherwise. */
  second: Learner | null = $state.raw(null);

  /** Begins anew, the second learner beside it; what was learned before is gone. */
  start(rows: Rows): Promise<void> {
    this.second?.forget();
    // Whatever was set: the same knobs and seed give the same run.
    this.knobs = { ...this.knobs, temperature: null };
    const { difference, seed } = this;
    const second = difference ? new Learner() : null;
    const driven = this.#begin(rows, seed);
    this.second = second;
    if (!second || !difference) return driven;
    second.knobs = { ...this.knobs, [difference.knob]: difference.value };
    const beside = second.#begin(rows, seed);
    if (difference.knob === "temperature") second.set({ temperature: difference.value });
    return Promise.all([driven, beside]).then(() => undefined);
  }

  #begin(rows: Rows, seed: number): Promise<void> {
    const shown = rows.shown.map(({ text }) => text);
    const training = train({ train: rows.train, dev: rows.dev }, settingsOf(this.knobs, seed));
    const driven = this.drive(training, EPOCHS, async ({ epoch, kept, dev: { accuracy, skimRate, loss } }, training) => {
      const reads = (await training.read(shown)).map(({ label, tokens }) => ({
        label,
        words: tokens.map(({ start, end, decision }) => ({ start, end, skimmed: decision === "skim" })),
      }));
      return { epoch, kept, accuracy, skimRate, loss, reads, knobs: this.knobs };
    });
    this.rows = rows;
    return driven;
  }

  /** Turns a knob, from the next step on; the second learner's as well, but for the one in which it differs. */
  turn(turned: Partial<Knobs>): void {
    this.#turn(turned);
    if (!this.second || !this.difference) return;
    const { [this.difference.knob]: _, ...others } = turned;
    if (Object.keys(others).length > 0) this.second.#turn(others);
  }

  /** Says in what a second learner differs: of a run that goes on, how much. */
  differ(difference: Difference | null): void {
    const [{ second }, before] = [this, this.difference];
    this.difference = difference;
    if (!second) return;
    if (difference && difference.knob === before?.knob) second.#turn({ [difference.knob]: difference.value });
    else {
      second.forget();
      this.second = null;
    }
  }

  #turn(turned: Partial<Knobs>): void {
    this.knobs = { ...this.knobs, ...turned };
    this.set({ ...turned, temperature: turned.temperature ?? undefined });
  }

  override pause(): void {
    // A second learner that goes on alone ends here: the buttons are the first one's.
    const alone = this.stage === "ended" || this.stage === "failed";
    super.pause();
    if (alone) void this.second?.stop();
    else this.second?.pause();
  }

  override resume(): void {
    super.resume();
    this.second?.resume();
  }

  override async stop(): Promise<void> {
    await Promise.all([super.stop(), this.second?.stop()]);
  }

  override forget(): void {
    super.forget();
    this.rows = null;
    this.second?.forget();
    this.second = null;
  }
}

/** The page's one: what it has learned is there when the chapter is opened again. */
export const learner = new Learner();
