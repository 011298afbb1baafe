/** Instructions for the engine: a list of numbers that is handed over once a flush. `crate/src/web/graph/instructions.rs` reads it. */

/** Operations by the numbers that begin their instructions. */
export const Op = {
  input: 0,
  variable: 1,
  embedding: 2,
  affine: 3,
  matmul: 4,
  tanh: 5,
  sigmoid: 6,
  relu: 7,
  exp: 8,
  log: 9,
  scale: 10,
  add: 11,
  subtract: 12,
  multiply: 13,
  concatColumns: 14,
  concatRows: 15,
  columns: 16,
  rows: 17,
  scatterAdd: 18,
  pool: 19,
  reduce: 20,
  softmax: 21,
  logSoftmax: 22,
  crossEntropy: 23,
  dropout: 24,
  layerNorm: 25,
  layer: 26,
  step: 27,
  call: 28,
} as const;

/** An operation's name, which errors begin with. */
export type OpName = keyof typeof Op;

/** What was recorded since the last flush. */
export class Tape {
  #code = new Int32Array(64);
  #words = 0;
  #data = new Float32Array(64);
  #values = 0;
  /** How many expressions there are, which is the number of the next. */
  expressions = 0;

  /** Where the next word goes. */
  get words(): number {
    return this.#words;
  }

  word(word: number): void {
    if (this.#words === this.#code.length) this.#grow(1);
    this.#code[this.#words++] = word;
  }

  /** A list: how many words, and the words. */
  list(words: ArrayLike<number>): void {
    this.word(words.length);
    if (this.#words + words.length > this.#code.length) this.#grow(words.length);
    // Most lists are short, for which a loop is quicker than `set`.
    for (let i = 0; i < words.length; i++) this.#code[this.#words++] = words[i] as number;
  }

  value(value: number): void {
    this.values([value]);
  }

  values(values: ArrayLike<number>): void {
    const needed = this.#values + values.length;
    if (needed > this.#data.length) {
      const data = new Float32Array(Math.max(needed, 2 * this.#data.length));
      data.set(this.#data);
      this.#data = data;
    }
    this.#data.set(values, this.#values);
    this.#values = needed;
  }

  #grow(more: number): void {
    const code = new Int32Array(Math.max(this.#words + more, 2 * this.#code.length));
    code.set(this.#code);
    this.#code = code;
  }

  /** All instructions, which are forgotten here: views that last until the next one is recorded. */
  take(): { readonly code: Int32Array; readonly data: Float32Array } {
    const taken = { code: this.#code.subarray(0, this.#words), data: this.#data.subarray(0, this.#values) };
    this.#words = 0;
    this.#values = 0;
    return taken;
  }
}
