/** Cells of one unit whose weights were chosen so that each gate has something to do. A word brings what it says and how much it counts. */

import type { CellKind, Weights } from "./cell.ts";

export const chosen: Readonly<Record<CellKind, Weights>> = {
  // Whatever it has heard fades, by a tenth or so a word.
  elman: { ih: [[1.4, 0]], hh: [[0.95]], bias: [0] },
  // A word that counts makes it write; the others leave the state alone.
  gru: {
    ih: [[0, -1.5], [0, -5], [1.8, 0]],
    hh: [[0], [0], [0.6]],
    bias: [1, 3, 0],
    inner: [0],
  },
  // Lets in what counts, and makes room for it.
  lstm: {
    ih: [[0, 6], [0, -2], [1.6, 0], [0, 1]],
    hh: [[0], [0], [0.3], [0]],
    bias: [-3, 3, 0, 0.5],
  },
  // The same, by gates that see the word and, number by number, the memory.
  sru: { ih: [[1.3, 0], [0, -5], [0, 1]], hh: [], bias: [3, 1], v: [0.3, 0.3] },
};

/** Weights in [-1, 1] that nobody chose, the same every time, of an LSTM with so many inputs and units. */
export function random(inputs: number, size: number, seed: number): Weights {
  const number = (at: number) => ((((Math.sin(12.9898 * at + 78.233 * seed) * 43758.5453) % 1) + 1) % 1) * 2 - 1;
  const rows = (columns: number, from: number) =>
    Array.from({ length: 4 * size }, (_, row) => Array.from({ length: columns }, (_, column) => number(from + row * columns + column)));
  return { ih: rows(inputs, 0), hh: rows(size, 1000).map((row) => row.map((weight) => weight / Math.sqrt(size))), bias: Array<number>(4 * size).fill(0) };
}

/** Numbers for a word, the same wherever it stands. */
export function vectorOf(word: string, size: number): number[] {
  const seed = [...word.toLowerCase()].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7);
  return Array.from({ length: size }, (_, at) => Math.sin(seed * (at + 1)));
}
