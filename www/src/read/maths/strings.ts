/** The mathematics of the scenes, in formulas and words. */

import { count, percent, precise } from "../../frame/format.ts";
import type { Line } from "../../frame/maths/line.ts";
import { verbatim } from "../../frame/maths/tex.ts";
import { digits, roughly } from "../../frame/measured.ts";
import { gatesOf, skimCost, skimFlops, type SkimSizes } from "../../study/flops.ts";
import type { Scene } from "./scenes.ts";

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

export const gumbel = {
  temperature: "Temperature",
  caption: "What 100 draws make of a word: all the way to the right it is read, to the left skimmed",
  chance: "Probability of reading",
  valueText: (temperature: number) => (temperature === 0 ? "0, a hard choice" : `${digits(temperature)}`),
  summary: (hard: number, count: number, mean: number) =>
    `${hard} of ${count} draws are decided: each of them is at least 95% one cell. The mean of all is ${percent(mean)}.`,
  skim: "skim",
  read: "read",
  still: "Near 0 every draw is a choice. Nothing can be learned from it, because its slope is 0 almost everywhere. At a high temperature every draw is a bit of both, and the gradient flows through both cells. So training begins warm and cools.",
};

const live = (value: string | number) => `\\live{${verbatim(typeof value === "number" ? value.toLocaleString("en") : value)}}`;
const fixed = (value: number, places: number) => value.toFixed(places).replace("-", "−");
const known = (value: number | null): value is number => value !== null && Number.isFinite(value);

export const lines: Readonly<Record<Scene, (numbers: Numbers) => readonly Line[]>> = {
  text: ({ tokens, sizes, label, probability }) => [
    {
      tex: String.raw`x_t = E_{w_t}`,
      words: `Each word is looked up in a table E. It becomes ${sizes?.input ?? 100} numbers, the vector x.`,
    },
    {
      tex: String.raw`h_t = F(x_t, h_{t-1})`,
      words: `Each word is one step, ${count(tokens)} here. A step makes a new state h from the word and the state before. At first all of h is 0.`,
    },
    {
      tex: String.raw`p = \softmax(V h_T + c)`,
      words: "V weighs the last state once for each label. The softmax turns these numbers into probabilities that add up to 1.",
    },
    ...(known(probability) ? [{ tex: String.raw`p_{\text{${verbatim(label)}}} = ${live(percent(probability))}`, words: "The verdict on this text." }] : []),
  ],

  cells: ({ word, pSkim, logits, sizes }) => [
    {
      tex: String.raw`p_t = \softmax(W [x_t; h_{t-1}] + b)`,
      words: "The decision. W weighs word and state, one below the other, once for reading and once for skimming.",
    },
    ...(logits && known(pSkim)
      ? [{
          tex: String.raw`\softmax(${live(fixed(logits.read, 2))}, ${live(fixed(logits.skim, 2))}) = (${live(percent(1 - pSkim))}, ${live(percent(pSkim))})`,
          words: `At “${word}”: the numbers for reading and for skimming, and the probabilities that they become.`,
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

  memory: ({ sizes }) => [
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

  threshold: ({ threshold, accuracy, texts }) => [
    {
      tex: String.raw`\text{skim if} \quad p_t^{\text{skim}} > \theta = ${live(fixed(threshold, 2))}`,
      words: "At θ = 0 every word is skimmed, at θ = 1 none is. One half means that the larger probability wins.",
    },
    ...(threshold > 0 && threshold < 1
      ? [{
          tex: String.raw`\ell_t^{\text{skim}} - \ell_t^{\text{read}} > \log \frac{\theta}{1 - \theta} = ${live(fixed(Math.log(threshold / (1 - threshold)), 2))}`,
          words: "The same in the numbers ℓ before the softmax. Moving the threshold adds one constant to all of them.",
        }]
      : []),
    ...(known(accuracy) && known(texts)
      ? [{
          tex: String.raw`s = \sqrt{\frac{a (1 - a)}{n}} = \sqrt{\frac{${live(fixed(accuracy, 3))} \times ${live(fixed(1 - accuracy, 3))}}{${live(texts)}}} = ${live(precise(Math.sqrt((accuracy * (1 - accuracy)) / texts)))}`,
          words: "One standard error of an accuracy a on n texts: other texts of the same kind would move it by about so much.",
        }]
      : []),
  ],

  savings: ({ read, skimmed, tokens, sizes, account }) => {
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
        words: `A plain LSTM reads every word and decides nothing, which costs T b. ${full >= spent ? "The network spends that many times less here." : "Here the decisions cost more than skimming saved."}`,
      },
      ...(account
        ? [{
            tex: String.raw`t = t_0 + R t_{\text{read}}${account.skimMs === null ? "" : String.raw` + S t_{\text{skim}}`} = ${live(roughly(account.totalMs))}`,
            words: `Time has a fixed part that no skimming saves: here ${roughly(account.fixedMs)}, then ${roughly(account.readMs)} for a word that is read${account.skimMs === null ? "" : ` and ${roughly(account.skimMs)} for one that is skimmed`}.`,
          }]
        : []),
    ];
  },

  words: ({ skimLoss, tokens }) => [
    {
      tex: String.raw`L' = L + \gamma \frac{1}{T} \sum_{t=1}^{T} (-\log p_t^{\text{skim}})`,
      words: "Training makes this small: L, the price of being wrong, and a price γ for every word that is likely to be read. The paper takes γ = 0.01 or 0.02. The networks of this page were trained with 0.015 to 0.05.",
    },
    ...(known(skimLoss)
      ? [{
          tex: String.raw`\frac{1}{T} \sum_{t=1}^{T} (-\log p_t^{\text{skim}}) = ${live(fixed(skimLoss, 2))}`,
          words: `The second part for this text of ${count(tokens)} words. It is 0 where every word is surely skimmed.`,
        }]
      : []),
    {
      tex: String.raw`g = -\log(-\log u)`,
      words: "A choice has no slope to learn from. So in training each way gets Gumbel noise g, with u drawn evenly between 0 and 1. The larger of log p + g then wins with just the probability p,",
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

  eyes: () => [
    {
      tex: String.raw`\rho = \frac{\sum_i (a_i - \bar{a}) (b_i - \bar{b})}{\sqrt{\sum_i (a_i - \bar{a})^2 \sum_i (b_i - \bar{b})^2}}`,
      words: "The correlation of two columns. Here a and b are ranks (Spearman’s ρ): only the order of the words counts.",
    },
    {
      tex: String.raw`a_i' = a_i - (\alpha + \beta_1 \ell_i + \beta_2 f_i)`,
      words: "To take length ℓ and frequency f out of a, fit a line to them and keep what it leaves. The partial correlation is the one between what is left of a and of b.",
    },
    {
      tex: String.raw`[\rho_{2.5\%}, \rho_{97.5\%}]`,
      words: "An interval: draw the sentences again and again with replacement, compute ρ each time, and keep the middle 95% of the results.",
    },
  ],
};
