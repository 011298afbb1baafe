/** The words of the figures about cells. */

import type { CellKind, Gate } from "./cell.ts";

export const names: Readonly<Record<CellKind, string>> = { elman: "Elman", gru: "GRU", lstm: "LSTM", sru: "SRU" };

export const about: Readonly<Record<CellKind, string>> = {
  elman: "No gate: every step writes the whole state anew.",
  gru: "Two gates. What the update gate does not keep is written anew.",
  lstm: "Three gates, and a memory beside the state.",
  sru: "Two gates that see the memory number by number: no matrix waits for it.",
};

/** What shutting a gate comes to. */
export const shutMeans: Readonly<Partial<Record<`${CellKind} ${Gate}`, string>>> = {
  "gru reset": "What is written knows nothing of the state before.",
  "gru update": "Nothing is copied over: the old state acts only through what is written.",
  "lstm input": "Nothing is let in: the memory stays empty.",
  "lstm forget": "Nothing is kept in the memory: the past acts only through the state.",
  "lstm output": "Nothing is shown: the memory goes on, but the state is 0.",
  "sru forget": "Nothing is kept: the memory holds the word at hand and no other.",
  "sru reset": "Nothing of the memory is shown: the word passes by the cell.",
};

/** Letters of the gates in the drawings, as in the formulas. */
export const letters: Readonly<Record<CellKind, Readonly<Partial<Record<Gate, string>>>>> = {
  elman: {},
  gru: { reset: "r", update: "z" },
  lstm: { input: "i", forget: "f", output: "o" },
  sru: { forget: "f", reset: "r" },
};

export const labels = { memory: "memory", state: "state", word: "word", newMemory: "new memory", newState: "new state" };

/** A sentence, of each word what it says (praise above 0) and whether it says anything. */
export const sentence: readonly { readonly word: string; readonly says: number; readonly counts: number }[] = [
  { word: "The", says: 0, counts: 0 },
  { word: "plot", says: 0.1, counts: 0.4 },
  { word: "is", says: 0, counts: 0 },
  { word: "dull", says: -0.9, counts: 1 },
  { word: "but", says: 0.1, counts: 0.5 },
  { word: "the", says: 0, counts: 0 },
  { word: "leads", says: 0.1, counts: 0.4 },
  { word: "shine", says: 1, counts: 1 },
];

export const words = {
  at: "The step at",
  valueText: (word: string, at: number, count: number) => `“${word}”, word ${at} of ${count}`,
  openAll: "Open all gates",
  valve: (gate: string, cell: string, open: string, word: string) => `Hold the ${gate} gate of the ${cell} shut: ${open} open at “${word}”`,
  gates: { input: "Input", forget: "Forget", output: "Output", reset: "Reset", update: "Update" } satisfies Readonly<Record<Gate, string>>,
  curve: "The state after each word",
  result: (now: string, free: string | null) => `After the last word the state is ${now}${free === null ? "" : `; with no gate held shut it is ${free}`}.`,
  note: "These cells have one unit each, and we chose their weights. The page computes them as you look. Each word brings two numbers: what it says (praise above 0) and how much it counts. The wider a line, the larger the number in it; solid lines are above 0, dashed ones below. Press a gate to hold it shut.",
};

/** Reading from both ends. */
export const both = {
  pick: "Take out the word",
  valueText: (word: string, at: number, count: number) => `“${word}”, word ${at} of ${count}`,
  forward: "forward: from the first word to the last",
  backward: "backward: from the last word to the first",
  caption: "How much each state changes if that word is taken out",
  summary: (word: string, before: number, after: number) =>
    `Without “${word}” the forward states of ${after === 0 ? "that word alone" : `it and the ${after} after it`} change, and the backward states of ${before === 0 ? "that word alone" : `it and the ${before} before it`}. So the two states of a word together have seen the whole text.`,
  note: "These are two LSTMs of eight units with random weights. The page computes them as you look. The further a state is from the word, the less it changes.",
};

/** The scenes around the figures. */
export const scenes = {
  gates: {
    title: "What a gate is for",
    prose: [
      "A cell that rewrites its whole state at every word forgets fast. A gate is a number between 0 and 1. The cell computes it from the word and the state, and multiplies with it: 0 lets nothing through, 1 lets everything through.",
      "Here are four cells in the middle of a sentence. The state of each is a single number. Hold a gate shut and see what becomes of “dull” on its way to the end.",
    ],
  },
  both: {
    title: "Reading from both ends",
    prose: [
      "A network that reads forward knows nothing yet of the words to come. So for many tasks two networks read the text, one from each end, and each word gets both of their states.",
      "Twice the work is not all it costs. The network can say nothing before the last word has come. And when you type on, it must read the whole text again.",
    ],
  },
};
