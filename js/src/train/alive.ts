/** How the end of a worker is heard of: of one that a browser ends there is no event. */

/**
 * Holds a lock of its own until this thread ends; resolves with its name once it is held. In Node, whose threads tell of their end,
 * and in a page whose address is not secure, which has no locks, there is none.
 */
export async function held(): Promise<string | undefined> {
  if (!("WorkerGlobalScope" in globalThis && navigator.locks)) return undefined;
  const name = `saccade-rnn ${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const hold = () => {
      resolve(name);
      return new Promise<never>(() => {});
    };
    navigator.locks.request(name, hold).catch(() => resolve(undefined));
  });
}

/** Calls `then` once nobody holds the lock, unless `signal` is aborted before. */
export function onceFree(name: string, signal: AbortSignal, then: () => void): void {
  navigator.locks.request(name, { signal }, then).catch(() => undefined);
}
