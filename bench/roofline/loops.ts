/** The loops of the roofline over matrices of chosen sizes, in Node or in a browser. */

import { BLOCK, CHAINS, PANEL, REPEATS } from "./wat.ts";

/** A loop by name: what it works on and where that lies. */
export const loops = ["registers", "matvec 16 KB", "matvec 160 KB", "matvec 4 MB", "matvec 64 MB", "product"] as const;
export type Loop = (typeof loops)[number];

/** Rows and columns: the hidden size of 100 in L1 (a slice) and L2 (an LSTM), of 512 (an LSTM), and what no cache holds. */
const matrices: Readonly<Partial<Record<Loop, readonly [number, number]>>> = {
  "matvec 16 KB": [PANEL, 100],
  "matvec 160 KB": [400, 100],
  "matvec 4 MB": [2040, 512],
  "matvec 64 MB": [4000, 4000],
};

/** Of the product: both operands of a block of the sum fit L1. */
const PRODUCT = { rows: 20, depth: 256, columns: 256 };

/** Addresses: the matrix (or the product's right side), the vector (or its left side), the result. */
const PLACE = { matrix: 1 << 20, vector: 1 << 16, out: 1 << 18 };
/** Pages of memory that the largest matrix needs. */
export const PAGES = Math.ceil((PLACE.matrix + 4 * 4000 * 4000) / 65536) + 1;

interface Exports {
  memory: WebAssembly.Memory;
  registers(turns: number): void;
  matvec(matrix: number, panels: number, columns: number, vector: number, out: number): void;
  product(a: number, aPanels: number, b: number, bPanels: number, depth: number, out: number): void;
}

/** A module's loops, over a memory of small numbers. */
export class Roofline {
  readonly #exports: Exports;
  /** Numbers in memory, for tests: the loops read `matrix` and `vector` and write `out`. */
  readonly memory: Float32Array;

  constructor(instance: WebAssembly.Instance) {
    this.#exports = instance.exports as unknown as Exports;
    this.memory = new Float32Array(this.#exports.memory.buffer);
    for (let i = 0; i < this.memory.length; i++) this.memory[i] = ((i * 7919) % 64) / 64 - 0.5;
  }

  /** One call of a loop; gives its floating-point operations, two for each multiply-add. */
  run(loop: Loop): number {
    if (loop === "registers") {
      const turns = 2000;
      this.#exports.registers(turns);
      return turns * REPEATS * CHAINS * 4 * 2;
    }
    if (loop === "product") {
      const { rows, depth, columns } = PRODUCT;
      this.#exports.product(PLACE.vector, rows / BLOCK.rows, PLACE.matrix, columns / BLOCK.columns, depth, PLACE.out);
      return 2 * rows * depth * columns;
    }
    const [rows, columns] = matrices[loop]!;
    this.#exports.matvec(PLACE.matrix, rows / PANEL, columns, PLACE.vector, PLACE.out);
    return 2 * rows * columns;
  }

  /** GFLOP/s of a loop, over calls of `ms` milliseconds together and at least one. */
  rate(loop: Loop, ms: number): number {
    const begun = performance.now();
    let flops = 0;
    let now = begun;
    do {
      // Between looks at the clock, whose hand moves in steps of 0.1 ms in browsers.
      for (let i = 0; i < 4; i++) flops += this.run(loop);
      now = performance.now();
    } while (now - begun < ms);
    return flops / (now - begun) / 1e6;
  }
}

/** Where things lie in `Roofline.memory`, as indices. */
export const places = { matrix: PLACE.matrix / 4, vector: PLACE.vector / 4, out: PLACE.out / 4, product: PRODUCT, matrices };
