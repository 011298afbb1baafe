/** What the scene “Learning to skim” says. */

import { percent, plural, whole } from "../../frame/format.ts";
import { two } from "../shared/numbers.ts";
import { noText } from "../shared/strings.ts";
import { LIMITS, type Reason } from "./data.ts";
import { KNOBS, type Knob } from "./knobs.ts";
import { SEED } from "./link.ts";

export const scene = {
  title: "Learning to skim",
  prose: [
    "Press **Learn**. A network that knows no word reads short opinions and guesses for each whether it is *good* or *bad*. Those below are not among those it learns from.",
    "At first it skims nearly everything, because no word tells it anything. As it begins to understand, it reads more and more. Then it finds out which words it does not need, and they *fade*. A thick line means that the large cell reads the word, a thin dotted one that it is skimmed.",
    "**γ** says how much skimming is worth to it. [Turn it up](more) while it learns, and it tries to do with fewer words. [Turn it off](none), and nothing is gained by skimming.",
    "Pull the slider below the curves to go back: you see what the network made of the sentences then.",
  ],
  data: "What it learns from",
  own: "Our sentences",
  aboutOwn: (texts: number) => `${whole(texts)} sentences that we wrote for this page, or rather a few dozen phrases of ours that chance puts together.`,
  file: "A file of yours",
  anotherFile: "Another file",
  pick: "A file of texts with labels",
  aboutFile: (name: string, texts: number, labels: number) =>
    `${name}: ${plural(texts, "text")}, ${plural(labels, "label")}. ${texts > LIMITS.lines ? `The network takes ${whole(LIMITS.lines)} of them, drawn by lot from all of the file. ` : ""}It stays in your browser. Of a long text only the beginning is shown, and read where it is shown.`,
  form: "In a file of yours, each line is a label, a tab and a text.",
  refused: {
    ...noText,
    lines: (_: string, lines: readonly number[]) =>
      `${lines.length === 1 ? "Line" : "Lines"} ${lines.slice(0, 5).join(", ")}${lines.length > 5 ? ` and ${whole(lines.length - 5)} more` : ""}: expected a label, a tab and a text.`,
    few: () => `There is too little to learn from: at least ${LIMITS.fewest} lines are needed.`,
    label: () => "All texts have the same label, so there is nothing to tell apart.",
  } satisfies Record<Reason, (file: string, lines: readonly number[]) => string>,
};

export const controls = {
  learn: "Learn",
  use: "Use it in Read",
  recorded: `Below you see how it ended when we had it learn, with γ ${two(KNOBS.gamma)}, a learning rate of ${two(KNOBS.learningRate)} and seed ${SEED}. The slider below the curves goes back to its beginning. Press Learn and watch it happen here.`,
  knobs: { gamma: "γ, worth of skimming", learningRate: "Learning rate", temperature: "Temperature" } satisfies Record<Knob, string>,
  falls: "falls by itself",
  falling: "It falls until you set it, which you can while the network learns.",
  ended: (accuracy: string, skimmed: string) => `It has learned. It gets ${accuracy} of new sentences right and skims ${skimmed} of their words.`,
  handed: (accuracy: string, skimmed: string) => `${accuracy} right, ${skimmed} skimmed`,
};

export const second = {
  legend: "Learners side by side",
  none: "one learner",
  options: { gamma: "two values of γ", learningRate: "two learning rates", temperature: "two temperatures" } satisfies Record<Knob, string>,
  names: { gamma: "γ", learningRate: "learning rate", temperature: "temperature" } satisfies Record<Knob, string>,
  value: (name: string) => `The second’s ${name}`,
  alone: "It learns alone.",
  next: "It begins with the next run, from the same seed and sentences.",
  same: "Seed, sentences and all else are the same. The first has a dot, the second a diamond.",
  falls: "falling",
  failed: "The second learner ended with an error.",
};

export const figures = {
  loss: "loss of the last steps",
  accuracy: "new sentences right",
  skimmed: "words skimmed",
};

export const sentences = {
  caption: (sentences: number) => `${plural(sentences, "sentence")} that it never learns from`,
  captionOfTwo: (sentences: number, knob: string) => `${plural(sentences, "sentence")} that neither learns from, by ${knob}`,
  says: (label: string) => `says ${label}`,
  right: "rightly",
  wrong: (label: string) => `wrongly: it is ${label}`,
  reads: (words: readonly string[]) => (words.length === 0 ? "reads no word" : `reads: ${words.join(", ")}`),
  read: "read",
  skimmed: "skimmed",
};

export const classes = {
  caption: "Of the words of these ten sentences it reads",
  captionOfTwo: "Of the words of these ten sentences they read",
  names: { opinion: "opinions", denial: "denials", other: "all others" },
  of: (read: number, all: number) => `${whole(read)} of ${whole(all)}`,
};

export const history = {
  caption: "What it has learned so far",
  accuracy: (share: number) => `right ${percent(share)}`,
  skimmed: (share: number) => `skimmed ${percent(share)}`,
  loss: "loss",
  beside: (accuracy: number, skimRate: number, loss: string) => `${percent(accuracy)} right, ${percent(skimRate)} skimmed, loss ${loss}`,
  passes: "passes through the sentences",
  scrub: "Back through the history",
  value: (epoch: string, accuracy: number, skimRate: number) => `after ${epoch}: ${percent(accuracy)} right, ${percent(skimRate)} skimmed`,
  at: (epoch: string, gamma: string, rate: string, temperature: string | null) =>
    temperature === null ? `After ${epoch}, with γ ${gamma} and a learning rate of ${rate}.` : `After ${epoch}, with γ ${gamma}, a learning rate of ${rate} and a temperature of ${temperature}.`,
  kept: (half: boolean) => `The ring marks the best model so far: ${half ? "of those that skim at least half, " : ""}the one that is most often right. It is the one that you save or use.`,
  empty: "The curves begin with the run.",
};

/** What the Read chapter calls the model. */
export const fileName = "learned-here.safetensors";
