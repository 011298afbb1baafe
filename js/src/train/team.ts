/** A run in several threads: one leads, the others learn from their parts of its batches. All hold the texts and the weights. */

import { moduleOf } from "../compile.js";
import type { Follow, Id } from "../engine.js";
import { errorOf, notLoaded, type SaccadeError, TERMINATED } from "../errors.js";
import { unlessAborted } from "../follow.js";
import { type Open, type Remote, remote } from "../remote.js";
import { onceFree } from "./alive.js";
import type { Begun, TrainCalls, Trainer } from "./calls.js";

/** The calls that all threads need, each for what it holds itself. */
const FOR_ALL: ReadonlySet<keyof TrainCalls> = new Set(["labelled", "tagged", "beginTable", "table", "running"]);

/** Ends a run and its helpers. */
const living = new Set<() => void>();

/** Ends all runs that have helpers: what is asked of them rejects with `ENGINE_FAILED`. */
export function endTeams(): void {
  for (const terminate of [...living]) terminate();
}

const failedBefore = (reason: string) => `a worker of this run failed before the run had begun (${reason})`;

/** What answers the calls of one run: `leader` and so many helpers, each in a worker that `open` makes. */
export function team(leader: Trainer, count: number, open: Open): Trainer {
  /** The run, once there is one to help. */
  let led: Id | undefined;
  /** Why each of those that are gone is. */
  const gone = new Map<number, string>();
  /** Aborted once it no longer matters who is gone. */
  const over = new AbortController();
  /** Aborted with the error that all calls reject with from then on. */
  const terminated = new AbortController();
  const tell = (run: Id, at: number, reason: string) => leader.call("lose", [run, at, reason]).catch(() => undefined);
  const lose = (at: number, reason: string) => {
    if (gone.has(at) || over.signal.aborted) return;
    gone.set(at, reason);
    if (led !== undefined) tell(led, at, reason);
  };
  const helpers: readonly Remote<TrainCalls>[] = Array.from({ length: count }, (_, at) =>
    remote<TrainCalls>(open, (reason) => {
      lose(at, reason);
      return failedBefore(reason);
    }),
  );
  /** What each of them calls the texts, and then the run. */
  let ids: readonly Id[] = [];

  const end = () => {
    living.delete(terminate);
    over.abort();
    for (const helper of helpers) helper.retire();
  };
  const terminate = () => {
    terminated.abort(errorOf("ENGINE_FAILED", TERMINATED));
    // In this thread, who leads would wait for the helpers.
    if (led !== undefined) leader.call("release", [led]).catch(() => undefined);
    end();
  };

  /** Asks all helpers, who all are needed until the run has begun. */
  function others<Name extends keyof TrainCalls>(
    name: Name,
    args: (at: number) => Parameters<TrainCalls[Name]>,
    follow: Follow,
    transfer?: (at: number) => readonly Transferable[],
  ): Promise<ReturnType<TrainCalls[Name]>>[] {
    return helpers.map(async (helper, at) => {
      const reason = gone.get(at);
      // Asked again, it would start anew, without the texts.
      if (reason !== undefined) throw errorOf("ENGINE_FAILED", failedBefore(reason));
      return helper.call(name, args(at), follow, transfer?.(at));
    });
  }

  /** Has a helper's end be heard of. */
  async function watch(helper: Remote<TrainCalls>, follow: Follow): Promise<void> {
    const lock = await helper.call("live", [], follow);
    if (lock !== undefined) onceFree(lock, over.signal, () => helper.fail("its worker ended without a word"));
  }

  /** Joins every helper to the run. */
  async function join(run: Id): Promise<void> {
    const channels = helpers.map(() => new MessageChannel());
    const [ports, theirs] = [channels.map(({ port1 }) => port1), channels.map(({ port2 }) => port2)];
    await Promise.all(others("help", (at) => [ids[at], theirs[at]] as [Id, MessagePort], {}, (at) => theirs.slice(at, at + 1)));
    await leader.call("lead", [run, ports], {}, ports);
    led = run;
    for (const [at, reason] of gone) tell(run, at, reason);
  }

  async function answer<Name extends keyof TrainCalls>(name: Name, args: Parameters<TrainCalls[Name]>, follow: Follow): Promise<unknown> {
    const { signal } = follow;
    const [, ...rest] = args as unknown as [Id, ...unknown[]];
    const own = (at: number) => [ids[at], ...rest] as unknown as Parameters<TrainCalls[Name]>;
    if (name === "start") {
      living.add(terminate);
      const [{ wasm }] = args as Parameters<TrainCalls["start"]>;
      // A response can be read once, and bytes go to one thread.
      const options = wasm === undefined ? {} : { wasm: await moduleOf(wasm, follow).catch((error: unknown) => Promise.reject(notLoaded(error, signal))) };
      const watched = helpers.map((helper) => watch(helper, { signal }));
      const [started] = await Promise.all([leader.call("start", [options], follow), ...others("start", () => [options], { signal }), ...watched]);
      return started;
    }
    if (name === "texts") {
      const [made, ...theirs] = await Promise.all([leader.call(name, args, follow), ...others(name, () => args, { signal })]);
      ids = theirs as Id[];
      return made;
    }
    if (name === "begin") {
      const leading = leader.call(name, args, follow) as Promise<Begun>;
      try {
        const [made, ...theirs] = await Promise.all([leading, ...(others(name, own, { signal }) as Promise<Begun>[])]);
        ids = theirs.map(({ id }) => id);
        await join(made.id);
        return made;
      } catch (error) {
        // Whoever has no run cannot release it.
        leading.then(({ id }) => leader.call("release", [id])).catch(() => undefined);
        throw error;
      }
    }
    if (FOR_ALL.has(name)) {
      const [told] = await Promise.all([leader.call(name, args, follow), ...others(name, own, { signal })]);
      return told;
    }
    if (name === "release") {
      const released = leader.call(name, args, follow);
      end();
      return released;
    }
    return leader.call(name, args, follow);
  }

  return {
    async call(name, args, follow = {}) {
      try {
        // What a run holds is released all the same.
        if (name !== "release") terminated.signal.throwIfAborted();
        return (await unlessAborted(terminated.signal, answer(name, args, follow))) as never;
      } catch (error) {
        // Without who leads there is nothing to help with.
        if ((error as Partial<SaccadeError> | undefined)?.code === "ENGINE_FAILED") end();
        throw error;
      }
    },
  };
}
