import { train, type Training, type TagSettings } from "../engine.ts";
import { Run, type Kept } from "../shared/run.svelte.ts";
import { fetchWords, wordsOf, type Tagged } from "./data.ts";
import { distance, soundsOf, type Phoneme } from "./phonemes.ts";

/** A letter of a name, the sounds that the network gives it, and how sure it is of that. */
export interface Said {
  readonly letter: string;
  readonly sounds: readonly Phoneme[];
  readonly probability: number;
}

/** What was known at an evaluation, of words that were never learned from. */
export interface Moment extends Kept {
  /** Of their sounds the share that is right: what need not be put in, left out or replaced. */
  readonly sounds: number;
  /** Of the words the share that is right throughout. */
  readonly words: number;
  /** Every name asked for by then, word by word. */
  readonly said: Readonly<Record<string, readonly (readonly Said[])[]>>;
}

/** Passes through the words, and how often it is looked at in each. */
export const EPOCHS = 10;
const EVALUATIONS = 3;

/** What the run is made of: both directions, since a letter is said by those on both of its sides. */
export function settingsOf(seed: number): TagSettings {
  return {
    task: "tag",
    seed,
    data: { tokenizer: { kind: "characters", lowercase: true } },
    model: { embeddingSize: 32, encoder: [{ type: "gru", hiddenSize: 96, bidirectional: true }] },
    train: { batch: 32, epochs: EPOCHS, evaluations: EVALUATIONS, learningRate: 5e-3, schedule: "linear" },
  };
}

/** How many of the sounds, and of the words, are right. */
export function score(words: readonly Tagged[], tags: readonly (readonly string[])[]): { readonly sounds: number; readonly words: number } {
  let [sounds, wrong, right] = [0, 0, 0];
  for (const [at, word] of words.entries()) {
    const [expected, found] = [word.tags.flatMap(soundsOf), (tags[at] ?? []).flatMap(soundsOf)];
    const off = distance(found, expected);
    sounds += expected.length;
    wrong += off;
    if (off === 0) right += 1;
  }
  return { sounds: 1 - wrong / Math.max(1, sounds), words: right / Math.max(1, words.length) };
}

/** A network that learns to say words, and how it said names on its way. */
export class Namer extends Run<Moment> {
  name = $state("Siobhan");
  /** Names that were asked for in this run. */
  #asked = new Set<string>();
  /** Names as they were said when they were asked for, between two moments: by then the network had learned on from the earlier. */
  #since: Moment["said"] = $state.raw({});
  /** The run, which is asked for names also when it has ended. */
  #last: Training | null = null;
  protected override readonly lasting = true;

  /** How the name is said at the moment that is looked at, or by now; null where it was not asked for by then. */
  readonly said: readonly (readonly Said[])[] | null = $derived.by(() => {
    if (!this.shown) return null;
    const said = this.at === null ? { ...this.#since, ...this.shown.said } : this.shown.said;
    // A name may be one that every object has.
    return Object.hasOwn(said, this.name) ? (said[this.name] ?? null) : null;
  });

  /** Begins anew; what was learned before is gone. Rejects where the words do not come. */
  async start(): Promise<void> {
    const { seed } = this;
    const words = await this.awaited(fetchWords());
    if (!words) return;
    const { dev } = words;
    const training = train({ train: words.train, dev }, settingsOf(seed));
    this.#asked = new Set([this.name]);
    const driven = this.drive(training, EPOCHS, async ({ epoch, kept }, training) => {
      const names = [...this.#asked];
      const parts = names.map(wordsOf);
      const tags = await training.tag([...dev.map(({ text }) => text), ...parts.flat()]);
      const found = tags.slice(0, dev.length).map((letters) => letters.map(({ tag }) => tag));
      return { epoch, kept, ...score(dev, found), said: together(names, parts, tags.slice(dev.length)) };
    });
    this.#last = training;
    return driven;
  }

  /** Has a name said, by now and from the next moment on. */
  async say(name: string): Promise<void> {
    this.name = name;
    if (!this.#last || this.#asked.has(name)) return;
    this.#asked.add(name);
    const training = this.#last;
    const parts = wordsOf(name);
    const tags = parts.length > 0 ? await training.tag(parts).catch(() => null) : [];
    if (tags && this.#last === training) this.#since = { ...this.#since, ...together([name], [parts], tags) };
  }

  override forget(): void {
    super.forget();
    [this.#last, this.#since] = [null, {}];
  }
}

type Tags = Awaited<ReturnType<Training["tag"]>>;

/** The letters of each name, whose words were tagged one after the other. */
function together(names: readonly string[], parts: readonly (readonly string[])[], tags: Tags): Moment["said"] {
  const left = tags.map((letters) => letters.map(({ text, tag, probability }) => ({ letter: text, sounds: soundsOf(tag), probability })));
  return Object.fromEntries(names.map((name, at) => [name, left.splice(0, parts[at]?.length ?? 0)]));
}

/** The page's one: what it has learned is there when the chapter is opened again. */
export const namer = new Namer();
