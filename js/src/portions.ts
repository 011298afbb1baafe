/** Many texts in portions, each of which crosses to one of those who answer. */

import { inWords, unreadable } from "./arguments/check.js";
import type { Follow } from "./engine.js";
import { errorOf } from "./errors.js";
import { unlessAborted } from "./follow.js";
import { turn } from "./turn.js";

/** Texts in a portion, at most. */
export const TEXTS = 256;
/** UTF-16 units after which a portion ends. */
const UNITS = 32_768;

/** Answers about a portion, of which the first text has this number. Rejects with {@link Halted} where only some have one. */
export type Ask<Answer> = (texts: readonly string[], first: number, follow: Follow) => Promise<readonly Answer[]>;

/** Answers to a portion, or to its texts before one that has none. */
interface Answered<Answer> {
  readonly answers: readonly Answer[];
  /** Why that one has none. */
  readonly error?: unknown;
}

/** Thrown where a text has no answer, and those before it have. */
export class Halted<Answer> implements Answered<Answer> {
  readonly answers: readonly Answer[];
  readonly error: unknown;

  constructor(answers: readonly Answer[], error: unknown) {
    [this.answers, this.error] = [answers, error];
  }
}

/** Some texts, one after the other. */
interface Portion {
  /** One or more, unless there are no others. */
  readonly texts: readonly string[];
  /** The number of the first. */
  readonly first: number;
  /** Whether it is the last. */
  readonly last: boolean;
  /** Why there is no other, if that is no end. */
  readonly error?: unknown;
}

/** Texts by portions. */
export interface Portions {
  /** Rejects with nothing: what fails is told by the portion. */
  next(signal: AbortSignal | undefined): Promise<Portion>;
  /** Lets its owner close what the texts come from. */
  leave(): Promise<void>;
}

async function close(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  await iterator.return?.();
}

/** Cuts texts, which have this name in messages, into portions of at most so many: a portion is what has arrived. */
export function portionsOf(texts: Iterable<unknown> | AsyncIterable<unknown>, at: string, most: number): Portions {
  const later = Symbol.asyncIterator in texts;
  let iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined;
  /** The text that was asked for and has not arrived. */
  let next: Promise<IteratorResult<unknown>> | undefined;
  let taken = 0;
  let ended = false;
  let left = false;
  /** What comes in the place of the text that is none, after the portion of those before it. */
  let failed: Portion | undefined;

  /** The next text as soon as it is there, `undefined` if others may be answered before. */
  async function arrived(hurry: boolean, signal: AbortSignal | undefined): Promise<IteratorResult<unknown> | undefined> {
    if (!later) return (iterator as Iterator<unknown>).next();
    next ??= (iterator as AsyncIterator<unknown>).next();
    next.catch(() => undefined);
    const found = await (hurry ? Promise.race([next, turn().then(() => undefined)]) : unlessAborted(signal, next));
    if (found) next = undefined;
    return found;
  }

  async function fill(found: string[], signal: AbortSignal | undefined): Promise<void> {
    iterator ??= later ? texts[Symbol.asyncIterator]() : (texts as Iterable<unknown>)[Symbol.iterator]();
    for (let units = 0; found.length < most && units < UNITS && !left; ) {
      signal?.throwIfAborted();
      const result = await arrived(found.length > 0, signal);
      if (!result) return;
      ended = result.done === true;
      if (ended) return;
      const text = result.value;
      if (typeof text !== "string") throw errorOf("OPTION_INVALID", `${at}[${taken}]: expected a string, found ${inWords(text)}`);
      taken += 1;
      units += text.length;
      found.push(text);
    }
  }

  return {
    async next(signal) {
      if (failed) return failed;
      const [found, first]: [string[], number] = [[], taken];
      try {
        await fill(found, signal);
      } catch (thrown) {
        failed = { texts: [], first: taken, last: true, error: unreadable(`${at}[${taken}]`, thrown) };
        if (found.length === 0) return failed;
      }
      return { texts: found, first, last: ended };
    },
    async leave() {
      left = true;
      // One that waits would answer no sooner than its next text comes.
      if (ended || !iterator) return;
      const closed = close(iterator).catch(() => undefined);
      if (!next) await closed;
    },
  };
}

/**
 * Deals portions out, each to whoever has the fewest at the time, and gives their answers in the order of the texts, and whether
 * they are known to be the last. At most `ahead` portions are taken whose answers nobody has: where answers wait, so do texts.
 */
export async function* dealt<Answer>(
  portions: Portions,
  asks: readonly Ask<Answer>[],
  ahead: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly [answers: readonly Answer[], last: boolean], void> {
  const hands = asks.map((ask) => ({ ask, busy: 0 }));
  const answer = async ({ texts, first, error }: Portion): Promise<Answered<Answer>> => {
    if (error !== undefined) throw error;
    const hand = hands.reduce((least, other) => (other.busy < least.busy ? other : least));
    hand.busy += 1;
    try {
      return { answers: await hand.ask(texts, first, { signal }) };
    } catch (thrown) {
      if (thrown instanceof Halted) return thrown as Halted<Answer>;
      throw thrown;
    } finally {
      hand.busy -= 1;
    }
  };
  const underWay: Promise<Answered<Answer>>[] = [];
  let coming: Promise<Portion> | undefined;
  let ended = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (!ended && underWay.length < ahead) coming ??= portions.next(signal);
      const [first] = underWay;
      if (!coming && !first) return;
      const portion = await Promise.race([coming, first?.then(() => undefined)].filter((one) => one !== undefined));
      if (!portion) {
        underWay.shift();
        const { answers = [], error } = (await first) ?? {};
        yield [answers, error === undefined && ended && underWay.length === 0];
        if (error !== undefined) throw error;
        continue;
      }
      coming = undefined;
      ended = portion.last;
      if (portion.texts.length === 0 && portion.error === undefined) continue;
      const answered = answer(portion);
      // Whoever comes to it hears of it.
      answered.catch(() => undefined);
      underWay.push(answered);
    }
  } finally {
    await portions.leave();
  }
}
