/** The mathematics of the scenes, in formulas and words. */

import type { Line } from "../../frame/maths/line.ts";
import type { Scene } from "./scenes.ts";

export const lines: Readonly<Record<Scene, readonly Line[]>> = {
  score: [
    {
      tex: String.raw`B = \sum_{k} \max_{\pi} \, \left| \left\{ v \in \pi : k(v) = k \right\} \right|`,
      words: "The least number of launches. Of each kind k, a path π through the program may hold several nodes, each of which needs the one before: no two of them run together. The longest such chain of each kind is needed in any order (Chen et al. 2023).",
    },
    {
      tex: String.raw`\ell(v) = \max_{\pi = (v,\, \ldots)} \, \left| \left\{ u \in \pi : k(u) = k(v) \right\} \right|`,
      words: "The level of a node: how many nodes of its own kind lie on one path that begins with it. A launch that takes all that is left of a kind’s highest level is never one too many.",
    },
    {
      tex: String.raw`d(v) = 1 + \max_{u \to v} d(u)`,
      words: "Its depth, whatever the kinds. Depth runs together what has the same depth and kind, and so keeps apart nodes that could wait for one another. Agenda takes the kind whose waiting nodes have the least mean depth.",
    },
    {
      tex: String.raw`W = \sum_{k,\,j} \left( S \cdot \max_{s} n_{kj}(s) - \sum_{s} n_{kj}(s) \right)`,
      words: "What padding wastes. Of each kind k sentence s has n nodes that end a path with j nodes of that kind. All S sentences of a group compute as many as the one with the most.",
    },
  ],
  parsers: [
    {
      tex: String.raw`h = \tanh\left( \sum_{i=1}^{4} S_i \, v_{c_i} + b \right), \qquad y = W h + w`,
      words: "The scores y of what a parser may do next. It looks at four places c: the last three words of the stack, and the next word. The vector v of a word comes from two LSTMs that read the sentence in both directions (Kiperwasser and Goldberg 2016).",
    },
    {
      tex: String.raw`(\sigma,\, b\beta) \to (\sigma b,\, \beta), \qquad (\sigma s,\, b\beta) \to (\sigma,\, b\beta) \text{ with } b \to s, \qquad (\sigma t s,\, \beta) \to (\sigma t,\, \beta) \text{ with } t \to s`,
      words: "Shift, left arc, right arc (arc-hybrid; Kuhlmann, Gómez-Rodríguez and Satta 2011). σ is the stack, β what is still to read. Every word is shifted once and gets one head, so n words take 2n steps. A step with nothing to decide awaits nothing.",
    },
    {
      tex: String.raw`A = \max_{s} a(s) \le \sum_{s} a(s)`,
      words: "The number of times that all stop: as often as the sentence s with the most decisions a has them, however many sentences there are. One by one it would be the sum.",
    },
  ],
  code: [
    {
      tex: String.raw`h_{\text{parent}} = \tanh\left( L \, h_{\text{left}} + R \, h_{\text{right}} + b \right)`,
      words: "The cell of the first program. It is recorded once, and is one node wherever it is called.",
    },
    {
      tex: String.raw`\begin{pmatrix} h_1 \\ \vdots \\ h_m \end{pmatrix} W^{\top} = \begin{pmatrix} h_1 W^{\top} \\ \vdots \\ h_m W^{\top} \end{pmatrix}`,
      words: "Why nodes can share a launch at all: they have the same weights W, so their rows can be laid one below another, and one product makes all of them. W is read once, not m times.",
    },
  ],
};
