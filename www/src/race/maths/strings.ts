/** The mathematics of the scenes, in formulas and words. */

import type { Line } from "../../frame/maths/line.ts";
import { cellFlops } from "../../study/flops.ts";
import type { Scene } from "./scenes.ts";

const lstm = cellFlops("lstm", 100, 100);

export const lines: Readonly<Record<Scene, readonly Line[]>> = {
  sprint: [
    {
      tex: String.raw`\text{words a second} = \frac{T}{\text{median}(t_1, \dots, t_n)}`,
      words: "A turn runs a network again and again and takes the mean time t of one run. The median is the turn in the middle. A busy moment makes some turns long, and leaves the median where it is. The whisker goes from the first to the third quartile.",
    },
    {
      tex: String.raw`\text{LSTM:} \quad 8 d (m + d) = \live{${(lstm.word + lstm.state).toLocaleString("en")}}`,
      words: "The operations for each word, with m = d = 100. An Elman network needs 2 d (m + d), a GRU 6 d (m + d), SRU 6 d m.",
    },
  ],

  gates: [
    { tex: String.raw`\text{Elman:} \quad h_t = \tanh(W x_t + U h_{t-1} + b)`, words: "One product, and no gate: every step rewrites the whole state." },
    {
      tex: String.raw`\text{GRU:} \quad h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}`,
      words: "The update gate z says how much of the state is kept; the rest is written anew. ⊙ multiplies number by number.",
    },
    {
      tex: String.raw`n_t = \tanh(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + b_n'))`,
      words: "The reset gate r says how much the new state may know of the old. Both gates are σ(W x + U h + b), between 0 and 1.",
    },
    {
      tex: String.raw`\text{LSTM:} \quad c_t = f_t \odot c_{t-1} + i_t \odot g_t`,
      words: "A memory c beside the state: the forget gate f keeps, the input gate i lets g = tanh(W x + U h + b) in.",
    },
    { tex: String.raw`h_t = o_t \odot \tanh(c_t)`, words: "The output gate o says how much of the memory shows in the state." },
    {
      tex: String.raw`\text{SRU:} \quad c_t = f_t \odot c_{t-1} + (1 - f_t) \odot W x_t`,
      words: "What is written depends on the word alone. The gates see the memory only number by number: f = σ(W x + v ⊙ c + b), no matrix.",
    },
    { tex: String.raw`h_t = r_t \odot c_t + (1 - r_t) \odot x_t`, words: "The reset gate r mixes the memory with the word itself, which may pass by the cell." },
  ],

  both: [
    { tex: String.raw`\forward{h}_t = F(x_t, \forward{h}_{t-1})`, words: "One network goes from the first word to the last." },
    { tex: String.raw`\backward{h}_t = B(x_t, \backward{h}_{t+1})`, words: "Another, with weights of its own, comes back from the last to the first." },
    { tex: String.raw`h_t = [\forward{h}_t; \backward{h}_t]`, words: "The state of a word is both, one below the other. It is twice as long, and costs twice as much." },
  ],

  chain: [
    {
      tex: String.raw`8 d (m + d) = \live{80,000} + \live{80,000}`,
      words: "An LSTM’s operations for each word, with m = d = 100. The product with the word waits for nothing. The product with the state takes as many, and waits for the step before.",
    },
    {
      tex: String.raw`2 (2 (m + d) + 4 d' m) = \live{8,800}`,
      words: "A Skim-LSTM computes only the decision’s and the small cell’s products beforehand. A word that is read then costs 160,000 in the chain, one that is skimmed 800.",
    },
    {
      tex: String.raw`6 d m = \live{60,000}`,
      words: "SRU’s product with the word is all of its products. What remains in the chain is some 14 operations for each of the d numbers of the memory.",
    },
  ],

  time: [
    {
      tex: String.raw`t(T) = t_0 + a T`,
      words: "A reading has a fixed part and a part for each word. Two lengths are measured, T and 4 T, and a line has two unknowns.",
    },
    { tex: String.raw`a = \frac{t(4T) - t(T)}{3 T}, \quad t_0 = t(T) - a T`, words: "If the rounds do not agree on both numbers, the page shows neither." },
  ],

  length: [
    {
      tex: String.raw`\frac{d \log t}{d \log T} = \frac{a T}{t_0 + a T}`,
      words: "Both axes are logarithmic. The slope of a line is the share of the time that grows with the text: 0 where the fixed part is all, 1 where it is nothing.",
    },
  ],

  batch: [
    {
      tex: String.raw`H_t = F(X_t W + H_{t-1} U)`,
      words: "With B texts at once, states and words are matrices of B rows. The weights W and U are fetched once for all of them, not once for each.",
    },
    { tex: String.raw`\frac{\text{operations}}{\text{bytes of weights}} = \frac{2 B}{4}`, words: "A weight takes 4 bytes and serves 2 operations in each text. So the larger the batch, the less a processor waits for memory." },
  ],

  results: [
    {
      tex: String.raw`q_p = x_{(k)} + (k' - k) (x_{(k+1)} - x_{(k)}), \quad k' = 1 + p (n - 1)`,
      words: "The median (p = 0.5) and the quartiles (0.25 and 0.75) of n sorted samples. What falls between two samples lies on the line from one to the other. Here k is the whole part of k′.",
    },
  ],
};
