/** How a call is stopped, and how its progress is told. */

import { aborted, errorOf, messageOf } from "./errors.js";
import type { CallOptions, Progress } from "./types.js";

/** Those who wait for a signal, and the listener that tells them. */
interface Waiting {
  readonly all: Set<() => void>;
  tell(): void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

function waitFor(signal: AbortSignal): Waiting {
  const all = new Set<() => void>();
  const waiting = {
    all,
    tell: () => {
      for (const then of [...all]) then();
    },
  };
  waitingFor.set(signal, waiting);
  return waiting;
}

/**
 * Calls `then` when the signal is aborted, at once if it is already. What is returned lets go of the signal, which has one
 * listener however many calls it stops: Node warns of the eleventh.
 */
export function onAbort(signal: AbortSignal | undefined, then: () => void): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) {
    then();
    return () => undefined;
  }
  const { all, tell } = waitingFor.get(signal) ?? waitFor(signal);
  if (all.size === 0) signal.addEventListener("abort", tell);
  all.add(then);
  return () => {
    all.delete(then);
    if (all.size === 0) signal.removeEventListener("abort", tell);
  };
}

/** The promise's value; as soon as the signal is aborted, a rejection with its reason. */
export function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(release);
  });
}

/** Signals whose reason is the error to reject with. */
const inner = new WeakSet<AbortSignal>();

/** What aborts with such a reason. */
export function stopper(): AbortController {
  const stop = new AbortController();
  inner.add(stop.signal);
  return stop;
}

/** The error that a signal, which is aborted, has a call reject with. */
export function errorBy(signal: AbortSignal): unknown {
  return inner.has(signal) ? signal.reason : aborted(signal);
}

/** Work that its caller follows. */
interface Following {
  /** For the work: its reason is the `SaccadeError` to reject with, whatever stopped it. */
  readonly signal: AbortSignal;
  /** For the work, if its caller hears of it. */
  readonly onProgress: CallOptions["onProgress"];
  /** What an `async` callback was still at is done. */
  told(): Promise<unknown>;
  /** Lets go of the signals. */
  end(): void;
}

/** Begins to follow work that the caller's signal stops, or the owner's end, or a callback that throws. */
export function following(owner: AbortSignal | undefined, { signal, onProgress }: CallOptions): Following {
  const stop = stopper();
  const fail = (thrown: unknown) => stop.abort(errorOf("CALLBACK_FAILED", `onProgress threw: ${messageOf(thrown)}`, thrown));
  /** What an `async` callback is still at. */
  const telling = new Set<Promise<unknown>>();
  const tell = (progress: Progress) => {
    if (stop.signal.aborted) return;
    try {
      const told = onProgress?.(progress);
      if (!isThenable(told)) return;
      const heard: Promise<unknown> = Promise.resolve(told)
        .catch(fail)
        .finally(() => telling.delete(heard));
      telling.add(heard);
    } catch (thrown) {
      fail(thrown);
    }
  };
  const releases = [
    onAbort(owner, () => stop.abort(owner?.reason)),
    onAbort(signal, () => stop.abort(signal && errorBy(signal))),
  ];
  return {
    signal: stop.signal,
    onProgress: onProgress && tell,
    told: () => unlessAborted(stop.signal, Promise.all(telling)),
    end() {
      for (const release of releases) release();
    },
  };
}

/**
 * Does work that its caller may follow, and that the end of its owner stops. Work goes on while an `async` callback is at it; the
 * call resolves when both are done. Work may consist of work that is followed.
 */
export function followed<T>(owner: AbortSignal | undefined, options: CallOptions, work: (follow: CallOptions) => Promise<T>): Promise<T> {
  if (!options.signal && !options.onProgress) return work({ signal: owner });
  const { signal, onProgress, told, end } = following(owner, options);
  const done = async () => {
    if (!onProgress) return work({ signal });
    const value = await work({ signal, onProgress });
    await told();
    return value;
  };
  return done().finally(end);
}

/** Whether it is a promise, be it another library's. */
export function isThenable(found: unknown): found is PromiseLike<unknown> {
  return typeof (found as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}
