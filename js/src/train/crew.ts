/** How a run that several threads learn speaks with them: over ports, one to each, without the page between them. */

import { messageOf } from "../errors.js";

/** What is asked of a helper: to learn from a part of a batch. */
interface Wanted {
  readonly order: Uint32Array<ArrayBuffer>;
  readonly part: number;
  readonly most: number;
}

/** What a helper says: its part's gradients, or why it has none; before, the name of the lock that it holds while it lives. */
type Answer = { readonly answer: Uint32Array<ArrayBuffer> } | { readonly failed: string } | { readonly alive: string };

/** A port of Node's, which keeps a thread alive unless told otherwise. */
interface NodePort {
  ref?(): void;
  unref?(): void;
}

interface Helper {
  readonly port: MessagePort & NodePort;
  /** Takes what it answers; there only while it is asked. */
  settle: ((answer: Uint32Array | undefined) => void) | undefined;
  /** Aborted once it is waited for no more. */
  readonly watch: AbortController;
}

/** A helper that is gone. */
export interface Left {
  /** How many threads learn from now on. */
  readonly workers: number;
  readonly reason: string;
}

/** The helpers of a run, as the thread that leads it has them. One that fails is asked no more. */
export class Crew {
  readonly #helpers: (Helper | undefined)[];
  #left: Left[] = [];

  /** Of the helper of each part but the first, its port. */
  constructor(ports: readonly MessagePort[]) {
    this.#helpers = ports.map((port, at) => {
      const helper: Helper = { port, settle: undefined, watch: new AbortController() };
      port.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ("alive" in data) onceFree(data.alive, helper.watch.signal, () => this.lose(at, "its worker ended without a word"));
        else if ("failed" in data) this.lose(at, data.failed);
        else settle(helper, data.answer);
      };
      helper.port.unref?.();
      return helper;
    });
  }

  /** How many parts a batch has at most: also once somebody is gone, or the run would not end in the same bytes. */
  get most(): number {
    return this.#helpers.length + 1;
  }

  /** Asks for so many parts of a batch, but for the first; undefined of who is gone. */
  ask(order: Uint32Array<ArrayBuffer>, parts: number): Promise<(Uint32Array | undefined)[]> {
    const { most } = this;
    const asked = this.#helpers.slice(0, parts - 1).map(
      (helper, at) =>
        new Promise<Uint32Array | undefined>((resolve) => {
          if (!helper) {
            resolve(undefined);
            return;
          }
          helper.settle = resolve;
          helper.port.ref?.();
          helper.port.postMessage({ order, part: at + 1, most } satisfies Wanted);
        }),
    );
    return Promise.all(asked);
  }

  /** Takes note that a helper is gone. */
  lose(at: number, reason: string): void {
    const helper = this.#helpers[at];
    if (!helper) return;
    this.#helpers[at] = undefined;
    helper.watch.abort();
    helper.port.close();
    this.#left.push({ workers: 1 + this.#helpers.filter(Boolean).length, reason });
    settle(helper, undefined);
  }

  /** Who is gone since it was asked last. */
  left(): readonly Left[] {
    return this.#left.splice(0);
  }

  /** Lets all helpers go. */
  end(): void {
    this.#helpers.forEach((_, at) => this.lose(at, "the run is over"));
  }
}

function settle(helper: Helper, answer: Uint32Array | undefined): void {
  helper.port.unref?.();
  helper.settle?.(answer);
  helper.settle = undefined;
}

/** Answers what the thread that leads a run asks for, by `learn`. */
export function serveLeader(port: MessagePort, learn: (wanted: Wanted) => Promise<Uint32Array<ArrayBuffer>>): void {
  // Whoever has an answer of this thread has been told how to hear of its end.
  const told = stayAlive((alive) => port.postMessage({ alive } satisfies Answer));
  port.onmessage = async ({ data }: MessageEvent<Wanted>) => {
    try {
      await told;
      const answer = await learn(data);
      port.postMessage({ answer } satisfies Answer, [answer.buffer]);
    } catch (error) {
      port.postMessage({ failed: messageOf(error) } satisfies Answer);
    }
  };
}

/**
 * Holds a lock of its own until this thread ends, and tells its name: of a worker that a browser ends nobody has another word.
 * Resolves once it is told. In Node, whose threads tell of their end, it does nothing.
 */
async function stayAlive(tell: (name: string) => void): Promise<void> {
  // A page whose address is not secure has no locks.
  if (!("WorkerGlobalScope" in globalThis && navigator.locks)) return;
  const name = `saccade-rnn ${crypto.randomUUID()}`;
  await new Promise<void>((told) => {
    const hold = () => {
      tell(name);
      told();
      return new Promise<never>(() => {});
    };
    navigator.locks.request(name, hold).catch(() => told());
  });
}

/** Calls `then` once nobody holds the lock, unless `signal` is aborted before. */
function onceFree(name: string, signal: AbortSignal, then: () => void): void {
  navigator.locks?.request(name, { signal }, then).catch(() => undefined);
}
