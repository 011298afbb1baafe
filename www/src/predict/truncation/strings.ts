/** What the scene about truncated back-propagation says. */

import { plural, whole } from "../../frame/format.ts";
import type { Line } from "../../frame/maths/line.ts";

/** A text whose end hangs on its beginning. */
export const passage =
  "The keeper of the lighthouse on the northern point wrote every evening in a long green book, and what he wrote was the weather, the ships and the birds. One winter the lamp went out, and nobody on the coast could say why. The ships waited, the birds went south, and the weather wrote itself in ice along the stairs. In spring a girl climbed up with a lantern, opened the green book, and read, on its very last page, what the keeper had seen.";

export const scene = {
  title: "How far an error reaches",
  prose: [
    "A language model learns from one long text. The text is cut into *lanes* of equal length, which are read side by side, so that each step is one large product. The lanes are read a *chunk* at a time. After every chunk the weights change.",
    "From chunk to chunk the state goes on, so the network remembers what came before. But the gradient stops at the border: an error can only change how the words since then are read. This is *truncated back-propagation through time*.",
    "Drag a border, or the sliders. Choose a word to see which words its guess can still teach. [One word a chunk](one) keeps little and learns no memory. [One chunk for all](all) learns everything and changes the weights once.",
  ],
};

export const controls = {
  lanes: "Lanes",
  lanesValue: (lanes: number) => plural(lanes, "lane"),
  steps: "Words in a chunk",
  stepsValue: (steps: number) => plural(steps, "word"),
  own: "Your text",
  passage: "The lighthouse",
  texts: "The text",
};

export const picture = {
  caption: "Each row is a lane, each box a chunk, each cell a word",
  legend: {
    picked: "the guess is made here",
    taught: "the error reaches it",
    carried: "only its trace in the state is left",
    other: "unknown to this guess",
  },
  lane: (lane: number) => `Lane ${lane}`,
  words: "The words of the text, by lanes",
  word: (word: string, lane: number, how: string) => `${word}, lane ${lane}: ${how}`,
  left: "Not read",
  cut: (words: number) => `The text is long: only its first ${plural(words, "word")} are shown.`,
};

export const result = {
  at: (word: string, next: string, reach: number, chunk: number) =>
    `After “${word}” the network guesses “${next}”. The error reaches ${plural(reach, "word")} of chunk ${chunk}.`,
  carried: (words: number) => `Of ${plural(words, "word")} before it only the state tells, and nothing flows back there.`,
  fresh: "There is nothing before the border: the lane begins with a state of zeros.",
  names: {
    mean: "words an error reaches, on average",
    most: "at most",
    updates: "updates in an epoch",
    together: "words in an update",
    kept: "kept for the way back",
    carried: "carried over a border",
    left: "words left over",
  },
  note: (units: number) => `Bytes are those of an LSTM of ${units} numbers. Lanes begin each epoch with a state of zeros.`,
  bytes: (kilobytes: string) => `${kilobytes} kB`,
  whole,
};

export const maths: readonly Line[] = [
  {
    tex: String.raw`n = \left\lfloor \frac{N - 1}{B} \right\rfloor, \qquad \text{updates} = \left\lceil \frac{n}{T} \right\rceil`,
    words: "A text of N words in B lanes: each has n words that another one follows. The last chunk may be shorter than T, and up to B − 1 words at the end are left over.",
  },
  {
    tex: String.raw`h_t = F(x_t, h_{t-1}), \qquad \bar{h}_{kT} = h_{kT} \text{ as a value}`,
    words: "At a border the state is handed on as numbers. It is not differentiated, as if it were an input.",
  },
  {
    tex: String.raw`\frac{\partial L_t}{\partial W} = \sum_{s = kT + 1}^{t} \frac{\partial L_t}{\partial h_t} \left( \prod_{r = s + 1}^{t} \frac{\partial h_r}{\partial h_{r-1}} \right) \frac{\partial^{+} h_s}{\partial W}`,
    words: "The gradient of the loss at word t: a sum over the words since the border kT, and none before it. ∂⁺ takes the state before as given. Each factor may shrink the product, so even within a chunk far words teach less.",
  },
  {
    tex: String.raw`\frac{1}{n} \left( \left\lfloor \frac{n}{T} \right\rfloor \frac{T (T + 1)}{2} + \frac{r (r + 1)}{2} \right), \qquad r = n \bmod T`,
    words: "How many words a guess teaches on average: 1 for the first of a chunk, T for the last.",
  },
  {
    tex: String.raw`\text{kept} = B \, T \cdot 6 d \cdot 4 \text{ bytes}, \qquad \text{carried} = B \cdot 2 d \cdot 4 \text{ bytes}`,
    words: "Assumed: an LSTM of d numbers keeps four gates, the memory and the state of every word until the gradient has come back. The output layer keeps its own, which is left out.",
  },
];
