/** Many texts in portions that cross to the engine together. */

import { inWords } from "../arguments/check.js";
import type { Follow } from "../engine.js";
import { errorOf, messageOf, SaccadeError } from "../errors.js";
import { followed, unlessAborted } from "../follow.js";
import { turn } from "../turn.js";
import type { CallOptions } from "../types.js";

/** Texts in a portion, at most. */
const TEXTS = 256;
/** UTF-16 units after which a portion ends. */
const UNITS = 32_768;

/** Asks about a portion, of which the first text has this number. */
export type Ask<Answer> = (texts: readonly string[], first: number, follow: Follow) => Promise<readonly Answer[]>;

/** How many texts from the first on make a portion; 0 of those that may be joined by others. */
function portion(texts: readonly string[], from: number): number {
  let units = 0;
  for (let at = from; at < texts.length; at++) {
    units += texts[at]?.length ?? 0;
    if (at + 1 - from === TEXTS || units >= UNITS) return at + 1 - from;
  }
  return 0;
}

/** Asks about texts that are all there; progress counts them. */
export async function asked<Answer>(texts: readonly string[], ask: Ask<Answer>, { signal, onProgress }: CallOptions): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < texts.length) {
    const at = answers.length;
    const count = portion(texts, at) || texts.length - at;
    for (const answer of await ask(texts.slice(at, at + count), at, { signal })) answers.push(answer);
    onProgress?.({ done: answers.length, total: texts.length });
    signal?.throwIfAborted();
  }
  return answers;
}

/** Asks about texts as they come: a portion is what has arrived, and no more is taken before its answers are. `at` is their name. */
export async function* streamed<Answer>(
  at: string,
  texts: Iterable<unknown> | AsyncIterable<unknown>,
  options: CallOptions,
  ask: Ask<Answer>,
): AsyncIterableIterator<Answer> {
  const source = sourceOf(texts, at);
  let done = 0;
  let ended = false;
  try {
    while (!ended) {
      const answers = await followed(undefined, options, async ({ signal, onProgress }) => {
        const portion = await source.portion(signal);
        ended = portion.ended;
        const answers = portion.texts.length > 0 ? await ask(portion.texts, done, { signal }) : [];
        done += answers.length;
        if (answers.length > 0) onProgress?.({ done, total: ended ? done : null });
        signal?.throwIfAborted();
        return answers;
      });
      yield* answers;
    }
  } finally {
    await source.leave();
  }
}

/** Texts by portions. */
function sourceOf(texts: Iterable<unknown> | AsyncIterable<unknown>, at: string) {
  const later = Symbol.asyncIterator in texts;
  const broken = (error: unknown) => errorOf("OPTION_INVALID", `${at}: they cannot be read (${messageOf(error)})`, error);
  let iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined;
  /** The text that was asked for and has not arrived. */
  let next: Promise<IteratorResult<unknown>> | undefined;
  let taken = 0;
  let ended = false;

  /** The next text as soon as it is there, `undefined` if others may be answered before. */
  async function arrived(hurry: boolean, signal: AbortSignal | undefined): Promise<IteratorResult<unknown> | undefined> {
    if (!later) return (iterator as Iterator<unknown>).next();
    next ??= (iterator as AsyncIterator<unknown>).next();
    next.catch(() => undefined);
    const found = await (hurry ? Promise.race([next, turn().then(() => undefined)]) : unlessAborted(signal, next));
    if (found) next = undefined;
    return found;
  }

  return {
    /** One text or more, unless they have ended. */
    async portion(signal: AbortSignal | undefined): Promise<{ readonly texts: readonly string[]; readonly ended: boolean }> {
      const found: string[] = [];
      try {
        iterator ??= later ? texts[Symbol.asyncIterator]() : (texts as Iterable<unknown>)[Symbol.iterator]();
        while (portion(found, 0) === 0) {
          signal?.throwIfAborted();
          const result = await arrived(found.length > 0, signal);
          if (!result) break;
          ended = result.done === true;
          if (ended) break;
          if (typeof result.value !== "string") throw errorOf("OPTION_INVALID", `${at}[${taken}]: expected a string, found ${inWords(result.value)}`);
          taken += 1;
          found.push(result.value);
        }
      } catch (error) {
        throw error instanceof SaccadeError ? error : broken(error);
      }
      return { texts: found, ended };
    },
    /** Lets its owner close what the texts come from. */
    async leave(): Promise<void> {
      // One that waits would answer no sooner than its next text comes.
      if (ended || !iterator) return;
      const closed = Promise.resolve(iterator.return?.()).catch(() => undefined);
      if (!next) await closed;
    },
  };
}
