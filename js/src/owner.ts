/** Something that the engine holds for somebody. */

import type { About, Answerer, CallName, Calls, Engine, Follow, Id, Lent } from "./engine.js";
import { errorOf, type SaccadeError } from "./errors.js";
import { followed, stopper } from "./follow.js";
import type { WorkerPool } from "./pool.js";
import type { CallOptions, Disposes } from "./types.js";

/** What gives back what is held. */
export type Release = "release" | "releaseStructured";

/** What the engine holds, and what must not keep its owner alive. */
interface Held {
  readonly engine: Engine;
  readonly id: Id | Promise<Id>;
  readonly by: Release;
  readonly pool: WorkerPool | undefined;
}

function release({ engine, id, by, pool }: Held): void {
  pool?.end();
  Promise.resolve(id)
    .then((id) => engine.call(by, [id]))
    .catch(() => undefined);
}

/** Owners that were forgotten without `dispose` are released once they are collected. */
const forgotten = new FinalizationRegistry(release);

/**
 * Has methods and accessors keep their object, which then may be in a proxy: Vue, MobX and others put what they are given into one, and a
 * proxy cannot see the private fields.
 */
export function bind(object: object): void {
  for (let from = Object.getPrototypeOf(object); from !== Object.prototype; from = Object.getPrototypeOf(from)) {
    for (const [name, { value, get, set }] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
      if (name === "constructor" || Object.hasOwn(object, name)) continue;
      if (get) Object.defineProperty(object, name, { get: get.bind(object), ...(set && { set: set.bind(object) }), configurable: true });
      if (typeof value !== "function") continue;
      Object.defineProperty(object, name, { value: value.bind(object), configurable: true, writable: true });
    }
  }
}

/** Calls in its name reject with `DISPOSED` once it is disposed, also those under way. */
export abstract class Owner implements Answerer, Disposes {
  protected readonly engine: Engine;
  readonly #held: Held;
  readonly #what: string;
  readonly #disposed = stopper();

  constructor(
    engine: Engine,
    id: Id | Promise<Id>,
    what: string,
    { by = "release", pool }: { readonly by?: Release; readonly pool?: WorkerPool } = {},
  ) {
    this.engine = engine;
    this.#held = { engine, id, by, pool };
    this.#what = what;
    // Whoever waits for it hears of it by its own call.
    Promise.resolve(id).catch(() => undefined);
    forgotten.register(this, this.#held, this);
    bind(this);
  }

  /** Aborted once it is disposed. */
  protected get disposed(): AbortSignal {
    return this.#disposed.signal;
  }

  /** Does work that its caller may follow and that `dispose` stops. */
  protected follow<T>(options: CallOptions, work: (follow: CallOptions) => Promise<T>): Promise<T> {
    return followed(this.#disposed.signal, options, work);
  }

  /** Calls the engine at once, before anybody can change an argument. */
  async ask<Name extends CallName>(name: Name, args: About<Name>, follow: Follow): Promise<ReturnType<Calls[Name]>> {
    if (this.#disposed.signal.aborted) throw this.#gone();
    try {
      const { id: made } = this.#held;
      const id = typeof made === "number" ? made : await made;
      const all = [id, ...(args as unknown[])] as Parameters<Calls[Name]>;
      return await this.engine.call(name, all, follow);
    } catch (error) {
      // Reached after the call, so that a call under way keeps its owner from being collected.
      throw this.#disposed.signal.aborted ? this.#gone() : error;
    }
  }

  async idOf(other: Lent): Promise<Id> {
    return other.id();
  }

  /** Its own id, for calls about others; throws `DISPOSED` once it is disposed. */
  protected id(): Id | Promise<Id> {
    this.#disposed.signal.throwIfAborted();
    return this.#held.id;
  }

  protected call<Name extends CallName>(name: Name, args: About<Name>, options: CallOptions): Promise<ReturnType<Calls[Name]>> {
    return this.follow(options, (follow) => this.ask(name, args, follow));
  }

  #gone(): SaccadeError {
    return errorOf("DISPOSED", `this ${this.#what} was disposed`);
  }

  dispose(): void {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort(this.#gone());
    forgotten.unregister(this);
    release(this.#held);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
