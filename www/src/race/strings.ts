/** What the chapter Race says. */

import { plural } from "../frame/format.ts";
import { measured } from "../frame/strings.ts";

export const chapter = {
  name: "Race",
  title: "What recurrence costs",
  lede: "Skimming is one way to compute less. There are others. A race on your own machine shows which of them pays.",
  question: "Which network is the fastest on your machine?",
};

export const networks = { elman: "Elman", gru: "GRU", lstm: "LSTM", skim: "Skim-LSTM", sru: "SRU" };

export const race = {
  stop: "Stop",
  rounds: "Rounds run",
  turns: (batch: number, length: number) => `All take turns, ${batch > 1 ? `${batch} × ` : ""}${plural(length, "word")}`,
  failed: (why: string) => `The race stopped: ${why}`,
  notReady: "the network was not made ready",
  spoken: (length: number, network: string, device: string, rate: string) =>
    `The race over ${plural(length, "word")} has ended. ${network} on ${device} was the fastest: ${rate} words a second.`,
  close: (length: number) => `The race over ${plural(length, "word")} has ended. The fastest are too close together to tell which of them won.`,
  measured: { marathon: "All lengths are measured.", relay: "All batches are measured." },
  method: (ms: number, sittings: number) =>
    `all networks and devices take turns of ${ms} ms in up to ${sittings} sittings, timed from words to scores, or for a layer alone from rows to rows`,
};

function raceOn(words: number | null, isCut: boolean): string {
  if (words === null) return "Five recurrent networks of the same size read the words of **your text**, once the network in the chapter Read has read it.";
  if (words > 0) return `Five recurrent networks of the same size read ${isCut ? "the first " : ""}${plural(words, "word")} of **your text**, without what is not spelt with the letters a to z alone: punctuation, numbers, words with accents, and parts such as *’s* and *n’t*.`;
  return "No word of **your text** is spelt with the letters a to z alone, so five recurrent networks of the same size read a single word of ours.";
}

function skims(words: number | null, percent: number): string {
  if (words === null) return "It skims what that network chooses.";
  return words > 0 ? `It skims what the network in the chapter Read chose: ${percent}% of these words.` : "Here it reads its word.";
}

export const sprint = {
  title: "Five networks, one text",
  /** Without words there are none that can be raced on; null before the text was read. */
  prose: (words: number | null, skimmed: number, isCut: boolean) => [
    `${raceOn(words, isCut)} Each takes in a hundred numbers a word and keeps a state of a hundred. Their weights are random, because speed does not depend on what a network knows. Only the Skim-LSTM needs to be told what to skim. ${skims(words, skimmed)}`,
    "Press the button to start. All networks then take turns on both devices, so a busy moment slows all of them. They do so in three sittings, with pauses in between, because a machine may be quicker a second later. Each bar shows the median of up to twelve turns, and its whisker runs from the slowest to the fastest. You can also race on [a long review](review).",
  ],
  start: "Start the race",
  caption: (length: number) => `Words a second, on ${plural(length, "word")}; longer is faster`,
  log: "Each vertical line means ten times as many words a second.",
  pale: (machine: string, length: number) => `The pale bars come from another machine (${machine}) and a text of ${plural(length, "word")}.`,
  begin: "Start the race to measure yours.",
  noDevice: "The other machine had no WebGPU. Start the race to see whether yours has it.",
  failed: "failed",
  untold: { few: "too few", apart: "too busy" },
  whyUntold: {
    few: "Too few: the race was stopped before this network had enough turns to name one speed.",
    apart: "Too busy: the turns of this network lie too far apart to name one speed.",
  },
};

export const chain = {
  title: "What waits for what",
  prose: [
    "At each word, an LSTM multiplies its state by a large matrix. That state comes out of the step before. So ten processors are no faster than one: they can never work on more than one step.",
    "SRU keeps the state out of its matrix products. It can compute the products of all words as a single large one, which keeps every processor busy. Only a *scan* still goes from word to word, and it merely adds and scales numbers.",
    "[Run the clock](play) and see where each network waits.",
  ],
  workers: "How many workers",
  many: "As many workers as words, as on a GPU",
  one: "One worker, as one thread of a CPU",
  done: (operations: string) => `Done after ${operations} operations.`,
  notes: {
    lstm: "The products with the words wait for nothing; those with the state wait for the step before.",
    skim: "The same chain. Most of its links are so small that they are hardly seen.",
    sru: "All products wait for nothing. What is left of the chain only adds and scales.",
  },
  legend: {
    ahead: "waits for no other word",
    large: "waits for the step before: a product with the state",
    small: "waits for the step before: the small cell, or SRU’s scan",
  },
  note: "This is a drawing, not a measurement. The more floating-point operations a block stands for, the wider it is. Each layer takes in a hundred numbers a word and keeps a state of a hundred.",
  pays: "Where does this pay? On one CPU thread, SRU fetches its weights once for all words, and a chain fetches its own again at every word. On a GPU, the scans of all the numbers also run at the same time.",
  run: "Run the clock",
};

