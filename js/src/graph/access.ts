/** Who may use parameters when: any number of graphs at once, or one change. */

/** Lets work begin when it may. */
export class Access {
  #sharing = 0;
  #changing = false;
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

  /** Work that changes the parameters: it waits for all other work. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#changing || this.#sharing > 0) await this.#next();
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
    return answer;
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
