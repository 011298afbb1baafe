/** What the chapter Train says before it opens. */

export const chapter = {
  name: "Train",
  title: "How a network learns to skim",
  lede: "Nobody tells a network which words matter. Here one finds out before your eyes, in this tab, from a few hundred sentences.",
  question: "How does a network find out which words it can skip?",
};
