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
};
