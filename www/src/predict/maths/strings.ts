/** The mathematics of the scenes, in formulas and words. */

import type { Line } from "../../frame/maths/line.ts";
import { verbatim } from "../../frame/maths/tex.ts";
import { maths as cells } from "../cells/strings.ts";
import { maths as cutoffs } from "../cutoffs/strings.ts";
import type { Seen } from "../predict.svelte.ts";
import { maths as truncation } from "../truncation/strings.ts";
import type { Scene } from "./scenes.ts";

const live = (value: number, places: number) => `\\live{${verbatim(value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places }))}}`;

export const lines: Readonly<Record<Scene, (seen: Seen | null) => readonly Line[]>> = {
  surprise: (seen) => [
    {
      tex: String.raw`p_t = p(w_t \mid w_1, \dots, w_{t-1})`,
      words: "The probability that the network gives to word t when it has read the words before it. Over all words of its vocabulary these sum to 1.",
    },
    {
      tex: String.raw`s_t = -\log_2 p_t`,
      words: "The surprisal, in bits: 0 for a word that was certain, 1 for one of two, 10 for about one of a thousand. It is also how many bits a perfect code would spend on the word.",
    },
    {
      tex: String.raw`\frac{1}{T} \sum_{t=1}^{T} s_t${seen && seen.scoring.predicted > 0 ? ` = ${live(seen.scoring.bits / seen.scoring.predicted, 2)}` : ""}`,
      words: "The mean surprisal of a text is what training makes small: the cross-entropy, in bits a word.",
    },
    {
      tex: String.raw`\text{perplexity} = 2^{\frac{1}{T} \sum_t s_t}${seen && seen.scoring.predicted > 0 ? ` = ${live(seen.scoring.perplexity, 1)}` : ""}`,
      words: "The same as a number of words. Whoever has to guess among so many equally likely words is just as unsure.",
    },
  ],

  next: () => [
    {
      tex: String.raw`h_t = F(x_t, h_{t-1})`,
      words: "All that the network knows of the text is its state h. To go on costs one more step, however long the text is.",
    },
    { tex: String.raw`z_w = v_w \cdot h_t`, words: "Every word w has a vector v. Its product with the state is the word’s logit." },
    {
      tex: String.raw`p(w) = \softmax(z)_w = \frac{e^{z_w}}{\sum_{u} e^{z_u}}`,
      words: "The softmax makes probabilities of logits: all are above 0, and they sum to 1. The sum is over all words, and that is what makes a large vocabulary dear.",
    },
  ],

  field: (seen) => [
    {
      tex: String.raw`p(w) = p_{\text{head}}(c) \cdot p_c(w), \quad w \in c`,
      words: "The adaptive softmax has the probability of a rare word in two parts: that of its tail c, which the head knows, and that of the word within the tail.",
    },
    {
      tex: String.raw`p(w) \le p_{\text{head}}(c)`,
      words: "So no word of a tail can be more likely than the tail as a whole.",
    },
    {
      tex: String.raw`p_{\text{head}}(c) < p^{(k)} \;\Rightarrow\; c \text{ stays shut}`,
      words: `To find the k likeliest words, let p⁽ᵏ⁾ be the least of the best k so far. A tail that as a whole has less cannot change them. Tails are tried in the order of their shares, and the result is exact.${seen && seen.next.words[0] ? ` Here p⁽¹⁾ is ${(100 * seen.next.words[0].probability).toFixed(1)} %.` : ""}`,
    },
    {
      tex: String.raw`2 d (n_0 + 2) + \sum_{c \text{ open}} \left( 2 d d_c + 2 d_c n_c \right), \quad d_c = \frac{d}{4^{c}}`,
      words: "The operations for one guess: the head’s rows are as long as the state (d = 256). A tail first makes the state 4 or 16 times shorter, and then multiplies it with its own, shorter rows.",
    },
  ],

  writing: () => [
    {
      tex: String.raw`p_T(w) = \frac{p(w)^{1/T}}{\sum_u p(u)^{1/T}} = \softmax(z / T)_w`,
      words: "The temperature T divides all logits. At 1 nothing changes. Towards 0 the likeliest word gets all, and at high temperatures all words become alike.",
    },
    {
      tex: String.raw`N = \text{the likeliest words with } \sum_{w \in N} p_T(w) \ge P`,
      words: "Drawing from the likeliest words that together have P cuts off the long tail of words that are each unlikely, but many.",
    },
    {
      tex: String.raw`U_c = \begin{cases} P_c^{1/T} & T \le 1 \\ n_c^{1 - 1/T} P_c^{1/T} & T > 1 \end{cases}`,
      words: "A bound for what a tail of n words and probability P can weigh at a temperature. Draw among the head’s words and these bounds. Only if a tail is drawn is it opened; it is then kept with its true weight over the bound, or the draw is repeated. What comes out has exactly the probabilities above.",
    },
  ],

  influence: () => [
    {
      tex: String.raw`I_j = \log_2 \frac{p(w_t \mid w_1, \dots, w_{t-1})}{p(w_t \mid w_1, \dots, w_{j-1}, w_{j+1}, \dots, w_{t-1})}`,
      words: "What word j did for the guess of word t, in bits: the log-probability with it, less the one without it. Above 0 it helped.",
    },
    {
      tex: String.raw`\sum_j I_j \ne I_{\{1, \dots, t-1\}}`,
      words: "These numbers do not add up. Two words may say the same, so that neither alone is missed, or make sense only together.",
    },
  ],

  cutoffs: () => cutoffs,
  truncation: () => truncation,
  cells: () => cells,
};
