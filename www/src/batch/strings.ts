/** What the chapter Batch says before it opens. */

export const chapter = {
  name: "Batch",
  title: "How sentences share their work",
  lede: "A tree has no neighbour of its own shape. Yet its nodes can be computed together with those of other trees, if somebody finds which.",
  question: "How few launches do all these sentences need?",
};
