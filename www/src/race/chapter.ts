import type { Chapter } from "../frame/chapter.ts";

export const race: Chapter = {
  id: "race",
  name: "Race",
  title: "What recurrence costs",
  lede: "Skimming is one way to compute less. There are others, and only a race on your own machine can tell which of them pays.",
  question: "Which network is the fastest on your machine?",
  view: () => import("./Chapter.svelte"),
  thumbnail: () => import("./Thumbnail.svelte"),
};
