/** How a run that several threads learn speaks with them: over ports, one to each, without the page between them. */

import { messageOf } from "../errors.js";

/** What is asked of a helper: to learn from a part of a batch. */
interface Wanted {
  readonly order: Uint32Array<ArrayBuffer>;
  readonly part: number;
  readonly most: number;
}

/** What a helper says: its part's gradients, or why it has none. */
type Answer = { readonly answer: Uint32Array<ArrayBuffer> } | { readonly failed: string };

/** A port of Node's, which keeps a thread alive unless told otherwise. */
interface NodePort {
  ref?(): void;
  unref?(): void;
}

interface Helper {
  readonly port: MessagePort & NodePort;
  /** Takes what it answers; there only while it is asked. */
  settle: ((answer: Uint32Array | undefined) => void) | undefined;
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
      const helper: Helper = { port, settle: undefined };
      port.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ("failed" in data) this.lose(at, data.failed);
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
  port.onmessage = async ({ data }: MessageEvent<Wanted>) => {
    try {
      const answer = await learn(data);
      port.postMessage({ answer } satisfies Answer, [answer.buffer]);
    } catch (error) {
      port.postMessage({ failed: messageOf(error) } satisfies Answer);
    }
  };
}
