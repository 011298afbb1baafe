/** What the scene “Your own text” says. */

import { whole } from "../../frame/format.ts";
import type { Cell } from "./cells.ts";

export const scene = {
  title: "Your own text",
  prose: [
    "Here a network learns to write. It reads a text letter by letter and guesses each before it comes. All that it will ever know of words, lines and names it finds out from that.",
    "**Paste** a text of your own: a diary, a program, letters from a friend. It stays in your browser. As the network learns, it writes a few lines after every look at its progress. Pull the slider to see how they came from noise.",
    "Choose which *cell* learns. All four networks have about as many weights. Then let it guess words of your own in the chapter Predict.",
  ],
  source: "The text",
  shakespeare: "Shakespeare",
  own: "My text",
  aboutShakespeare: "The first 100,000 letters of “Tiny Shakespeare”. They are in the public domain.",
  aboutOwn: (letters: number) => `${whole(letters)} letters.`,
  linkedOwn: "The link’s run is of a text that no link carries: paste the same text here, and you get the same run.",
  few: (fewest: number) => `At least ${whole(fewest)} letters are needed.`,
  many: (most: number) => `Only the first ${whole(most)} letters are learned.`,
  field: "Your text to learn",
  placeholder: "Paste a text here, or drop a file.",
  pick: "A text file",
  cell: "The cell that learns",
  cells: { lstm: "LSTM", gru: "GRU", sru: "SRU", elman: "Elman" } satisfies Record<Cell, string>,
  aboutCell: {
    lstm: "It keeps a memory beside its state, and gates say what enters it.",
    gru: "It has one gate less than an LSTM, and no memory of its own.",
    sru: "Its products do not wait for the letter before, so it learns fastest. It has two layers.",
    elman: "It has no gates: every letter rewrites the whole state.",
  } satisfies Record<Cell, string>,
};

export const controls = {
  learn: "Learn the text",
  use: "Use it in Predict",
  recorded: "Below you see what an LSTM wrote when we had it learn Shakespeare. The slider below the curve goes back to its beginning. Press Learn the text and it happens here.",
  temperature: "Temperature of its samples",
  notFetched: "The text did not load.",
  ended: (bits: string) => `It has learned the text, and needs ${bits} bits for a letter.`,
  handed: (bits: string) => `${bits} bits a letter`,
};

export const figure = {
  empty: "What it writes will stand here.",
  caption: (passes: string) => `What it wrote after ${passes}`,
  group: "A sample of what it writes",
  bits: "bits a letter, of the text’s end",
  none: (bits: string, letters: number) => `who knows nothing of its ${whole(letters)} letters needs ${bits}`,
  chart: "Bits a letter, pass by pass",
  passes: "passes through the text",
  scrub: "Back through the samples",
  value: (passes: string, bits: string) => `after ${passes}: ${bits} bits a letter`,
  nothing: "knows nothing",
};

/** What the chapter Predict calls the model. */
export const fileName = (cell: Cell): string => `my-${cell}.safetensors`;