export const time = {
  title: "Where the time goes",
  prose: [
    "Every reading has a fixed cost: the page starts the computation and fetches the result. On a GPU this cost is high, and a short text costs little else. Each word then adds its own cost, and here the networks differ.",
    "So a GPU wins when there is much to do at once. A CPU wins when somebody waits for a single sentence.",
  ],
  table: "Table of the time by network",
  network: "network",
  fixed: "every reading",
  each: "each word",
  split: (length: number) => `of a text of ${length}`,
  flops: "FLOPs a word",
  weights: "weights",
  launches: "launches",
  moved: "moved",
  kernels: "in kernels",
  around: "around them",
  share: (percent: number) => `${percent}% fixed`,
  nothing: "not told apart from zero",
  apart: "too busy to tell",
  keyFixed: "launching, waiting and reading back, whatever the text;",
  keyEach:
    "arithmetic, and the memory it waits for. We draw a line through the times of your text and of one four times as long. SRU fetches its weights once for all words. The others fetch them again at every step.",
  passes: (length: number) =>
    `Launches, bytes moved between processor and GPU, and the time in kernels (by the GPU’s own clock) belong to one pass of the layer over ${length} words. The time around the kernels goes into launching, waiting and reading back.`,
};

export const length = {
  title: "The longer the text",
  prose: [
    "The text grows from a sentence to a chapter. Where a line is flat, the reading costs only its fixed part. Where it rises as fast as the text grows, every word costs the same. On a GPU a line usually begins higher and rises later.",
  ],
  start: "Measure all lengths",
  caption: "Time of one text, by its length",
  unit: "words in the text",
};

export const batch = {
  title: "Many texts at once",
  prose: (length: number) => [
    "A data centre rarely reads one sentence alone. It reads many texts side by side. Each step of the chain then multiplies a whole matrix of states, and many processors have work again.",
    `Here the layer alone reads texts of ${length} words, together as one batch.`,
  ],
  start: "Measure all batches",
  caption: "Time of one batch, by the number of texts in it",
  unit: "texts in the batch",
};

export const lines = {
  label: (title: string) => `${title}. The table below has the numbers.`,
  /** The drawing of a race elsewhere, which has no table: of every line both ends. */
  paleLabel: (title: string, unit: string, lines: readonly string[]) => `${title}, on another machine, by ${unit}. ${lines.join("; ")}.`,
  ends: (network: string, device: string, first: string, least: number, last: string, most: number) =>
    `${network} on ${device}: ${first} at ${least}, ${last} at ${most}`,
  none: "There are no measurements yet.",
  onGpu: (network: string) => `${network} GPU`,
  devices: "solid: CPU, dashed: WebGPU",
  pale: "pale: from another machine, not yours",
};

export const results = {
  title: "Take the numbers with you",
  prose: [
    "Each number belongs to this machine, this browser and this moment. The table that you copy names the browser and the GPU, and says how we measured.",
  ],
  table: "All results",
  columns: ["network", "device", "words", "texts", "turns", "time", "turns between", "words/s"],
  untold: { few: "too few turns to tell", apart: measured.tooBusy },
  copy: "Copy as a table",
  copied: "Copied.",
  noCopying: "This browser does not let the page copy the table.",
};

/** The table as it is copied. */
export const report = {
  title: (when: string) => `Saccade, ${when}`,
  browser: (name: string) => `Browser: ${name}`,
  adapter: (name: string | null | undefined) => `WebGPU adapter: ${name === undefined ? "not known yet" : (name ?? "none raced on")}`,
  unnamed: "unnamed",
  method: (method: string) => `Method: ${method}`,
  columns: ["network", "device", "words", "texts", "turns", "ms (median)", "ms (between)", "words/s", "FLOPs"],
  untold: { few: "too few turns", apart: "too busy" },
  between: (low: string, high: string) => `${low} to ${high}`,
};
