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
      tex: String.raw`\ell(v) = \max_{u \to v} \ell(u) + \left[ k(u) = k(v) \right]`,
      words: "The level of a node: how many nodes of its own kind lie below it on one path. A launch that takes all that is left of a kind’s lowest level is never one too many.",
    },
    {
      tex: String.raw`d(v) = 1 + \max_{u \to v} d(u)`,
      words: "Its depth, whatever the kinds. Depth runs together what has the same depth and kind, and so keeps apart nodes that could wait for one another. Agenda takes the kind whose waiting nodes have the least mean depth.",
    },
  ],
};
