import { train, type PredictSettings } from "../engine.ts";
import { Run, type Kept } from "../shared/run.svelte.ts";
import { encoders, type Cell } from "./cells.ts";
import type { Source } from "./link.ts";

/** What was known at an evaluation. */
export interface Moment extends Kept {
  /** Mean surprisal of a letter of the text's end, which it does not learn from. */
  readonly bits: number;
  /** What it wrote then. */
  readonly sample: string;
}

/** Lanes of the text that are read side by side, letters of each in a step, beyond which no gradient goes. */
const [BATCH, STEPS] = [16, 48];
/** The steps of a run and between two looks, about. */
const [RUN, LOOK] = [1400, 35];
const MOST_EPOCHS = 60;
const DEV_SHARE = 0.1;
/** A sample is so many letters after the beginning of a line. */
const [BEGIN, SAMPLE] = ["\n", 220];
export const TEMPERATURE = 0.7;

/** How often a text of so many letters is gone through, and looked at in each pass. */
export function plan(letters: number): { readonly epochs: number; readonly evaluations: number } {
  const steps = Math.max(1, (letters * (1 - DEV_SHARE)) / (BATCH * STEPS));
  return { epochs: Math.min(MOST_EPOCHS, Math.max(1, Math.round(RUN / steps))), evaluations: Math.max(1, Math.round(steps / LOOK)) };
}

export function settingsOf(cell: Cell, letters: number, seed: number): PredictSettings {
  return {
    task: "predict",
    seed,
    data: { tokenizer: { kind: "characters", lowercase: false }, steps: STEPS, devShare: DEV_SHARE },
    model: { embeddingSize: 24, encoder: encoders[cell] },
    train: { ...plan(letters), batch: BATCH, learningRate: cell === "elman" ? 2e-3 : 5e-3, schedule: "linear", clip: 1 },
  };
}

/** A network that learns a text letter by letter, and what it wrote on its way. */
export class Writer extends Run<Moment> {
  cell = $state<Cell>("lstm");
  /** That of the run. */
  learned = $state<Cell>("lstm");
  /** What the next run is to learn. */
  source = $state<Source>("shakespeare");
  /** The visitor's own text. */
  own = $state("");
  /** Of its samples, from the next one on. */
  temperature = $state(TEMPERATURE);
  /** What it learns; null before the first run. */
  text = $state.raw<string | null>(null);
  epochs = $state(0);
  /** How many different letters the text has. */
  readonly letters: number = $derived(new Set(this.text ?? "").size);

  /** Begins anew; what was learned before is gone. Rejects where the text does not come. */
  async start(given: string | Promise<string>): Promise<void> {
    const { cell, seed } = this;
    const text = typeof given === "string" ? given : await this.awaited(given);
    if (text === null) return;
    const training = train(text, settingsOf(cell, text.length, seed));
    const { epochs } = plan(text.length);
    const driven = this.drive(training, epochs, async ({ epoch, kept, dev: { loss } }, training) => {
      const sample = await training.write(BEGIN, { words: SAMPLE, temperature: this.temperature, seed: this.moments.length + 1 });
      return { epoch, kept, bits: loss / Math.LN2, sample: sample.trim() };
    });
    [this.text, this.epochs, this.learned] = [text, epochs, cell];
    return driven;
  }

  override forget(): void {
    super.forget();
    this.text = null;
  }
}

/** The page's one: what it has learned is there when the chapter is opened again. */
export const writer = new Writer();
