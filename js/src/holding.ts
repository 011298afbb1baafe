/** What the instances of a binary hold for callers, who have its ids, and the calls that they answer. */

import type { Follow, Id } from "./engine.js";
import { errorOf, type SaccadeError } from "./errors.js";
import type { Binary, Instance } from "./instance.js";
import { turn } from "./turn.js";

/** What each call of a table does; its last argument follows it. */
export type Answers<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends (...args: infer Args) => infer Answer
    ? (...args: [...Args, Follow]) => Answer | Promise<Answer>
    : never;
};

/** Things in a binary's instances, by ids. */
export interface Holding<Held> {
  /** The instance that runs; throws if there is none. */
  current(): Instance;
  keep(object: Held): Id;
  /** What was kept, if it is of this class. */
  get<T extends Held>(id: Id, Class: { readonly prototype: T }): T;
  /** Gives it up; nothing if that was done before, or if it died with its instance. */
  take(id: Id): { readonly instance: Instance; readonly object: Held } | undefined;
  /** Asked between pieces of the work: tells how far it is, lets others have their turn, and says whether to go on. */
  watch(follow: Follow): (done: number, total: number, from: number, decided: Float32Array) => Promise<boolean>;
}

function stopped(): SaccadeError {
  return errorOf("ENGINE_FAILED", "the engine that held this stopped: load it again");
}

export function holding<Held extends object>(binary: Binary): Holding<Held> {
  /** Until it is released: also what died with an instance. */
  const held = new Map<Id, { readonly instance: Instance; readonly object: Held }>();
  /** Ids that another engine gave, such as that of a worker that is gone, mean nothing here: each begins somewhere else. */
  const firstId: Id = Math.floor(Math.random() * 2 ** 50);
  let lastId: Id = firstId;

  function current(): Instance {
    const instance = binary.running();
    if (!instance) throw stopped();
    return instance;
  }

  return {
    current,
    keep(object) {
      held.set(++lastId, { instance: current(), object });
      return lastId;
    },
    get<T extends Held>(id: Id, Class: { readonly prototype: T }): T {
      const found = held.get(id);
      if (found?.instance.failure || id <= firstId || id > lastId) throw stopped();
      if (found && Object.getPrototypeOf(found.object) === Class.prototype) return found.object as T;
      throw errorOf("DISPOSED", "this was disposed");
    },
    take(id) {
      const found = held.get(id);
      held.delete(id);
      return found?.instance.failure ? undefined : found;
    },
    watch({ signal, onProgress }) {
      const instance = current();
      let last = -1;
      return async (done, total, from, decided) => {
        onProgress?.({ done, total }, from, decided);
        // At its end there is nothing to wait for, unless it is read again and again.
        if (done < total || done <= last) await turn();
        last = done;
        // An instance that failed meanwhile would go on with this reading.
        if (instance.failure) await new Promise(() => undefined);
        return !signal?.aborted;
      };
    },
  };
}
