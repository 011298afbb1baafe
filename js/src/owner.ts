/** Something that the engine holds for somebody. */

import type { CallName, Calls, Engine, Follow, Id } from "./engine.js";
import { errorOf, type SaccadeError } from "./errors.js";
import { followed, stopper } from "./follow.js";
import type { CallOptions, Disposes } from "./types.js";

type Rest<All extends unknown[]> = All extends [Id, ...infer Others] ? Others : never;

/** What gives back what is held. */
type Release = "release" | "releaseStructured";

/** What the engine holds, and what must not keep its owner alive. */
interface Held {
  readonly engine: Engine;
  readonly id: Id | Promise<Id>;
  readonly by: Release;
}

function release({ engine, id, by }: Held): void {
  Promise.resolve(id)
    .then((id) => engine.call(by, [id]))
    .catch(() => undefined);
}

/** Owners that were forgotten without `dispose` are released once they are collected. */
const forgotten = new FinalizationRegistry(release);

/**
 * Has methods keep their object, which then may be in a proxy: Vue, MobX and others put what they are given into one, and a
 * proxy cannot see the private fields.
 */
export function bind(object: object): void {
  for (let from = Object.getPrototypeOf(object); from !== Object.prototype; from = Object.getPrototypeOf(from)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
      if (typeof value !== "function" || name === "constructor" || Object.hasOwn(object, name)) continue;
      Object.defineProperty(object, name, { value: value.bind(object), configurable: true, writable: true });
    }
  }
}

/** Calls in its name reject with `DISPOSED` once it is disposed, also those under way. */
export abstract class Owner implements Disposes {
  protected readonly engine: Engine;
  readonly #id: Id | Promise<Id>;
  readonly #what: string;
  readonly #by: Release;
  readonly #disposed = stopper();

  constructor(engine: Engine, id: Id | Promise<Id>, what: string, by: Release = "release") {
    this.engine = engine;
    this.#id = id;
    this.#what = what;
    this.#by = by;
    // Whoever waits for it hears of it by its own call.
    Promise.resolve(id).catch(() => undefined);
    forgotten.register(this, { engine, id, by }, this);
    bind(this);
  }

  /** Does work that its caller may follow and that `dispose` stops. */
  protected follow<T>(options: CallOptions, work: (follow: CallOptions) => Promise<T>): Promise<T> {
    return followed(this.#disposed.signal, options, work);
  }

  /** Calls the engine at once, before anybody can change an argument. */
  protected async ask<Name extends CallName>(
    name: Name,
    args: Rest<Parameters<Calls[Name]>>,
    follow: Follow,
  ): Promise<ReturnType<Calls[Name]>> {
    if (this.#disposed.signal.aborted) throw this.#gone();
    try {
      const id = typeof this.#id === "number" ? this.#id : await this.#id;
      const all = [id, ...(args as unknown[])] as Parameters<Calls[Name]>;
      return await this.engine.call(name, all, follow);
    } catch (error) {
      // Reached after the call, so that a call under way keeps its owner from being collected.
      throw this.#disposed.signal.aborted ? this.#gone() : error;
    }
  }

  protected call<Name extends CallName>(
    name: Name,
    args: Rest<Parameters<Calls[Name]>>,
    options: CallOptions,
  ): Promise<ReturnType<Calls[Name]>> {
    return this.follow(options, (follow) => this.ask(name, args, follow));
  }

  #gone(): SaccadeError {
    return errorOf("DISPOSED", `this ${this.#what} was disposed`);
  }

  dispose(): void {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort(this.#gone());
    forgotten.unregister(this);
    release({ engine: this.engine, id: this.#id, by: this.#by });
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
