/** What the chapter Race says. */

import { plural } from "../frame/format.ts";

export const chapter = {
  name: "Race",
  title: "What recurrence costs",
  lede: "Skimming is one way to compute less. There are others, and only a race on your own machine can tell which of them pays.",
  question: "Which network is the fastest on your machine?",
};

export const networks = { elman: "Elman", gru: "GRU", lstm: "LSTM", skim: "Skim-LSTM", sru: "SRU" };

export const race = {
  stop: "Stop",
  rounds: "Rounds run",
  turns: (batch: number, length: number) => `All take turns, ${batch > 1 ? `${batch} × ` : ""}${plural(length, "word")}`,
  failed: (why: string) => `The race was broken off: ${why}`,
  notReady: "the network was not made ready",
  spoken: (length: number, network: string, device: string, rate: string) =>
    `The race over ${plural(length, "word")} is run. ${network} on ${device} was the fastest: ${rate} words a second.`,
  method: (ms: number) =>
    `turns of ${ms} ms, all networks and devices by turns, from words to scores, or of a layer alone from rows to rows`,
};

export const sprint = {
  title: "Five networks, one text",
  prose: (length: number, skimmed: number) => [
    `Five recurrent networks of one size, a hundred numbers in and a hundred of state, read the words of **your text**, ${plural(length, "word")} of it. Their weights are random, for speed does not depend on what a network knows. Only the Skim-LSTM is told what to skim: what the network above chose, ${skimmed}% of these words.`,
    "Nothing is measured until you ask. Then all networks take turns, on both devices, so that a busy moment slows all of them. Every bar is the median of eleven turns, with its middle half as a whisker. Or race on [a long review](review).",
  ],
  start: "Start the race",
  caption: (length: number) => `Words a second, on ${plural(length, "word")}; longer is faster`,
  log: "Each line stands for ten times as many words a second.",
  pale: (machine: string) => `The pale bars were recorded on another machine (${machine}). Start the race to measure yours.`,
  noDevice: "The recorded race had no such device. Start the race to see whether yours has.",
  failed: "failed",
};

export const chain = {
  title: "What waits for what",
  prose: [
    "A step of an LSTM multiplies the state by a large matrix, and that state comes out of the step before. Ten processors do not help: there is never more than one step to work on.",
    "SRU keeps the state out of its products. All of them, for all words, are one large product that keeps every processor busy; what remains of the chain is a *scan* that adds and scales, number by number.",
    "[Run the clock](play) and see where each of them waits.",
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
  note: "A drawing, not a measurement: each block is as wide as it has floating-point operations, in layers of a hundred numbers in and a hundred of state.",
  pays: "Where it pays: on one CPU thread SRU makes fewer passes over the weights, because one product for all words fetches them once and a chain fetches its own again at every word; on a GPU every channel’s scan runs at once.",
  run: "Run the clock",
};

export const time = {
  title: "Where the time goes",
  prose: [
    "Every reading has a fixed cost: the page starts kernels and fetches results. On a GPU this cost is high, and a short text costs little else. After that each word adds its own cost, and here the networks differ.",
    "So a GPU wins where there is much to do at once, and a CPU where there is one sentence and somebody waiting.",
  ],
  table: "Table of the time by network",
  network: "network",
  fixed: "every reading",
  each: "each token",
  split: (length: number) => `of a text of ${length}`,
  flops: "FLOPs a token",
  weights: "weights",
  launches: "launches",
  moved: "moved",
  kernels: "in kernels",
  around: "around them",
  share: (percent: number) => `${percent}% fixed`,
  keyFixed: "launching, waiting and reading back, whatever the text;",
  keyEach:
    "arithmetic and the memory it waits for. From the line through the text and one four times as long. Weights are fetched once by SRU’s product, but again at every step by the others’ chains.",
  passes: (length: number) =>
    `Launches, bytes moved between processor and GPU, and the time in kernels by the GPU’s own clock are those of one pass of the layer over ${length} words; what is around the kernels is launching, waiting and reading back.`,
};

export const length = {
  title: "The longer the text",
  prose: [
    "From a sentence to a chapter. Where a line is flat, the reading costs only its fixed part. Where it rises as fast as the text grows, every word costs the same. On a GPU a line usually begins higher, and rises later.",
  ],
  start: "Measure all lengths",
  caption: "Time of one text, by its length",
  unit: "words in the text",
};

export const batch = {
  title: "Many texts at once",
  prose: (length: number) => [
    "Nobody waits for one sentence alone in a data centre. Many texts can go side by side: then each step of the chain multiplies a whole matrix of states, and there is work for many processors again.",
    `The layer alone, on texts of ${length} words, read together as one batch.`,
  ],
  start: "Measure all batches",
  caption: "Time of one batch, by the number of texts in it",
  unit: "texts in the batch",
};

export const lines = {
  label: (title: string) => `${title}. The table below has the numbers.`,
  none: "Nothing has been measured yet.",
  onGpu: (network: string) => `${network} GPU`,
  devices: "solid: CPU, dashed: WebGPU",
  pale: "pale: recorded elsewhere, not on this machine",
};

export const results = {
  title: "Take the numbers with you",
  prose: [
    "Each number is a property of this machine, this browser and this moment. The copied table says which: the browser, the adapter, and how it was measured.",
  ],
  table: "All results",
  columns: ["network", "device", "tokens", "texts", "time", "middle half", "tokens/s"],
  copy: "Copy as a table",
  copied: "Copied.",
  noCopying: "This browser does not let the page copy.",
};

/** The table as it is copied. */
export const report = {
  title: (when: string) => `Saccade, ${when}`,
  browser: (name: string) => `Browser: ${name}`,
  adapter: (name: string | null) => `WebGPU adapter: ${name ?? "none"}`,
  unnamed: "unnamed",
  method: (method: string) => `Method: ${method}`,
  columns: ["network", "device", "tokens", "texts", "ms (median)", "ms (quartiles)", "tokens/s", "FLOPs"],
  quartiles: (low: string, high: string) => `${low} to ${high}`,
};
