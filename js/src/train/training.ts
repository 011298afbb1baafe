/** A run that learns from texts, step by step. */

import type { Follow, Id } from "../engine.js";
import { aborted, errorOf, messageOf, type SaccadeError } from "../errors.js";
import { onAbort, stopper, unlessAborted } from "../follow.js";
import { bind } from "../owner.js";
import { fileIn } from "../source.js";
import { turn } from "../turn.js";
import type { AnyModel, InitOptions, LoadOptions, Source } from "../types.js";
import type { Adjusted, Begun, Done, SetName, Snapshot, TrainCalls, TrainDevice, Trainer, TrainingAbout, TrainingEnd, TrainingEvaluation, TrainingFigures, TrainingMove, TrainingReading, TrainingSample, TrainingStep, TrainingTags } from "./calls.js";
import { type SampleOptions, taken, type WriteOptions, writing } from "./checks.js";
import type { TrainSettings } from "./config.js";
import { bytesOf, isMany, labelled, running, SETS, type Sets, tableIn, tagged } from "./data.js";
import { asGiven, asJson } from "./settings.js";
import { find, forget, keep } from "./store.js";

/** What a run tells, in the figures of its task. */
export type TrainEvent<Figures extends TrainingFigures = TrainingFigures> =
  | ({
      readonly type: "begun";
      readonly device: "cpu" | "webgpu";
      /** Why it is not the one that was asked for. */
      readonly deviceReason: string | undefined;
      /** Whether an earlier run goes on. */
      readonly resumed: boolean;
      /**
       * Why the one does not that the browser had kept, if so: another version of the package made it, say. This run begins from the
       * start, and is kept in its place.
       */
      readonly refused: string | undefined;
    } & TrainingAbout)
  | ({ readonly type: "step" } & TrainingStep)
  | ({ readonly type: "evaluated" } & TrainingEvaluation<Figures>)
  /** Written as `sample` of the options says; right after the event of the step or of the evaluation that it follows. */
  | ({ readonly type: "sample" } & TrainingSample)
  /** The GPU is lost, full, or refused a command, and the run goes on on the CPU from a step a moment ago; unless `webgpu-only` was asked for. */
  | ({ readonly type: "moved"; readonly device: "cpu"; readonly deviceReason: string } & TrainingMove)
  /** A worker of the run failed, and the others learn from its parts too, to the same model. */
  | {
      readonly type: "left";
      /** How many learn from now on. */
      readonly workers: number;
      readonly reason: string;
    }
  | {
      readonly type: "checkpoint";
      /** Why the browser did not keep it, if so: no room, no permission, a GPU that is lost. The run goes on. */
      readonly failed: string | undefined;
    }
  | ({ readonly type: "ended" } & Omit<TrainingEnd<Figures>, "model">);

/** What a run may be told beside its settings. */
export interface TrainOptions {
  /** `cpu` unless given; `webgpu` is the CPU where there is no WebGPU, and `webgpu-only` fails there. */
  readonly device?: TrainDevice | undefined;
  /** Ends the run and frees what it holds. */
  readonly signal?: AbortSignal | undefined;
  /** A model, or word vectors, to start from. */
  readonly from?: Source | undefined;
  /** What a language model writes as it learns: a `sample` event each time. What it learns is the same with and without. */
  readonly sample?: SampleOptions | undefined;
  /** What another run with the same settings and texts gave, to go on from. */
  readonly resume?: Snapshot | undefined;
  /**
   * A name under which the browser keeps the run (in IndexedDB), so that after a reload or a crash the same call goes on from there.
   * What is kept of a run with other settings or texts, or from another start, is replaced; at the end of a run it is forgotten.
   */
  readonly checkpoint?: string | undefined;
  /** How often it is kept; 10 unless given, 0 for as often as possible. */
  readonly checkpointSeconds?: number | undefined;
  /**
   * How many threads learn from every batch, a part of it each: 1 unless given; more on the CPU alone. Each holds the texts and the
   * weights. The model depends on how many there are by rounding and by what is drawn at random, and on nothing else.
   */
  readonly workers?: number | undefined;
  /** Whether it runs in a worker; true unless given. */
  readonly worker?: boolean | undefined;
  /** Where the engine's WebAssembly is; the file `saccade-rnn/wasm-train` beside the code unless given. The first run decides. */
  readonly wasmUrl?: InitOptions["wasm"];
}

const CHECKPOINT_SECONDS = 10;
/** Of the time that the engine takes before it lets others have their turn. */
const MILLISECONDS = 12;
/** No engine gives this id. */
const NOTHING: Id = 0;
/** The share of texts that is held out, and the most. */
const HELD_OUT = { share: 0.1, most: 1000 };

/** What a run is made of. */
export interface Plan {
  readonly trainer: Trainer;
  readonly sets: Sets<unknown>;
  readonly settings: TrainSettings;
  readonly options: TrainOptions;
}

