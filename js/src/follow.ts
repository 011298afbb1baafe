/** How a call is stopped, and how its progress is told. */

import { aborted, errorOf, messageOf } from "./errors.js";
import type { CallOptions, Progress } from "./types.js";

/** Those who wait for a signal. */
const waitingFor = new WeakMap<AbortSignal, Set<() => void>>();

function tellAll({ target }: Event): void {
  for (const then of [...(waitingFor.get(target as AbortSignal) ?? [])]) then();
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
  let waiting = waitingFor.get(signal);
  if (!waiting) waitingFor.set(signal, (waiting = new Set()));
  if (waiting.size === 0) signal.addEventListener("abort", tellAll);
  waiting.add(then);
  return () => {
    waiting.delete(then);
    if (waiting.size === 0) signal.removeEventListener("abort", tellAll);
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

/**
 * Does work that its caller may follow, and that the end of its owner stops. The signal that it is given has the
 * `SaccadeError` to reject with as its reason, whatever stopped it: the caller's signal, the owner's end, or a callback that
 * threw. Work may consist of work that is followed.
 */
export function followed<T>(
  owner: AbortSignal | undefined,
  { signal, onProgress }: CallOptions,
  work: (follow: CallOptions) => Promise<T>,
): Promise<T> {
  if (!signal && !onProgress) return work({ signal: owner });
  const stop = stopper();
  const tell = (progress: Progress) => {
    if (stop.signal.aborted) return;
    try {
      onProgress?.(progress);
    } catch (thrown) {
      stop.abort(errorOf("CALLBACK_FAILED", `onProgress threw: ${messageOf(thrown)}`, thrown));
    }
  };
  const releases = [
    onAbort(owner, () => stop.abort(owner?.reason)),
    onAbort(signal, () => stop.abort(signal && inner.has(signal) ? signal.reason : aborted(signal))),
  ];
  return work({ signal: stop.signal, ...(onProgress && { onProgress: tell }) }).finally(() => {
    for (const release of releases) release();
  });
}
