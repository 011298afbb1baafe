import { loadLanguageModel, prepare, type LanguageModel } from "../engine.ts";
import { download, type Progress } from "../study/download.ts";
import { languageAddress, type LanguageSource } from "../study/language.ts";
import { failureOf, type Failure } from "../study/reader.svelte.ts";
import { anatomyOf, type Anatomy } from "./anatomy.ts";

/** A language model that is ready, and what its file says of its words. */
export interface Ready extends Anatomy {
  readonly source: LanguageSource;
  readonly model: LanguageModel;
  /** The model file, for layers made of its tensors. */
  readonly file: Uint8Array;
}

export type Stage =
  | { readonly kind: "loading"; readonly progress: Progress | null }
  | { readonly kind: "ready"; readonly ready: Ready }
  | { readonly kind: "failed"; readonly failure: Failure };

/** The language model in use. One that was loaded is kept, of the visitor's own the latest. */
export class Language {
  stage: Stage = $state.raw({ kind: "loading", progress: null });
  readonly ready: Ready | null = $derived(this.stage.kind === "ready" ? this.stage.ready : null);
  readonly #loaded = new Map<LanguageSource, Ready>();
  /** What was chosen last. */
  #coming: { readonly source: LanguageSource; readonly loading: AbortController; readonly chosen: Promise<void> } | null = null;

  /** Makes a model the one in use; one that is on its way goes on coming. `fresh` fetches past the browser's cache. */
  choose(source: LanguageSource, fresh = false): Promise<void> {
    if (this.#coming?.source === source && this.stage.kind === "loading" && !fresh) return this.#coming.chosen;
    this.#coming?.loading.abort();
    const loading = new AbortController();
    const chosen = this.#open(source, loading, fresh);
    this.#coming = { source, loading, chosen };
    return chosen;
  }

  async #open(source: LanguageSource, loading: AbortController, fresh: boolean): Promise<void> {
    const { signal } = loading;
    this.stage = { kind: "loading", progress: null };
    try {
      const ready = this.#loaded.get(source) ?? (await this.#load(source, signal, fresh));
      if (signal.aborted) return;
      this.stage = { kind: "ready", ready };
      if (typeof source !== "string") this.#leave(source);
    } catch (error) {
      if (signal.aborted) return;
      // A download that goes on after the engine has failed must not report progress over the failure.
      loading.abort();
      this.fail(failureOf(error));
    }
  }

  /** The model chosen cannot be used; with the engine, all of them are lost. */
  fail(failure: Failure): void {
    if (failure.code === "ENGINE_FAILED") this.#loaded.clear();
    this.stage = { kind: "failed", failure };
  }

  /** Gives back the visitor's own models but this one. */
  #leave(latest: File): void {
    for (const [source, { model }] of this.#loaded) {
      if (typeof source === "string" || source === latest) continue;
      this.#loaded.delete(source);
      model.dispose();
    }
  }

  async #load(source: LanguageSource, signal: AbortSignal, fresh: boolean): Promise<Ready> {
    const onProgress = (progress: Progress) => {
      if (!signal.aborted) this.stage = { kind: "loading", progress };
    };
    const bytes = async () =>
      typeof source === "string" ? download(languageAddress(source), { signal, fresh, onProgress }) : new Uint8Array(await source.arrayBuffer());
    const [file] = await Promise.all([bytes(), prepare()]);
    const model = await loadLanguageModel(file);
    // Of the visitor's own only the latest is held.
    if (signal.aborted && typeof source !== "string") {
      model.dispose();
      throw signal.reason;
    }
    const ready = { source, model, file, ...anatomyOf(file) };
    this.#loaded.set(source, ready);
    return ready;
  }
}