/**
 * A run. It learns while somebody asks for its events: a loop that ends early leaves it where it is, and another goes on. It holds
 * its weights and texts until it is disposed, or its signal is aborted. The task that {@link train} is told narrows both types.
 */
export class Training<Figures extends TrainingFigures = TrainingFigures, Model extends AnyModel = AnyModel> implements AsyncIterable<TrainEvent<Figures>> {
  readonly #plan: Plan;
  /** The settings as the engine takes them. */
  readonly #json: string;
  readonly #stop = stopper();
  readonly #events: AsyncGenerator<TrainEvent<Figures>, void>;
  #begun: Promise<Begun> | undefined;
  #adjusted: Adjusted = {};
  #paused: Promise<void> | undefined;
  #goOn: (() => void) | undefined;
  #end: Omit<TrainingEnd<Figures>, "model"> | undefined;
  #file: Uint8Array<ArrayBuffer> | undefined;
  #failure: unknown;
  #resumed = false;
  #refused: string | undefined;
  /** By which the browser knows the run: settings and texts. */
  #identity = "";
  #keptAt = performance.now();
  /** Lets go of the caller's signal. */
  #letGo: (() => void) | undefined;

  /** @internal */
  constructor(plan: Plan) {
    const { trainer, settings, sets } = plan;
    this.#json = asJson(settings, { dev: sets.dev != null, test: sets.test != null });
    const told = asGiven(this.#json, SETS.filter((set) => isMany(sets[set])));
    this.#plan = { ...plan, trainer: { call: (...asked) => trainer.call(...asked).catch(told) } };
    this.#events = this.#run();
    bind(this);
    const { signal } = plan.options;
    this.#letGo = onAbort(signal, () => this.#free(aborted(signal)));
  }

  /** What it tells, from where the last loop stopped; of a run that failed, why, again and again. */
  [Symbol.asyncIterator](): AsyncIterator<TrainEvent<Figures>, void> {
    const next = async () => {
      const event = await this.#events.next();
      if (event.done && !this.#end) throw this.#failure;
      return event;
    };
    return { next, return: async () => ({ done: true, value: undefined }) };
  }

  /** Goes on to the end; its figures. Whoever loops over the events has no need of it, and would miss those that it asks for. */
  async finish(): Promise<Omit<TrainingEnd<Figures>, "model">> {
    while (!(await this.#events.next()).done);
    if (!this.#end) throw this.#failure;
    return this.#end;
  }

  /** Has no step begin until {@link resume}. */
  pause(): void {
    // Nobody would hear that it is over.
    if (this.#stop.signal.aborted) return;
    this.#paused ??= new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  resume(): void {
    this.#goOn?.();
    this.#paused = undefined;
  }

  /**
   * Changes how it learns from the next step on. The engine stands where an `evaluated` event says when that is heard; at a `step` event
   * it may be a few milliseconds of steps further, and so may what is read or kept there.
   */
  set(adjusted: Adjusted): Promise<void>;
  async set(...given: unknown[]): Promise<void> {
    const [adjusted] = taken.set(given);
    await this.#ask("adjust", [adjusted]);
    this.#adjusted = { ...this.#adjusted, ...adjusted };
  }

  /** Reads texts with the model as it is now, of a classifier: labels, and what is skimmed. */
  read(texts: Iterable<string> & object): Promise<readonly TrainingReading[]>;
  async read(...given: unknown[]): Promise<readonly TrainingReading[]> {
    const [texts] = taken.read(given);
    this.#insist("read", "classify");
    return this.#ask("read", [texts]);
  }

  /** Tags texts with the model as it is now, of a tagger. */
  tag(texts: Iterable<string> & object): Promise<readonly TrainingTags[]>;
  async tag(...given: unknown[]): Promise<readonly TrainingTags[]> {
    const [texts] = taken.tag(given);
    this.#insist("tag", "tag");
    return this.#ask("tag", [texts]);
  }

  /** Goes on with a text as the model as it is now would, of a language model. */
  write(text: string, options?: WriteOptions): Promise<string>;
  async write(...given: unknown[]): Promise<string> {
    const [text, options] = taken.write(given);
    this.#insist("write", "predict");
    return this.#ask("write", [...writing(text, options)]);
  }

  #insist(call: string, task: TrainSettings["task"]): void {
    const { task: found } = this.#plan.settings;
    if (found !== task) throw errorOf("OPTION_INVALID", `run.${call}: expected a run whose task is "${task}", found "${found}"`);
  }

  /** The file of the best model so far, which `load` and the command line read; before the first evaluation, of the model as it is. */
  async file(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#file?.slice() ?? this.#ask("file", [false]);
  }

  /** The best model so far, to be read with. */
  async model(options?: LoadOptions): Promise<Model> {
    const { load } = await import("../index.js");
    return load(await this.file(), options) as Promise<Model>;
  }

  /** What another run goes on from, to the same bytes. */
  async snapshot(): Promise<Snapshot> {
    return { ...(await this.#ask("snapshot", [])), adjusted: this.#adjusted };
  }

  /** Frees what it holds. */
  dispose(): void {
    this.#free(errorOf("DISPOSED", "this run was disposed"));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async *#run(): AsyncGenerator<TrainEvent<Figures>, void> {
    try {
      yield* this.#told();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async *#told(): AsyncGenerator<TrainEvent<Figures>, void> {
    const { about, device, deviceReason } = await this.#start();
    yield { type: "begun", device, deviceReason, resumed: this.#resumed, refused: this.#refused, ...about };
    const { checkpoint, checkpointSeconds = CHECKPOINT_SECONDS, sample } = this.#plan.options;
    const samples = sample && { every: sample.every, writing: writing(sample.prompt ?? "", sample) };
    for (;;) {
      while (this.#paused) await this.#paused;
      for (const event of (await this.#ask("advance", [MILLISECONDS, samples])) as readonly Done<Figures>[]) {
        // Whoever heard of the event before this one may have had enough.
        this.#stop.signal.throwIfAborted();
        if (event.type !== "ended") {
          yield event;
          continue;
        }
        const { type, model, ...end } = event;
        [this.#file, this.#end] = [model, end];
        const failed = checkpoint === undefined ? undefined : await forget(checkpoint).then(() => undefined, reason);
        if (failed !== undefined) yield { type: "checkpoint", failed };
        yield { type, ...end };
        return;
      }
      if (checkpoint === undefined || performance.now() - this.#keptAt < checkpointSeconds * 1000) continue;
      const kept = this.snapshot().then((snapshot) => keep(checkpoint, { identity: this.#identity, snapshot }));
      const failed = await kept.then(() => undefined, reason);
      this.#stop.signal.throwIfAborted();
      this.#keptAt = performance.now();
      yield { type: "checkpoint", failed };
    }
  }

  #start(): Promise<Begun> {
    return (this.#begun ??= this.#begin());
  }

  /** Hands the texts over and begins. */
  async #begin(): Promise<Begun> {
    const { trainer, sets, settings, options } = this.#plan;
    const follow: Follow = { signal: this.#stop.signal };
    follow.signal?.throwIfAborted();
    let made = Promise.resolve(NOTHING);
    try {
      await trainer.call("start", [options.wasmUrl === undefined ? {} : { wasm: options.wasmUrl }], follow);
      const file = options.from === undefined ? undefined : await fileIn(options.from, { by: "train: from", addresses: true }, follow);
      const from = file?.bytes;
      const texts = await trainer.call("texts", [this.#json], follow);
      made = Promise.resolve(texts);
      const counts = { train: 0, dev: 0, test: 0 };
      let mark = FIRST_MARK;
      for (const set of SETS) {
        if (set !== "train" && sets[set] == null) continue;
        for await (const { count, strings } of hand(trainer, texts, set, settings.task, sets[set], follow)) {
          counts[set] += count;
          mark = strings.reduce(marked, mark);
          // In this thread a call lets nobody else have their turn.
          await turn();
        }
        // Training texts would be held out, or no figures told, in silence.
        if (set !== "train" && settings.task !== "predict" && counts[set] === 0) {
          throw errorOf("TRAINING_DATA", `train: data.${set}: expected at least one text, found none`);
        }
      }
      const start = from === undefined ? [] : [from.reduce(mixed, FIRST_MARK)];
      this.#identity = JSON.stringify([this.#json, counts, mark, ...start]);
      const held = heldOut(settings, counts);
      insistOnMore(counts, settings, held);
      // Not to be stopped: nobody would know the run's id.
      const beginning = trainer.call("begin", [texts, from, held, options.device ?? "cpu"]);
      made = beginning.then(({ id }) => id, () => texts);
      const begun = await unlessAborted(follow.signal, beginning);
      if (from) await file?.keep?.(from);
      if (options.resume) await this.#restore(begun.id, options.resume);
      else this.#refused = await this.#restoreFound(begun.id);
      return begun;
    } catch (error) {
      // Also of nothing: who else is to learn is let go.
      made.then((id) => trainer.call("release", [id])).catch(() => undefined);
      throw error;
    }
  }

  async #restore(id: Id, snapshot: Snapshot): Promise<void> {
    await this.#plan.trainer.call("restore", [id, snapshot], { signal: this.#stop.signal });
    [this.#adjusted, this.#resumed] = [snapshot.adjusted, true];
  }

  /** Goes on from what the browser has kept of this run; resolves to why it cannot, if so: a run that failed would fail at every visit. */
  async #restoreFound(id: Id): Promise<string | undefined> {
    const found = await this.#found();
    if (!found) return undefined;
    try {
      await this.#restore(id, found);
      return undefined;
    } catch (error) {
      if (!/^(MODEL|TRAINING)_/.test(String((error as Partial<SaccadeError>).code))) throw error;
      return messageOf(error);
    }
  }

  /** What the browser has kept of this run. */
  async #found(): Promise<Snapshot | undefined> {
    const { checkpoint } = this.#plan.options;
    // A browser that keeps nothing says so when it is to.
    const kept = checkpoint === undefined ? undefined : await find(checkpoint).catch(() => undefined);
    return kept?.identity === this.#identity ? kept.snapshot : undefined;
  }

  async #ask<Name extends keyof TrainCalls>(name: Name, args: Rest<Parameters<TrainCalls[Name]>>): Promise<ReturnType<TrainCalls[Name]>> {
    const { id } = await this.#start();
    const all = [id, ...(args as unknown[])] as Parameters<TrainCalls[Name]>;
    return this.#plan.trainer.call(name, all, { signal: this.#stop.signal });
  }

  #free(reason: SaccadeError): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(reason);
    this.#letGo?.();
    this.resume();
    this.#begun?.then(({ id }) => this.#plan.trainer.call("release", [id])).catch(() => undefined);
  }
}

type Rest<All extends unknown[]> = All extends [Id, ...infer Others] ? Others : never;

/** How many texts were handed over, and all that they consist of. */
interface Handed {
  readonly count: number;
  readonly strings: readonly string[];
}

/** Hands the texts of a set over, and tells of each portion. */
async function* hand(trainer: Trainer, id: Id, set: SetName, task: TrainSettings["task"], texts: unknown, follow: Follow): AsyncGenerator<Handed> {
  if (task === "predict") {
    // In whatever portions it comes, it is one text.
    let mark = FIRST_MARK;
    for await (const part of running(set, texts, follow)) {
      await trainer.call("running", [id, set, part], follow);
      mark = unended(mark, part);
      yield { count: 0, strings: [] };
    }
    yield { count: 1, strings: [String(mark)] };
    return;
  }
  if (task === "tag") {
    for await (const { texts: some, tags, counts, lines, cut } of tagged(set, texts, follow)) {
      await trainer.call("tagged", [id, set, some, tags, counts, lines, cut], follow);
      yield { count: counts.length, strings: [...some, ...tags] };
    }
    return;
  }
  const table = tableIn(set, texts);
  if (table) {
    await trainer.call("beginTable", [id, table.format === "tsv", table.text, table.label], follow);
    for await (const { bytes, last } of bytesOf(set, table, follow)) {
      const strings = [String(bytes.reduce(mixed, FIRST_MARK))];
      yield { count: await trainer.call("table", [id, set, bytes, last], follow), strings };
    }
    return;
  }
  for await (const { labels, texts: some, lines } of labelled(set, texts, follow)) {
    await trainer.call("labelled", [id, set, labels, some, lines], follow);
    yield { count: some.length, strings: [...labels, ...some] };
  }
}

/** The mark of no text, and of one after others (FNV-1a over UTF-16 units): other texts hardly ever have the same. */
const FIRST_MARK = 0x811c9dc5;
function marked(before: number, text: string): number {
  return mixed(unended(before, text), text.length);
}
/** That of a text of which more may follow. */
function unended(before: number, text: string): number {
  let mark = before;
  for (let at = 0; at < text.length; at++) mark = mixed(mark, text.charCodeAt(at));
  return mark;
}
const mixed = (mark: number, unit: number) => Math.imul(mark ^ unit, 0x01000193);

/** Why the browser keeps nothing: of a lack of room Chromium gives the name alone. */
function reason(error: unknown): string {
  return messageOf(error) || (error as Partial<Error>).name || "no reason given";
}

/** How many texts there are to learn from, and to choose by. */
interface Counts {
  readonly train: number;
  readonly dev: number;
}

/** Throws where all texts to learn from are held out. */
function insistOnMore({ train, dev }: Counts, { task, data }: TrainSettings, held: number | undefined): void {
  if (task === "predict" || dev > 0 || train === 0) return;
  const out = held ?? data?.holdOut ?? 0;
  if (out < train) return;
  const advice = "give more, or others to choose by as data.dev";
  throw errorOf("TRAINING_DATA", `train: data.train: there is no training text beside the ${out} held out to choose by, found ${train} in all: ${advice}`);
}

/** How many texts are held out if nobody has said so. */
function heldOut(settings: TrainSettings, { train, dev }: Counts): number | undefined {
  if (settings.task === "predict" || dev > 0 || settings.data?.holdOut !== undefined) return undefined;
  return Math.min(Math.max(Math.round(train * HELD_OUT.share), 1), HELD_OUT.most);
}
