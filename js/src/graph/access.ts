/** Who may use parameters when: any number of graphs at once, or one change. */

import { errorOf } from "../errors.js";
import { turn } from "../turn.js";

/**
 * Lets work begin when it may. A change waits for open graphs as long as somebody waits for what the engine computes. Once nobody
 * does, the functions of the graphs wait for something else: maybe for the change, which would never come. So it is refused.
 */
export class Access {
  #sharing = 0;
  #changing = false;
  /** Functions of graphs that have not ended. */
  #open = 0;
  /** Answers of the engine that are waited for. */
  #asked = 0;
  #waiting: (() => void)[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** Work that leaves the parameters as they are; it waits for a change that is under way, and for none that waits. */
  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.#changing) await this.#next();
    this.#sharing += 1;
    try {
      return await work();
    } finally {
      this.#sharing -= 1;
      this.#wake();
    }
  }

  /** A graph's function, in work that shares the parameters. */
  async open<T>(scope: () => T | PromiseLike<T>): Promise<T> {
    this.#open += 1;
    try {
      return await scope();
    } finally {
      this.#open -= 1;
    }
  }

  /** An answer of the engine that is waited for. */
  asked<T>(answer: Promise<T>): Promise<T> {
    this.#asked += 1;
    return answer.finally(() => {
      this.#asked -= 1;
      if (this.#asked === 0) this.#wake();
    });
  }

  /** Work that changes the parameters: it waits for all other work. */
  async alone<T>(by: string, work: () => Promise<T>): Promise<T> {
    while (this.#busy) {
      // Whoever can go on has, afterwards.
      await turn();
      if (this.#open > 0 && this.#asked === 0) {
        const found = "a graph of these parameters is open, and its function waits for something else than values, perhaps for this call";
        throw errorOf("OPTION_INVALID", `${by}: ${found}: the graph's function must end first`);
      }
      if (this.#busy) await this.#next();
    }
    this.#changing = true;
    try {
      return await work();
    } finally {
      this.#changing = false;
      this.#wake();
    }
  }

  /** Work that shares them and that the engine does one of at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(work);
    this.#last = answer.catch(() => undefined);
    return this.asked(answer);
  }

  get #busy(): boolean {
    return this.#changing || this.#sharing > 0;
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}
