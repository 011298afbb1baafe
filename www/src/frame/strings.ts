/** What the frame says. */

/** The language of the numbers. */
export const locale = "en";

export const page = {
  name: "Saccade",
  title: "Saccade: a network that decides what to read",
  titleOf: (chapter: string) => `${chapter} · Saccade`,
  opened: (name: string, title: string) => `${name}: ${title}`,
  notLoaded: (name: string) => `The chapter ${name} did not load.`,
  tryAgain: "Try again",
  skipToText: "Skip to the text",
  skipToPlayback: "Skip to the playback",
  drop: "Drop a model file here to use it",
  refused: (name: string) => `“${name}” holds no model that reads a text or guesses its words. Everything stays as it was.`,
};

export const masthead = {
  chapters: "Chapters",
  lecture: "Lecture mode",
  /** The colours that a press brings. */
  colours: { light: "Light colours", dark: "Dark colours" },
};

export const lecture = {
  bar: "Lecture",
  place: (at: number, of: number) => `${at} of ${of}`,
  next: "Next scene",
  previous: "Previous scene",
  hide: "Hide the text",
  show: "Show the text",
  leave: "Leave",
  keys: "Keys: ← and → change the scene, P hides or shows the text, Esc leaves.",
};

export const landing = {
  title: "A network that decides what\u00a0to\u00a0read",
  /** Left out where the window is small. */
  ample: "When you read, your eyes do not glide. They jump from word to word and skip many of the short ones.",
  learned: "This network has learned to skip in its own way:",
  reads: "it reads what matters",
  skims: "and skims the rest.",
  doors: "Look closer",
};

export const footer = [
  "A *saccade* is the jump your eye makes from one word to another. This page runs on your device alone. It sends nothing that you type.",
  "The networks: [Skim-RNN](https://arxiv.org/abs/1711.02085) (Seo, Min, Farhadi and Hajishirzi, 2018), [SRU](https://arxiv.org/abs/1709.02755) (Lei et al., 2018), and the [adaptive softmax](https://arxiv.org/abs/1609.04309) (Grave et al., 2017). Batching is by [On-the-fly operation batching](https://arxiv.org/abs/1705.07860) (Neubig, Goldberg and Dyer, 2017). The [code](https://github.com/saccade-rnn/saccade) and the [package](https://www.npmjs.com/package/saccade-rnn) for your own page are free.",
];

export const mathematics = {
  show: "Show the mathematics",
  hide: "Hide the mathematics",
  panel: "The mathematics of this figure",
  failed: "The mathematics did not load. Reload the page to try again.",
  scrolls: "A formula that scrolls sideways",
};

export const field = {
  text: "Your text",
  back: "Back to your text",
  try: "Or try",
};

export const wide = { more: "There is more to the side" };

/** How one amount is to another. */
export type Direction = "less" | "more" | "same";

export const measured = {
  tooBusy: "this machine is too busy to tell",
  range: (from: string, to: string) => `${from} to ${to}`,
  direction: { less: "less", more: "more", same: "as much" },
};
