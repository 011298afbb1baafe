/** The mathematics of every scene, in formulas and words; all that a translator needs of it is in this file. */

import { count, percent, precise } from "../frame/format.ts";
import { digits, roughly } from "../frame/measured.ts";
import { gatesOf, type SkimSizes } from "../read/inside.ts";
import type { SceneId } from "./switch.ts";
import { cellFlops, skimCost, skimFlops } from "./flops.ts";

/** A formula (in the TeX of `tex.ts`) and what it says. */
export interface Line {
  readonly tex: string;
  readonly words: string;
}

/** Numbers of the text on the page; what is not known is null. */
export interface Numbers {
  readonly tokens: number;
  readonly read: number;
  readonly skimmed: number;
  readonly sizes: SkimSizes | null;
  readonly threshold: number;
  /** The word in focus. */
  readonly word: string;
  readonly pSkim: number | null;
  readonly logits: { readonly read: number; readonly skim: number } | null;
  readonly label: string;
  readonly probability: number | null;
  /** Mean of -log p of skimming, over the text. */
  readonly skimLoss: number | null;
  /** Of the curve's test set: an accuracy, and on how many texts it was measured. */
  readonly accuracy: number | null;
  readonly texts: number | null;
  /** Milliseconds, where the machine could tell. */
  readonly account: { readonly fixedMs: number; readonly readMs: number; readonly skimMs: number | null; readonly totalMs: number } | null;
}

export const words = {
  gumbel: {
    temperature: "Temperature",
    caption: "What 120 draws make of a word: all the way to the right is read, to the left is skimmed",
    chance: "Probability of reading",
    valueText: (temperature: number) => (temperature === 0 ? "0, a hard choice" : `${digits(temperature)}`),
    summary: (hard: number, count: number, mean: number) =>
      `${hard} of ${count} draws are decided: less than a twentieth of them is left of the other way. Their mean is ${percent(mean)}.`,
    skim: "skim",
    read: "read",
    still: "Near 0 every draw is a choice, and nothing can be learned from it: its slope is 0 almost everywhere. Warm, every draw is a bit of both, and the gradient flows through both cells. So training begins warm and cools.",
  },
};

const live = (value: string | number) => `\\live{${typeof value === "number" ? value.toLocaleString("en") : value}}`;
const fixed = (value: number, places: number) => value.toFixed(places).replace("-", "−");
/** Without what means something in a formula. */
const plain = (text: string) => text.replace(/[{}\\]/g, " ");
const known = (value: number | null): value is number => value !== null && Number.isFinite(value);

