import { load, prepare, type LiveReader, type Model, type Progress as Read, type Reading, type ReadOptions } from "../engine.ts";
import { download, type Progress } from "./download.ts";
import { addressOf, type Source } from "./models.ts";
import { failures } from "./strings.ts";
import { twin } from "./twin.ts";

/** What went wrong, for the reader of the page. */
export interface Failure {
  message: string;
  code: string | null;
}

export type Stage =
  | { kind: "loading"; progress: Progress | null }
  | { kind: "ready"; model: Model }
  | { kind: "failed"; failure: Failure };

/** A reading beside the text it belongs to, so that spans always index the right string. */
export interface Seen {
  text: string;
  reading: Reading;
  /** How many of its tokens were computed for it, where the others stood from before. */
  computed?: number;
}

interface Request {
  text: string;
  options: ReadOptions;
}

/** A longer text, in characters, is read anew for each change. */
const MOST_LIVE = 20_000;
/** A reading that takes longer than this says how far it is, in milliseconds. */
export const SILENCE_MS = 250;

/**
 * A model and its latest reading: loads one model at a time, reads the latest text and drops the ones between. A long
 * reading makes way for a later request.
 */
export class Reader {
  stage: Stage = $state.raw({ kind: "loading", progress: null });
  seen: Seen | null = $state.raw(null);
  /** Why the latest text has no reading. */
  failure: Failure | null = $state.raw(null);
  /** Whether a text is being read. */
  busy = $state(false);
  /** How far a long reading is. */
  progress: Read | null = $state.raw(null);
  /**
   * How far a reading was when it was stopped by {@link stop}, until something is known of the one after it: whoever resumes it
   * keeps the button.
   */
  stopped: Read | null = $state.raw(null);

  readonly #loaded = new Map<string | File, Model>();
  readonly #full = new Map<string | File, Promise<Model | null>>();
  #typed: { readonly model: Model; readonly key: string; readonly reader: LiveReader } | null = null;
  #download: AbortController | null = null;
  #wanted: Request | null = null;
  #reading: AbortController | null = null;

  /**
   * Makes a model the one that reads, to be asked again once it is ready; the last reading stays until then. A model once
   * loaded is kept. `fresh` fetches past the browser's cache.
   */
  async choose(source: Source, fresh = false): Promise<void> {
    this.#download?.abort();
    const loading = (this.#download = new AbortController());
    const { signal } = loading;
    this.failure = null;
    this.stage = { kind: "loading", progress: null };
    try {
      const model = this.#loaded.get(keyOf(source)) ?? (await this.#load(source, signal, fresh));
      if (signal.aborted) return;
      this.stage = { kind: "ready", model };
    } catch (error) {
      if (signal.aborted) return;
      // A download that goes on after the engine has failed must not report progress over the failure.
      loading.abort();
      this.seen = null;
      this.stage = { kind: "failed", failure: failureOf(error) };
    }
  }

  /** Asks the ready model for a reading; it shows in {@link seen} unless a later request overtakes it. */
  request(text: string, options: ReadOptions): void {
    this.#wanted = { text, options };
    // A short one is done soon, and aborting it for every key would leave a person who types without any.
    if (this.progress) this.#reading?.abort();
    void this.#drain();
  }

  /** Gives up the long reading that is under way. */
  stop(): void {
    this.stopped = this.progress;
    this.#reading?.abort();
  }

  /** A reading outside the page's own; rejects while no model is ready. */
  async read(text: string, options?: ReadOptions): Promise<Reading> {
    if (this.stage.kind !== "ready") throw new Error(failures.notReady);
    return this.stage.model.read(text, options);
  }

  /**
   * The full network of a model's sizes, made from its file; null for a model that does not skim. The file is fetched
   * again, from the browser's cache, rather than kept twice.
   */
  full(source: Source): Promise<Model | null> {
    const key = keyOf(source);
    const made = this.#full.get(key) ?? this.#makeFull(source);
    this.#full.set(key, made);
    return made;
  }

  async #makeFull(source: Source): Promise<Model | null> {
    try {
      const file = twin(await bytesOf(source, { signal: new AbortController().signal, fresh: false, onProgress: () => {} }));
      return file && (await load(file));
    } catch (error) {
      // To be tried again with the next measurement.
      this.#full.delete(keyOf(source));
      throw error;
    }
  }

