/** What the scene about cut-offs says. */

import { plural, whole } from "../../frame/format.ts";
import type { Line } from "../../frame/maths/line.ts";
import { measured } from "../../frame/strings.ts";

const cutInWords = (cut: readonly number[]) => cut.map(whole).join(" and ");

export const scene = {
  title: "Where to cut a vocabulary",
  prose: [
    "A few frequent words make up most of a text. So the network keeps them in a *head*, which it computes at every word. The rest wait in two *tails*, each narrower than the one before, and a tail is computed only when its words matter.",
    "Where should the cuts lie? A larger head costs more at every word. A smaller one sends more words to the tails. What that comes to depends on how long a product takes on this device: measure it, then drag the two cuts.",
    "The [model’s own cut](own) is at 2,000 and 10,000 words. The [cheapest one](best) here is found by comparing all cuts about 3% apart. It must leave enough of the text in the head, because a tail describes its words by fewer numbers and so guesses them less well.",
  ],
  start: "Measure this device",
  again: "Measure again",
  check: "Measure these cuts",
  stop: "Stop",
  rounds: "Rounds measured",
  running: { times: "Products of many sizes take turns.", cuts: "Whole softmaxes take turns, on words as they occur." },
  failed: (why: string) => `The measurement stopped: ${why}`,
  spoken: (cost: string | null) =>
    `The measurement has ended. ${cost === null ? `What a word takes under your cut: ${measured.tooBusy}` : `Under your cut a word takes ${cost}`}.`,
};

export const figure = {
  caption: "Time of a word, if only this cut moves; both scales are logarithmic",
  axis: "most frequent words before the cut",
  handles: ["First cut", "Second cut"],
  value: (words: number, shares: readonly string[], cost: string | null) =>
    `after ${plural(words, "word")}; the head holds ${shares[0] ?? ""}, the tails ${shares[1] ?? ""} and ${shares[2] ?? ""}; ${cost === null ? `what a word takes: ${measured.tooBusy}` : `a word takes ${cost}`}`,
  bands: ["head", "tail 1", "tail 2"],
  legend: { first: "first cut moved", second: "second cut moved", own: "the model’s own cut", best: "the cheapest cut" },
  strip: "The vocabulary on the same scale, and the share of the text in each part",
  pale: (machine: string) => `Pale: these times come from another machine (${machine}). Measure yours.`,
  coverage: "The head must hold at least",
  coverageValue: (share: string) => `${share} of the text`,
};

export const bars = {
  caption: "What a word is expected to take",
  rows: { yours: "Your cut", own: "The model’s own", best: "The cheapest" },
  at: cutInWords,
  whole: (time: string, times: string | null) => `One product for the whole vocabulary: ${time}${times === null ? "." : `, ${times} as long as under your cut.`}`,
  held: "Measured as wholes, in turns",
  heldNote: "A tail that is seldom needed has left the processor’s cache by then, so a whole may take somewhat longer than its parts.",
  heldRow: (cut: readonly number[], expected: string, found: string, between: string) => `Cut at ${cutInWords(cut)}: ${expected} expected, ${found} measured (rounds: ${between}).`,
  heldBusy: (cut: readonly number[], expected: string, busy: string) => `Cut at ${cutInWords(cut)}: ${expected} expected; ${busy}.`,
};

export const curves = {
  caption: "Time of one product, by the words in it",
  axis: "words in the product",
  names: ["head, 256 numbers a word", "tail 1, 64 numbers", "tail 2, 16 numbers"],
  label: "Times of the head and of both tails by the words in them. The table below has the numbers.",
  table: "All times that were measured",
  columns: ["words", "head", "tail 1", "tail 2"],
  tooLittle: "too little to tell",
  note: "A whisker covers all rounds. The larger symbols are the parts of your cut.",
};

export const maths: readonly Line[] = [
  {
    tex: String.raw`C = g_0(k_0 + J) + \sum_{i=1}^{J} p_i \, g_i(k_i)`,
    words: "The expected cost of a word. The head has k₀ words and one output for each of the J tails. Tail i has kᵢ words, and the share pᵢ of the text needs it.",
  },
  {
    tex: String.raw`g_i(k): \quad x \mapsto \softmax(V_i P_i x), \quad P_i \in \mathbb{R}^{d_i \times d}, \; V_i \in \mathbb{R}^{k \times d_i}, \quad d_i = d / 4^i`,
    words: "The measured time of one row, d = 256. The head has no P and all d numbers; the tails have 64 and 16. Between measured sizes it is a line in the logarithms. A tail’s time is what a softmax takes more with the tail than without.",
  },
  {
    tex: String.raw`p_i = \frac{\text{words of the text in tail } i}{\text{words of the text}}`,
    words: "Counted in the novels that the model learned from, <unk> and the ends of paragraphs included. Your own text may have rarer words.",
  },
  {
    tex: String.raw`B_i(e) = \min_{s < e} \bigl( B_{i-1}(s) + p_{(s, e]} \, g_i(e - s) \bigr), \quad B_0(e) = g_0(e + J) \text{ if } p_{[1, e]} \geq \text{the bound}`,
    words: "The cheapest cut, by dynamic programming: the best way to end tail i at word e. Places lie 3% apart.",
  },
  {
    tex: String.raw`p_{[1, k_0]} \geq \text{the bound}`,
    words: "Without the bound the cheapest head is a few words, because the cost leaves out how well the network guesses. Assumed besides: a word needs its own tail and no other, as when a text is scored.",
  },
];
