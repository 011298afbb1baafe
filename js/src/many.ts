/** Models that are asked about many texts: they answer themselves, or workers that hold them as well do. */

import { refuse } from "./arguments/check.js";
import { model } from "./arguments/model.js";
import type { Answerer, Engine, Follow, Id } from "./engine.js";
import { following, onAbort } from "./follow.js";
import { Owner, type Release } from "./owner.js";
import { processors } from "./platform.js";
import { type Origin, WorkerPool } from "./pool.js";
import { dealt, portionsOf, TEXTS } from "./portions.js";
import type { CallOptions, DevicePreference, ManyOptions } from "./types.js";

/** How many workers `auto` has at most: each holds the model. */
const MOST_WORKERS = 8;
/** Portions that a worker has before it, so that it never waits for the next. */
const AHEAD = 2;
/** Into so many portions for each worker a list is cut at least, so that all end about the same time. */
const EACH = 4;

/** Has `by`, the model or one of the workers, answer about some texts, of which the first has this number. */
export type AskOf<Answer> = (by: Answerer, texts: readonly string[], follow: Follow, first: number) => Promise<readonly Answer[]>;

/** A call about many texts. */
type Given<Answer> = [
  /** The function and the name of its texts, for messages. */
  at: string,
  texts: readonly string[] | Iterable<string> | AsyncIterable<string>,
  options: CallOptions & ManyOptions & { readonly device?: DevicePreference | undefined },
  ask: AskOf<Answer>,
];

export abstract class Many extends Owner {
  readonly #pool: WorkerPool;
  readonly #file: Blob;

  constructor(engine: Engine, id: Id, { file, openTwin }: Origin, by: Release) {
    const pool = new WorkerPool(openTwin);
    super(engine, id, "model", { by, pool });
    [this.#pool, this.#file] = [pool, file];
  }

  async save(...given: unknown[]): Promise<Uint8Array<ArrayBuffer>> {
    model.save(given);
    this.disposed.throwIfAborted();
    return this.follow({}, async () => new Uint8Array(await this.#file.arrayBuffer()));
  }

  /** The answers in the order of the texts, some at a time. */
  async *#some<Answer>(...[at, texts, { workers, device, ...options }, ask]: Given<Answer>): AsyncGenerator<readonly Answer[], void> {
    const count = workersOf(at, workers, device);
    const total = Array.isArray(texts) ? texts.length : null;
    const portions = portionsOf(texts, at, total === null || count === 0 ? TEXTS : share(total, count));
    const { signal, onProgress, told, end } = following(this.disposed, options);
    const crew = count > 0 ? this.#pool.hire(count) : undefined;
    // Whoever is at an answer may never ask for another.
    const release = onAbort(signal, () => crew?.leave(false));
    const asks = (crew?.all ?? [this]).map((by) => (some: readonly string[], first: number, follow: Follow) => ask(by, some, follow, first));
    let done = 0;
    let toldAll = false;
    let cameToEnd = false;
    const tell = async (total: number | null) => {
      onProgress?.({ done, total });
      await told();
      signal.throwIfAborted();
    };
    try {
      for await (const [answers, last] of dealt(portions, asks, crew ? AHEAD * count : 1, signal)) {
        done += answers.length;
        toldAll = last || done === total;
        await tell(toldAll ? done : total);
        yield answers;
      }
      if (!toldAll) await tell(done);
      cameToEnd = true;
    } finally {
      release();
      end();
      crew?.leave(cameToEnd);
    }
  }

  /** The answers one by one. */
  protected async *each<Answer>(...given: Given<Answer>): AsyncIterableIterator<Answer> {
    const [, , { signal }] = given;
    for await (const answers of this.#some(...given)) {
      for (const answer of answers) {
        // Whoever is asked for the next ones rejects with the reason.
        if (signal?.aborted || this.disposed.aborted) break;
        yield answer;
      }
    }
  }

  /** All answers together. */
  protected async all<Answer>(...given: Given<Answer>): Promise<Answer[]> {
    const all: Answer[] = [];
    for await (const answers of this.#some(...given)) for (const answer of answers) all.push(answer);
    return all;
  }
}

/** Texts of a portion when so many are dealt to so many workers: each has as many portions as the others, all of one size. */
function share(total: number, workers: number): number {
  const each = Math.max(EACH, Math.ceil(total / workers / TEXTS));
  return Math.max(1, Math.ceil(total / workers / each));
}

/** How many workers a call has. */
function workersOf(at: string, workers: ManyOptions["workers"], device: DevicePreference | undefined): number {
  const count = workers === "auto" ? Math.min(MOST_WORKERS, processors()) : (workers ?? 0);
  if (count > 0 && (device === "webgpu" || device === "webgpu-only")) {
    refuse(`${at.split(":")[0]}: options.device`, 'with workers "cpu" or "auto", since workers compute on the CPU', device);
  }
  // Where there is one processor, a worker would take its time from this thread.
  return workers === "auto" && count === 1 ? 0 : count;
}
