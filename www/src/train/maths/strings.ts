/** The mathematics of the scenes, in formulas and words. */

import type { Line } from "../../frame/maths/line.ts";
import type { Scene } from "./scenes.ts";

export const lines: Readonly<Record<Scene, readonly Line[]>> = {
  skim: [
    {
      tex: String.raw`L = -\log p(y \mid x) + \gamma \cdot \frac{1}{T} \sum_{t=1}^{T} -\log p_t^{\text{skim}}`,
      words: "What is made small: the surprise at the right label, and γ times the mean surprise at skimming (Seo et al. 2018, Eq. 5). With γ = 0 nothing asks the network to skim.",
    },
    {
      tex: String.raw`r_t^{i} = \frac{\exp\left((\log p_t^{i} + g_t^{i}) / \tau\right)}{\sum_{j} \exp\left((\log p_t^{j} + g_t^{j}) / \tau\right)}, \qquad \tau = \max\left(0.5, e^{-r n}\right)`,
      words: "A decision cannot be differentiated. So while it learns, the network mixes both cells by a Gumbel softmax with noise g, and the temperature τ falls with the steps n: the mixture becomes a choice.",
    },
    {
      tex: String.raw`h_t = r_t^{\text{read}} \, h_t^{\text{big}} + r_t^{\text{skim}} \, \left[ h_t^{\text{small}} ; h_{t-1}^{\text{rest}} \right]`,
      words: "The state is mixed likewise. What you see in the sentences are the hard decisions that the network would make without noise.",
    },
    {
      tex: String.raw`\theta \leftarrow \theta - \eta \, \frac{\hat{m}}{\sqrt{\hat{v}} + \varepsilon}`,
      words: "Adam (Kingma and Ba 2015): a step of the learning rate η against the mean gradient m, divided by its usual size √v.",
    },
  ],
  far: [
    {
      tex: String.raw`\frac{\partial L}{\partial h_k} = \frac{\partial L}{\partial h_T} \prod_{t=k+1}^{T} \frac{\partial h_t}{\partial h_{t-1}}`,
      words: "The gradient at letter k: that at the end, times one factor for each letter between. Drawn is its norm, divided by the norm one letter before the end.",
    },
    {
      tex: String.raw`\text{Elman: } \frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) \, U`,
      words: "The same matrix U at every letter. If it makes vectors shorter, the product goes to zero as a power does; if it makes them longer, it may explode.",
    },
    {
      tex: String.raw`\text{LSTM: } \frac{\partial c_t}{\partial c_{t-1}} \approx \operatorname{diag}(f_t), \qquad \text{SRU: } \frac{\partial c_t}{\partial c_{t-1}} = \operatorname{diag}(f_t + \dots)`,
      words: "The memory is carried on number by number, times its forget gate f. The biases of forget gates begin at 4 here, and those of the LSTM’s input gates at −4, so that f is about 0.98 and a memory lasts.",
    },
    {
      tex: String.raw`g \leftarrow g \cdot \min\left(1, \frac{1}{\lVert g \rVert}\right)`,
      words: "Clipping: a gradient whose norm is above 1 is made as long as 1, and keeps its direction (Pascanu, Mikolov and Bengio 2013).",
    },
  ],
  letters: [
    {
      tex: String.raw`L = -\frac{1}{n} \sum_{t=1}^{n} \log_2 p(x_t \mid x_1, \dots, x_{t-1})`,
      words: "What is made small: the mean surprisal of the next letter, in bits. A guess among k equally likely letters costs log₂ k bits.",
    },
    {
      tex: String.raw`\text{Elman: } h_t = \tanh(W x_t + U h_{t-1} + b)`,
      words: "The oldest of the four cells rewrites its whole state at every letter. LSTM and GRU have gates that can keep parts of it. In an SRU no matrix product waits for the state before.",
    },
    {
      tex: String.raw`p(x) \propto e^{z_x / \tau}`,
      words: "How a sample is drawn, letter by letter: at a temperature τ below 1 likely letters become more likely.",
    },
  ],
  name: [
    {
      tex: String.raw`p(y_t \mid x) = \operatorname{softmax}\left(W \left[ \overrightarrow{h}_t ; \overleftarrow{h}_t \right] + b\right)`,
      words: "Each letter has a state from the left, which knows the letters before it, and one from the right, which knows those after it. Of both the network makes a probability for each of 49 labels: no sound, one, or two.",
    },
    {
      tex: String.raw`\overrightarrow{h}_t = (1 - z_t) \odot n_t + z_t \odot \overrightarrow{h}_{t-1}, \qquad \overleftarrow{h}_t = (1 - z_t) \odot n_t + z_t \odot \overleftarrow{h}_{t+1}`,
      words: "Both are GRUs (Cho et al. 2014) with weights of their own: the gate z says how much of the state before is kept, and n is what is new. Each has 96 numbers.",
    },
    {
      tex: String.raw`L = -\sum_{t} \log p(y_t \mid x)`,
      words: "What is made small: the surprise at the right label of every letter.",
    },
    {
      tex: String.raw`\text{sounds right} = 1 - \frac{\sum \text{sounds to put in, leave out or replace}}{\sum \text{sounds}}`,
      words: "A word’s sounds are compared with those of the dictionary, whichever letter makes them. A word is right if nothing need be changed.",
    },
    {
      tex: String.raw`\max_{a} \prod_{t} q(a_t \mid x_t)`,
      words: "The dictionary does not say which letter makes which sound. That was made beforehand: the most probable division a of a word’s sounds among its letters, by the counts q of such divisions, counted anew eight times (Viterbi training).",
    },
  ],
};