export const lines: Readonly<Record<SceneId, (numbers: Numbers) => readonly Line[]>> = {
  "read-text": ({ tokens, sizes, label, probability }) => [
    {
      tex: String.raw`x_t = E_{w_t}`,
      words: `Each word is looked up in a table E. It becomes ${sizes?.input ?? 100} numbers, the vector x.`,
    },
    {
      tex: String.raw`h_t = F(x_t, h_{t-1}), \quad t = 1, \dots, ${live(tokens)}`,
      words: "One step a word makes a new state h of the word and the state before. At first all of h is 0.",
    },
    {
      tex: String.raw`p = \softmax(V h_T + c)${known(probability) ? String.raw`, \quad p_{\text{${plain(label)}}} = ${live(percent(probability))}` : ""}`,
      words: "The last state is weighed once for each label. The softmax turns the weights into probabilities that add up to 1.",
    },
  ],

  "read-cells": ({ word, pSkim, logits, sizes }) => [
    {
      tex: String.raw`p_t = \softmax(W [x_t; h_{t-1}] + b)`,
      words: "The decision: word and state, one below the other, are weighed twice, once for reading and once for skimming.",
    },
    ...(logits && known(pSkim)
      ? [{
          tex: String.raw`\softmax(${live(fixed(logits.read, 2))}, ${live(fixed(logits.skim, 2))}) = (${live(percent(1 - pSkim))}, ${live(percent(pSkim))})`,
          words: `At “${word}”: the weights for reading and for skimming, and the probabilities they become.`,
        }]
      : []),
    {
      tex: String.raw`\text{read:} \quad h_t = f(x_t, h_{t-1})`,
      words: `The large cell f writes all d = ${sizes?.hidden ?? 100} numbers of the state.`,
    },
    {
      tex: String.raw`\text{skim:} \quad h_t = [f'(x_t, h_{t-1}${sizes && sizes.smallReads < sizes.hidden ? "^{1:d'}" : ""}); h_{t-1}^{d'+1:d}]`,
      words: `The small cell f′ writes the first d′ = ${sizes?.small ?? 10} numbers. The others are copied from the state before. An LSTM’s memory c is treated alike.`,
    },
  ],

  "read-memory": ({ sizes }) => [
    {
      tex: String.raw`h_t^{d'+1:d} = h_{t-1}^{d'+1:d}`,
      words: `The streaks: at a skimmed word, ${(sizes?.hidden ?? 100) - (sizes?.small ?? 10)} of ${sizes?.hidden ?? 100} numbers stay as they are.`,
    },
    {
      tex: String.raw`\frac{\partial h_t^{d'+1:d}}{\partial h_{t-1}^{d'+1:d}} = I`,
      words: "Learning goes the other way, from the last word back to the first. A copy passes the gradient on unchanged, so skimmed words do not dilute it.",
    },
    {
      tex: String.raw`q_t = \softmax(V h_t + c)`,
      words: "The curve: the verdict is computed from the state of each word as if the text ended there.",
    },
  ],

  "read-threshold": ({ threshold, accuracy, texts }) => [
    {
      tex: String.raw`\text{skim if} \quad p_t^{\text{skim}} > \theta = ${live(fixed(threshold, 2))}`,
      words: "At θ = 0 every word is skimmed, at θ = 1 none is. One half means that the larger probability wins.",
    },
    ...(threshold > 0 && threshold < 1
      ? [{
          tex: String.raw`\ell_t^{\text{skim}} - \ell_t^{\text{read}} > \log \frac{\theta}{1 - \theta} = ${live(fixed(Math.log(threshold / (1 - threshold)), 2))}`,
          words: "The same in the weights ℓ before the softmax: moving the threshold adds one constant to all of them.",
        }]
      : []),
    ...(known(accuracy) && known(texts)
      ? [{
          tex: String.raw`s = \sqrt{\frac{a (1 - a)}{n}} = \sqrt{\frac{${live(fixed(accuracy, 3))} \times ${live(fixed(1 - accuracy, 3))}}{${live(texts)}}} = ${live(precise(Math.sqrt((accuracy * (1 - accuracy)) / texts)))}`,
          words: "One standard error of an accuracy a on n texts: other texts of the same kind would move it by about so much.",
        }]
      : []),
  ],

  "read-savings": ({ read, skimmed, tokens, sizes, account }) => {
    if (!sizes) return [];
    const { input: m, hidden: d, small, smallReads } = sizes;
    const gates = gatesOf(sizes.cell);
    const cost = skimCost(sizes);
    const { spent, full } = skimFlops(sizes, read, skimmed);
    const s = smallReads < d ? "d'" : "d";
    return [
      {
        tex: String.raw`a = 2 (2 (m + d) + G d' m) = ${live(2 * (cost.decision + cost.smallInput))}`,
        words: `Every word costs a: the decision, and the small cell’s product with the word. A word has m = ${m} numbers, the state d = ${d}, its small part d′ = ${small}; the cell has G = ${gates} blocks of weights. A multiplication and its addition count as 2.`,
      },
      {
        tex: String.raw`b = 2 G d (m + d) = ${live(2 * cost.read)}`,
        words: "A word that is read costs b more: the large cell’s products with the word and with the state.",
      },
      {
        tex: String.raw`e = 2 G d' ${s} = ${live(2 * cost.skimmed)}`,
        words: "A word that is skimmed costs e more: the small cell’s product with its part of the state.",
      },
      {
        tex: String.raw`T a + R b + S e = ${live(tokens)} a + ${live(read)} b + ${live(skimmed)} e = ${live(spent)}`,
        words: `This text: T = ${count(tokens)} words, of which R = ${count(read)} are read and S = ${count(skimmed)} are skimmed.`,
      },
      {
        tex: String.raw`\frac{T b}{T a + R b + S e} = \frac{${live(full)}}{${live(spent)}} = ${live(fixed(full / spent, 2))}`,
        words: "A plain LSTM reads every word and decides nothing, which costs T b. So many times less is spent here.",
      },
      ...(account
        ? [{
            tex: String.raw`t = t_0 + R t_{\text{read}}${account.skimMs === null ? "" : String.raw` + S t_{\text{skim}}`} = ${live(roughly(account.totalMs))}`,
            words: `Time has a fixed part that no skimming saves: here ${roughly(account.fixedMs)}, then ${roughly(account.readMs)} for a word that is read${account.skimMs === null ? "" : ` and ${roughly(account.skimMs)} for one that is skimmed`}.`,
          }]
        : []),
    ];
  },

  "read-words": ({ skimLoss, tokens }) => [
    {
      tex: String.raw`L' = L + \gamma \frac{1}{T} \sum_{t=1}^{T} -\log p_t^{\text{skim}}`,
      words: "What training makes small: L, being wrong, and beside it a price γ on every word that is likely to be read. The paper takes γ = 0.01 or 0.02. The networks of this page were trained with 0.015 to 0.05.",
    },
    ...(known(skimLoss)
      ? [{
          tex: String.raw`\frac{1}{T} \sum_{t=1}^{T} -\log p_t^{\text{skim}} = ${live(fixed(skimLoss, 2))}`,
          words: `The second part for this text of ${count(tokens)} words. It is 0 where every word is surely skimmed.`,
        }]
      : []),
    {
      tex: String.raw`g = -\log(-\log u), \quad u \sim U(0, 1)`,
      words: "A choice has no slope to learn from. So in training each way gets Gumbel noise g, which makes the choice a random one with just the probabilities p,",
    },
    {
      tex: String.raw`r_t^i = \frac{\exp((\log p_t^i + g_t^i) / \tau)}{\sum_j \exp((\log p_t^j + g_t^j) / \tau)}`,
      words: "and the choice is softened to a mixture r by a temperature τ.",
    },
    {
      tex: String.raw`h_t = r_t^{\text{read}} h_t^{\text{read}} + r_t^{\text{skim}} h_t^{\text{skim}}`,
      words: "Both cells run, and the state is their mixture. Afterwards, in use, one cell runs and nothing is mixed.",
    },
    {
      tex: String.raw`\tau = \max(0.5, e^{-r n})`,
      words: "The temperature falls from 1 to one half, with the number n of training steps. Move it:",
    },
  ],

  "read-eyes": () => [
    {
      tex: String.raw`\rho = \frac{\sum_i (a_i - \bar{a}) (b_i - \bar{b})}{\sqrt{\sum_i (a_i - \bar{a})^2 \sum_i (b_i - \bar{b})^2}}`,
      words: "The correlation of two columns. Here a and b are ranks (Spearman’s ρ): only the order of the words counts.",
    },
    {
      tex: String.raw`a_i' = a_i - (\alpha + \beta_1 \ell_i + \beta_2 f_i)`,
      words: "To take length ℓ and frequency f out of a, fit a line to them and keep what it leaves. The partial correlation is the one between what is left of a and of b.",
    },
    {
      tex: String.raw`[\rho_{2.5%}, \rho_{97.5%}]`,
      words: "An interval: draw the sentences again and again with replacement, compute ρ each time, and keep the middle 95 % of the results.",
    },
  ],

  "race-sprint": () => [
    {
      tex: String.raw`\text{words a second} = \frac{T}{\text{median}(t_1, \dots, t_{11})}`,
      words: "A turn runs a network again and again and takes the mean time t of one run. The median of the turns is in the middle: a busy moment makes some turns long, and leaves the median where it is. The whisker goes from the first to the third quartile.",
    },
    {
      tex: String.raw`\text{LSTM:} \quad 8 d (m + d) = ${live(cellFlops("lstm", 100, 100).word + cellFlops("lstm", 100, 100).state)}`,
      words: "Operations a word, with m = d = 100. An Elman network needs 2 d (m + d), a GRU 6 d (m + d), SRU 6 d m.",
    },
  ],

  "race-gates": () => [
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

  "race-both": () => [
    {
      tex: String.raw`\forward{h}_t = F(x_t, \forward{h}_{t-1}), \quad \backward{h}_t = B(x_t, \backward{h}_{t+1})`,
      words: "Two networks, with weights of their own: one goes from the first word to the last, the other comes back.",
    },
    { tex: String.raw`h_t = [\forward{h}_t; \backward{h}_t]`, words: "The state of a word is both, one below the other. It is twice as long, and costs twice as much." },
  ],

  "race-chain": () => [
    {
      tex: String.raw`8 d (m + d) = \live{80,000} + \live{80,000}`,
      words: "An LSTM’s operations a word, with m = d = 100: as many for the product with the word, which waits for nothing, as for the product with the state, which waits for the step before.",
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

  "race-time": () => [
    {
      tex: String.raw`t(T) = t_0 + a T`,
      words: "A reading has a fixed part and a part for each word. Two lengths are measured, T and 4 T, and a line has two unknowns.",
    },
    { tex: String.raw`a = \frac{t(4T) - t(T)}{3 T}, \quad t_0 = t(T) - a T`, words: "If the rounds do not agree on both, nothing is shown." },
  ],

  "race-length": () => [
    {
      tex: String.raw`\frac{d \log t}{d \log T} = \frac{a T}{t_0 + a T}`,
      words: "Both axes are logarithmic. The slope of a line is the share of the time that grows with the text: 0 where the fixed part is all, 1 where it is nothing.",
    },
  ],

  "race-batch": () => [
    {
      tex: String.raw`H_t = F(X_t W + H_{t-1} U)`,
      words: "With B texts at once, states and words are matrices of B rows. The weights W and U are fetched once for all of them, not once for each.",
    },
    { tex: String.raw`\frac{\text{operations}}{\text{bytes of weights}} = \frac{2 B}{4}`, words: "A weight of 4 bytes is good for 2 operations in each text: the larger the batch, the less the memory holds anyone up." },
  ],

  "race-results": () => [
    {
      tex: String.raw`q_p = x_{(k)} + (k' - k) (x_{(k+1)} - x_{(k)}), \quad k' = 1 + p (n - 1)`,
      words: "Medians (p = 0.5) and quartiles (0.25 and 0.75) of n sorted samples: between two of them, with k the whole part of k′, on the line from one to the other.",
    },
  ],
};
