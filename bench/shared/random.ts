/** Numbers that are the same in every browser and in Node: a 32-bit counter, hashed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1), 32 random bits. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
  }

  /** `length` numbers, uniform in (-bound, bound). */
  uniform(length: number, bound: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => (2 * this.next() - 1) * bound);
  }
}
