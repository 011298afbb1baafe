/** A running instance of a binary: the calls that are under way in it, how it fails, and how a fresh one takes its place. */

import { errorOf, messageOf, notLoaded, ours, SaccadeError } from "./errors.js";
import { unlessAborted } from "./follow.js";
import { whyNoGpu } from "./platform.js";

/** What a binary's glue does for its instances: one by one, so that bundlers leave out what nobody calls. */
interface Glue {
  /** Makes the first instance. */
  init(from: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  /** Puts a fresh instance where the one before was, and lets nobody call or free what the other held. */
  reset(): void;
  /** Has `contain` run all that the engine goes on with by itself. */
  containClosures(contain: (work: () => unknown) => unknown): void;
  onFailure(tell: (reason: string) => void): void;
  forbidGpu(reason: string): void;
  /** What is said of an instance that failed. */
  failed(reason: string): string;
}

/** An instance. After a panic or a trap nothing of it can be trusted, and its calls would never be answered. */
export interface Instance {
  /** Why it is not to be used again. */
  readonly failure: SaccadeError | undefined;
  /** Runs what may trap. */
  attempt<T>(work: () => T): T;
  /** Makes a call, which rejects as soon as the signal is aborted or the instance fails. */
  call<T>(work: () => T, signal?: AbortSignal): Promise<Awaited<T>>;
  /** Gives back what it holds, unless that is lost. */
  free(held: { free(): void }): void;
}

/** A binary in this thread: one instance of it runs at a time. */
export interface Binary {
  /** The instance that runs. */
  running(): Instance | undefined;
  /** What its instances are made of, once it was compiled. */
  compiled(): WebAssembly.Module | undefined;
  /** The instance that runs, or the start of one. A start that failed is tried again by the next call. */
  start(compile: () => Promise<WebAssembly.Module>, signal?: AbortSignal): Promise<Instance>;
}

/** The binary of a glue. */
export function binaryOf(glue: Glue): Binary {
  /** The start that everybody waits for. */
  let starting: { readonly done: Promise<Instance>; readonly signal: AbortSignal | undefined } | undefined;
  /** The instance that runs. */
  let running: Instance | undefined;
  let compiled: WebAssembly.Module | undefined;
  /** What the glue has: no instance yet, one that failed, or one that may be used. */
  let module: "absent" | "spent" | "sound" = "absent";
  /** How many pieces of work are under way that began inside one another. */
  let depth = 0;

  /** Puts a fresh instance where the one that failed was. */
  function renew(): void {
    if (module !== "spent") return;
    glue.reset();
    module = "sound";
  }

  /** Sees to it that what is left of an instance that failed is not used: a promise may be about to call it, a collector to free it. */
  function bury(): void {
    try {
      renew();
    } catch {
      // The next start tries again.
    }
  }

  /** What the glue has, as an instance. */
  function instance(): Instance {
    let failure: SaccadeError | undefined;
    /** How the calls under way are rejected. */
    const underWay = new Set<(error: SaccadeError) => void>();

    /** After a panic or a trap: it is not used again, and all calls under way reject. */
    function fail(reason: string): SaccadeError {
      if (failure) return failure;
      failure = errorOf("ENGINE_FAILED", glue.failed(reason));
      module = "spent";
      running = undefined;
      starting = undefined;
      for (const reject of underWay) reject(failure);
      // Not yet: a panic tells of itself before the engine stops.
      queueMicrotask(bury);
      return failure;
    }

    function attempt<T>(work: () => T): T {
      if (failure) throw failure;
      depth += 1;
      try {
        return work();
      } catch (error) {
        if (error instanceof SaccadeError || (error instanceof Error && "code" in error)) throw ours(error);
        // A trap, a full stack, or something else that the engine never throws while it is sound.
        const failed = fail(messageOf(error));
        if (depth === 1) bury();
        throw failed;
      } finally {
        depth -= 1;
      }
    }

    async function call<T>(work: () => T, signal?: AbortSignal): Promise<Awaited<T>> {
      const answer: unknown = attempt(work);
      // Who is told of the progress may have had enough meanwhile.
      if (!(answer instanceof Promise)) {
        signal?.throwIfAborted();
        return answer as Awaited<T>;
      }
      const answered = new Promise<Awaited<T>>((resolve, reject) => {
        underWay.add(reject);
        answer.then(resolve, (error: unknown) => reject(ours(error))).finally(() => underWay.delete(reject));
      });
      return unlessAborted(signal, answered);
    }

    /** Runs what nobody calls. Whoever waits for it hears from {@link fail} when it traps. */
    function contain(work: () => unknown): unknown {
      try {
        return attempt(work);
      } catch {
        return undefined;
      }
    }

    // Inside of a call, the call hears of it.
    glue.containClosures((work) => (depth > 0 ? work() : contain(work)));
    glue.onFailure((reason) => void fail(reason));
    return {
      get failure() {
        return failure;
      },
      attempt,
      call,
      free: (held) => void contain(() => held.free()),
    };
  }

  async function begin(compile: () => Promise<WebAssembly.Module>, signal: AbortSignal | undefined): Promise<Instance> {
    try {
      if (module === "absent") {
        compiled = await compile();
        await glue.init({ module_or_path: compiled });
        module = "sound";
      }
      renew();
      const begun = instance();
      const reason = whyNoGpu();
      if (reason !== undefined) glue.forbidGpu(reason);
      return (running = begun);
    } catch (error) {
      throw notLoaded(error, signal);
    }
  }

  async function start(compile: () => Promise<WebAssembly.Module>, signal?: AbortSignal): Promise<Instance> {
    for (;;) {
      const begun = (starting ??= { done: begin(compile, signal), signal });
      try {
        return await begun.done;
      } catch (error) {
        if (starting === begun) starting = undefined;
        // Whoever began it had enough; others did not.
        if (!begun.signal?.aborted || signal?.aborted) throw error;
      }
    }
  }

  return { running: () => running, compiled: () => compiled, start };
}
