/** Workers that hold a model as well, so that it answers on many processors. */

import type { Answerer, Engine, Follow, Id, Lent } from "./engine.js";
import { errorOf, messageOf, TERMINATED } from "./errors.js";
import { onAbort, unlessAborted } from "./follow.js";
import { platform } from "./platform.js";
import type { Precision } from "./types.js";

/** The same model in a worker of its own. */
interface Twin extends Answerer {
  /** Whether it answers still. */
  lives(): boolean;
  end(): void;
}

/** Opens a twin. */
export type OpenTwin = () => Promise<Twin>;

/** What a model was opened from. */
export interface Origin {
  /** A blob, which browsers hold outside of the page's memory. */
  readonly file: Blob;
  readonly openIn: Lent["openIn"];
  readonly openTwin: OpenTwin;
}

/** The calls of a binary that a twin begins with. */
export interface Beginning {
  readonly module: "module" | "moduleOfStructures";
  readonly start: "start" | "startStructures";
  readonly open: "open" | "openStructured";
}

/** What ends the twins of all models that an engine holds. */
const enders = new WeakMap<Engine, AbortController>();

function enderOf(engine: Engine): AbortController {
  const ender = enders.get(engine) ?? new AbortController();
  enders.set(engine, ender);
  return ender;
}

/** Ends all twins of all models that the engine holds, also those that begin; none of these models has others. */
export function endTwins(engine: Engine): void {
  enders.get(engine)?.abort(errorOf("ENGINE_FAILED", TERMINATED));
  enders.delete(engine);
}

/** The origin of a model that the engine is about to take these bytes of. Twins share what the engine was compiled to. */
export function originOf(engine: Engine, bytes: Uint8Array<ArrayBuffer>, precision: Precision, { module, start, open }: Beginning): Origin {
  const file = new Blob([bytes]);
  const { signal: ended } = enderOf(engine);
  const openIn = async (own: Engine) => {
    const copy = await file.arrayBuffer();
    const { id } = await own.call(open, [new Uint8Array(copy), precision], {}, [copy]);
    return id;
  };
  const openTwin: OpenTwin = async () => {
    if (!platform.workers) throw errorOf("ENGINE_FAILED", "there is nothing that makes workers");
    const make = await platform.workers().catch((error: unknown) => {
      throw errorOf("ENGINE_FAILED", `the code for workers did not load: ${messageOf(error)}`, error);
    });
    ended.throwIfAborted();
    let lives = true;
    const own = make((reason) => {
      gone();
      return `a worker of this call failed, and the call with it; the model goes on, and its next call starts others (${reason})`;
    });
    const end = () => {
      gone();
      own.retire();
    };
    const release = onAbort(ended, end);
    const gone = () => {
      lives = false;
      release();
    };
    try {
      const wasm = await engine.call(module, []);
      await own.call(start, [{ ...(wasm && { wasm }) }]);
      const id = await openIn(own);
      return {
        ask: (name, args, follow) => own.call(name, [id, ...(args as unknown[])] as never, follow),
        idOf: lodger(own),
        lives: () => lives,
        end,
      };
    } catch (error) {
      end();
      throw error;
    }
  };
  return { file, openIn, openTwin };
}

/** Opens models that are lent in this engine as well: one at a time, until another is lent. */
function lodger(own: Engine): Answerer["idOf"] {
  let last: { readonly openIn: Lent["openIn"]; readonly id: Promise<Id> } | undefined;
  return async (other) => {
    await other.id();
    if (last?.openIn !== other.openIn) {
      last?.id.then((id) => own.call("releaseStructured", [id])).catch(() => undefined);
      last = { openIn: other.openIn, id: other.openIn(own) };
    }
    return last.id;
  };
}

/** Twins for one call. */
interface Crew {
  /** Each begins its worker when it is first asked. */
  readonly all: readonly Answerer[];
  /** Has them wait for the next call if this one came to its end, and ends them otherwise. */
  leave(cameToEnd: boolean): void;
}

/** The twins of a model. */
export class WorkerPool {
  readonly #open: OpenTwin;
  readonly #all = new Set<Twin>();
  readonly #idle: Twin[] = [];
  /** How many a call has had at most: so many wait. */
  #most = 0;
  #over = false;

  constructor(open: OpenTwin) {
    this.#open = open;
  }

  /** So many twins, for nobody else meanwhile. */
  hire(count: number): Crew {
    this.#most = Math.max(this.#most, count);
    const hired: (Promise<Twin> | undefined)[] = Array.from({ length: count }, () => undefined);
    const all = hired.map((_, at): Answerer => {
      const twin = async ({ signal }: Follow) => {
        signal?.throwIfAborted();
        return unlessAborted(signal, (hired[at] ??= this.#next()));
      };
      return {
        ask: async (name, args, follow) => (await twin(follow)).ask(name, args, follow),
        idOf: async (other, follow) => unlessAborted(follow.signal, (await twin(follow)).idOf(other, follow)),
      };
    });
    const leave = (cameToEnd: boolean) => {
      for (const twin of hired) {
        twin?.then(
          (twin) => (cameToEnd && !this.#over && this.#idle.length < this.#most ? void this.#idle.push(twin) : this.#end(twin)),
          () => undefined,
        );
      }
    };
    return { all, leave };
  }

  async #next(): Promise<Twin> {
    for (let twin = this.#idle.pop(); twin; twin = this.#idle.pop()) {
      if (twin.lives()) return twin;
    }
    const twin = await this.#open();
    this.#all.add(twin);
    if (this.#over) this.#end(twin);
    return twin;
  }

  #end(twin: Twin): void {
    this.#all.delete(twin);
    twin.end();
  }

  /** Ends all twins, also those at work. */
  end(): void {
    this.#over = true;
    for (const twin of [...this.#all]) this.#end(twin);
  }
}
