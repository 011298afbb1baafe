import type { Chapter } from "../frame/chapter.ts";

export const read: Chapter = {
  id: "read",
  name: "Read",
  title: "How a network skims",
  lede: "A sentence, word by word: what the network reads, what it skims, how it decides, and what that saves.",
  question: "Which words does it read, and which does it skim?",
  view: () => import("./Chapter.svelte"),
  thumbnail: () => import("./Thumbnail.svelte"),
};
