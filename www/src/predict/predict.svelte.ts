import { untrack } from "svelte";
import type { LanguageReader, NextWord, NextWords, Progress, Scoring } from "../engine.ts";
import { failureOf, SILENCE_MS, type Failure } from "../study/reader.svelte.ts";
import type { Study } from "../study/study.svelte.ts";
import { Aside } from "./aside.ts";
import { Language, type Ready } from "./language.svelte.ts";
import { lastPart, piecesFor } from "./text.ts";

/** How many next words are shown. */
export const TOP = 10;

/** What a model made of a text. */
export interface Seen {
  readonly ready: Ready;
  /** The text as it was read: all of it, or the last part of a very long one. */
  readonly text: string;
  readonly scoring: Scoring;
  /** What may come after it. */
  readonly next: NextWords;
  /** Whether a part before it was left out. */
  readonly cut: boolean;
  /** How many tokens were read anew for it. */
  readonly computed: number;
}

interface Request {
  readonly ready: Ready;
  readonly text: string;
  readonly cut: boolean;
}

/**
 * The visitor's text as the language model in use reads it: how surprising every word is, and what may come next. The latest
 * text is read, those between are dropped; a long reading makes way for a later one.
 */
export class Predict {
  readonly language = new Language();
  seen: Seen | null = $state.raw(null);
  /** Why the latest text was not read. */
  failure: Failure | null = $state.raw(null);
  /** How far a long reading is. */
  progress: Progress | null = $state.raw(null);
  /** How far it was when it was stopped, until something is known of the one after it: whoever resumes it keeps the button. */
  stopped: Progress | null = $state.raw(null);
  readonly ready: Ready | null = $derived(this.language.ready);
  /** What the model in use made of a text, which may still be the one before the latest. */
  readonly current: Seen | null = $derived(this.seen && this.seen.ready === this.ready ? this.seen : null);

  #typed: { readonly ready: Ready; readonly reader: LanguageReader } | null = null;
  /** What the reader stands at the end of; null while it reads, or where it was stopped. */
  #at: Seen | null = null;
  /** What is asked there then. */
  readonly #aside = new Aside();
  #wanted: Request | null = null;
  #busy = false;
  #reading: AbortController | null = null;

  /** Reads as things change; called while the chapter is made, and stops with it. */
  follow(study: () => Study): void {
    $effect(() => {
      const source = study().language;
      untrack(() => void this.language.choose(source));
    });
    $effect(() => {
      const [ready, text] = [this.ready, study().text];
      if (ready) untrack(() => this.request(ready, text));
    });
    $effect(() => {
      const source = this.ready?.source;
      // What does not load is not kept.
      if (source instanceof File) untrack(() => study().keepGuesser(source));
    });
    // What is measured in other chapters would only keep this one's words waiting.
    $effect(() => {
      const open = study();
      open.paused = true;
      return () => {
        open.paused = false;
        this.stop();
        this.#aside.stop();
      };
    });
  }

  request(ready: Ready, text: string): void {
    const part = lastPart(text);
    this.#wanted = { ready, text: part, cut: part.length < text.length };
    if (this.progress) this.#reading?.abort();
    void this.#drain();
  }

  /** Gives up the long reading that is under way. */
  stop(): void {
    this.stopped = this.progress;
    this.#reading?.abort();
  }

  /** The likeliest words after a text that was seen, as many as each of `tops` says; a later question makes this one reject. */
  async ask(seen: Seen, tops: readonly number[]): Promise<readonly NextWords[]> {
    this.#aside.stop();
    const typed = this.#at === seen ? this.#typed?.reader : null;
    // The reader answers in turn: what is asked now is answered before it reads on.
    if (typed) return Promise.all(tops.map((top) => typed.predict({ top })));
    const { reader, signal } = this.#aside.begin(seen.ready);
    try {
      await reader.update(seen.text, { signal });
      return await Promise.all(tops.map((top) => reader.predict({ top, signal })));
    } catch (error) {
      if (!signal.aborted) this.#aside.forget();
      throw error;
    }
  }

  /**
   * The text goes on with a word that may come next after what was seen of it; where the model would read another text than
   * that, or the text is another by now, it stays as it is. Resolves to whether it went on.
   */
  async append(study: Study, seen: Seen, { text: word }: NextWord): Promise<boolean> {
    const before = study.text;
    if (seen !== this.current || seen.text !== lastPart(before)) return false;
    const { model } = seen.ready;
    // Only the words at the end can be cut otherwise.
    const end = lastPart(before, 200);
    const words = async (text: string) => (await model.tokenize(text)).map(({ text }) => text);
    const wanted = [...(await words(end)), word].join("\n");
    for (const piece of piecesFor(word, before, model.config.tokenizer)) {
      if ((await words(end + piece)).join("\n") !== wanted) continue;
      // Somebody may have typed meanwhile.
      if (study.text !== before) return false;
      study.write(before + piece);
      return true;
    }
    return false;
  }

  async #drain(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted) {
      const request = this.#wanted;
      this.#wanted = null;
      if (request.ready === this.ready) await this.#read(request);
    }
    this.#busy = false;
  }

  #reader(ready: Ready): LanguageReader {
    if (this.#typed?.ready !== ready) {
      this.#typed?.reader.dispose();
      this.#typed = { ready, reader: ready.model.reader() };
    }
    return this.#typed.reader;
  }

  async #read({ ready, text, cut }: Request): Promise<void> {
    const { signal } = (this.#reading = new AbortController());
    this.#at = null;
    const begun = performance.now();
    const onProgress = (progress: Progress) => {
      const long = progress.done < (progress.total ?? 0) && performance.now() - begun > SILENCE_MS;
      if (!long || signal.aborted) return;
      // A text that came before this one was known to be long.
      if (this.#wanted) this.#reading?.abort();
      else [this.progress, this.stopped] = [progress, null];
    };
    try {
      const reader = this.#reader(ready);
      const scoring = await reader.update(text, { signal, onProgress });
      const { computed } = reader;
      const next = await reader.predict({ top: TOP, signal });
      this.seen = this.#at = { ready, text, cut, scoring, next, computed };
      this.failure = null;
      this.stopped = null;
    } catch (error) {
      if (signal.aborted || ready !== this.ready) return;
      const failure = failureOf(error);
      this.stopped = null;
      this.#typed = null;
      if (failure.code === "ENGINE_FAILED") this.language.fail(failure);
      else this.failure = failure;
    } finally {
      this.progress = null;
    }
  }
}

/** The page's one: its models stay while other chapters are open. */
export const predict = new Predict();