  async #load(source: Source, signal: AbortSignal, fresh: boolean): Promise<Model> {
    const onProgress = (progress: Progress) => {
      if (!signal.aborted) this.stage = { kind: "loading", progress };
    };
    const [bytes] = await Promise.all([bytesOf(source, { signal, fresh, onProgress }), prepare()]);
    const model = await load(bytes);
    this.#loaded.set(keyOf(source), model);
    return model;
  }

  /**
   * What reads a text that is being typed, from the first token that changed; null where the whole text is to be read: to
   * measure it, on the GPU, or because the states of every token of it are too much to keep.
   */
  #live(model: Model, text: string, { device, threshold, force, measureMs }: ReadOptions): LiveReader | null {
    const elsewhere = device === "webgpu" || (device === "auto" && this.seen?.reading.timing.device === "webgpu");
    if (measureMs !== undefined || elsewhere || text.length > MOST_LIVE) return null;
    const key = JSON.stringify([threshold, force]);
    if (this.#typed?.model !== model || this.#typed.key !== key) {
      this.#typed?.reader.dispose();
      const options = { ...(threshold !== undefined && { threshold }), ...(force !== undefined && { force }) };
      this.#typed = { model, key, reader: model.reader(options) };
    }
    return this.#typed.reader;
  }

  async #drain(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.#wanted) {
      const { stage } = this;
      const request = this.#wanted;
      this.#wanted = null;
      if (stage.kind === "ready") await this.#read(stage.model, request);
    }
    this.busy = false;
  }

  async #read(model: Model, { text, options }: Request): Promise<void> {
    const current = () => this.stage.kind === "ready" && this.stage.model === model;
    const { signal } = (this.#reading = new AbortController());
    const begun = performance.now();
    // Nobody waits for what is read once more for its time.
    const timed = options.measureMs !== undefined;
    const onProgress = (progress: Read) => {
      const long = progress.done < (progress.total ?? 0) && performance.now() - begun > SILENCE_MS;
      if (!long || signal.aborted) return;
      // A text that came before this one was known to be long.
      if (this.#wanted) this.#reading?.abort();
      else if (!timed) [this.progress, this.stopped] = [progress, null];
    };
    try {
      if (text.length > MOST_LIVE && !timed) {
        [this.progress, this.stopped] = [{ done: 0, total: null }, null];
        await laidOut();
      }
      const follow = { signal, onProgress };
      const live = this.#live(model, text, options);
      const reading = await (live ? live.update(text, follow) : model.read(text, { ...options, ...follow }));
      if (!current()) return;
      this.seen = { text, reading, ...(live && { computed: live.computed }) };
      this.failure = null;
      this.stopped = null;
    } catch (error) {
      if (!current() || signal.aborted) return;
      this.seen = this.stopped = null;
      const failure = failureOf(error);
      if (failure.code === "ENGINE_FAILED") {
        // The engine took its models with it.
        this.#loaded.clear();
        this.#full.clear();
        this.#typed = null;
        this.stage = { kind: "failed", failure };
      } else {
        this.failure = failure;
      }
    } finally {
      this.progress = null;
    }
  }
}

/** The window laid out, which of a field of megabytes takes seconds; else all of them would go by before the first progress is seen. */
function laidOut(): Promise<void> {
  return new Promise((resolve) => {
    // Out of sight there are no frames.
    setTimeout(resolve, document.hidden ? 0 : 10_000);
    requestAnimationFrame(() => setTimeout(resolve));
  });
}

/** The bytes of a model file, from this site or from the visitor's disk. */
export async function bytesOf(source: Source, options: Parameters<typeof download>[1]): Promise<Uint8Array<ArrayBuffer>> {
  if (source.kind === "shipped") return download(addressOf(source.id), options);
  return new Uint8Array(await source.file.arrayBuffer());
}

const keyOf = (source: Source): string | File => (source.kind === "own" ? source.file : source.id);

/** A worker that ended between two calls took its models with it; the next one knows none of them. */
const LOST = { message: failures.lost, code: "ENGINE_FAILED" };

/** What a thrown error is to the reader of the page. */
export function failureOf(error: unknown): Failure {
  const code = error instanceof Error && "code" in error ? String(error.code) : null;
  if (code === "DISPOSED") return LOST;
  return { message: error instanceof Error ? error.message : String(error), code };
}
