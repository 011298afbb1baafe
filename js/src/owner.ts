/** Something that the engine holds for somebody. */

import type { CallName, Calls, Engine, Follow, Id } from "./engine.js";
import { errorOf } from "./errors.js";
import type { Disposes } from "./types.js";

type Rest<All extends unknown[]> = All extends [Id, ...infer Others] ? Others : never;

/** Calls in its name reject with `DISPOSED` once it is disposed, also those under way. */
export abstract class Owner implements Disposes {
  protected readonly engine: Engine;
  readonly #id: Id | Promise<Id>;
  readonly #what: string;
  readonly #disposed = new AbortController();

  constructor(engine: Engine, id: Id | Promise<Id>, what: string) {
    this.engine = engine;
    this.#id = id;
    this.#what = what;
    // Whoever waits for it hears of it by its own call.
    Promise.resolve(id).catch(() => undefined);
  }

  protected async call<Name extends CallName>(
    name: Name,
    args: Rest<Parameters<Calls[Name]>>,
    { signal, onProgress }: Follow,
    transfer?: readonly Transferable[],
  ): Promise<ReturnType<Calls[Name]>> {
    const gone = () => errorOf("DISPOSED", `this ${this.#what} was disposed`);
    if (this.#disposed.signal.aborted) throw gone();
    const { ends, done } = either(this.#disposed.signal, signal);
    try {
      const id = await this.#id;
      const all = [id, ...(args as unknown[])] as Parameters<Calls[Name]>;
      return await this.engine.call(name, all, { signal: ends, onProgress }, transfer);
    } catch (error) {
      throw this.#disposed.signal.aborted ? gone() : error;
    } finally {
      done();
    }
  }

  dispose(): void {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort();
    Promise.resolve(this.#id)
      .then((id) => this.engine.call("release", [id]))
      .catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A signal that is aborted with the first of both; `done` lets go of them. A caller's signal may outlive many calls. */
function either(owner: AbortSignal, caller: AbortSignal | undefined): { ends: AbortSignal; done(): void } {
  if (!caller) return { ends: owner, done: () => undefined };
  const stop = new AbortController();
  const forward = () => stop.abort(caller.reason);
  const drop = () => stop.abort();
  if (caller.aborted) forward();
  caller.addEventListener("abort", forward);
  owner.addEventListener("abort", drop);
  const done = () => {
    caller.removeEventListener("abort", forward);
    owner.removeEventListener("abort", drop);
  };
  return { ends: stop.signal, done };
}
