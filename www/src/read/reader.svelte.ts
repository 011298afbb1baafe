import { load, prepare, type ReadHooks, type RemoteModel } from "../../../js/remote.ts";
import type { ReadOptions, Reading } from "../../../js/types.ts";
import { download, type Progress } from "./download.ts";
import { addressOf, type ModelId } from "./models.ts";

/** What went wrong, for the reader of the page. */
export interface Failure {
  message: string;
  code: string | null;
}

export type Stage =
  | { kind: "loading"; progress: Progress | null }
  | { kind: "ready"; model: RemoteModel }
  | { kind: "failed"; failure: Failure };

/** A reading beside the text it belongs to, so that spans always index the right string. */
export interface Seen {
  text: string;
  reading: Reading;
}

interface Request {
  text: string;
  options: ReadOptions;
}

/** A model and its latest reading: loads one model at a time, reads the latest text and drops the ones between. */
export class Reader {
  stage: Stage = $state.raw({ kind: "loading", progress: null });
  seen: Seen | null = $state.raw(null);
  /** Why the latest text has no reading. */
  failure: Failure | null = $state.raw(null);

  readonly #loaded = new Map<ModelId, RemoteModel>();
  #download: AbortController | null = null;
  #wanted: Request | null = null;
  #running = false;

  /**
   * Makes `id` the model that reads, to be asked again once it is ready; the last reading stays until then. A model once
   * loaded is kept. `fresh` fetches past the browser's cache.
   */
  async choose(id: ModelId, fresh = false): Promise<void> {
    this.#download?.abort();
    const loading = (this.#download = new AbortController());
    const { signal } = loading;
    this.failure = null;
    this.stage = { kind: "loading", progress: null };
    try {
      const model = this.#loaded.get(id) ?? (await this.#load(id, signal, fresh));
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
    void this.#drain();
  }

  /** A reading outside the page's own; rejects while no model is ready. */
  async read(text: string, options?: ReadOptions, hooks?: ReadHooks): Promise<Reading> {
    if (this.stage.kind !== "ready") throw new Error("the model is not ready");
    return this.stage.model.read(text, options, hooks);
  }

  async #load(id: ModelId, signal: AbortSignal, fresh: boolean): Promise<RemoteModel> {
    const onProgress = (progress: Progress) => {
      if (!signal.aborted) this.stage = { kind: "loading", progress };
    };
    const [bytes] = await Promise.all([download(addressOf(id), { signal, fresh, onProgress }), prepare()]);
    const model = await load(bytes);
    this.#loaded.set(id, model);
    return model;
  }

  async #drain(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#wanted) {
      const { stage } = this;
      const request = this.#wanted;
      this.#wanted = null;
      if (stage.kind === "ready") await this.#read(stage.model, request);
    }
    this.#running = false;
  }

  async #read(model: RemoteModel, { text, options }: Request): Promise<void> {
    const current = () => this.stage.kind === "ready" && this.stage.model === model;
    try {
      const reading = await model.read(text, options);
      if (!current()) return;
      this.seen = { text, reading };
      this.failure = null;
    } catch (error) {
      if (!current()) return;
      this.seen = null;
      const failure = failureOf(error);
      if (failure.code === "ENGINE_FAILED") {
        // The engine took its models with it.
        this.#loaded.clear();
        this.stage = { kind: "failed", failure };
      } else {
        this.failure = failure;
      }
    }
  }
}

function failureOf(error: unknown): Failure {
  const code = error instanceof Error && "code" in error ? String(error.code) : null;
  return { message: error instanceof Error ? error.message : String(error), code };
}
