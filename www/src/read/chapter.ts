import type { Chapter } from "../frame/chapter.ts";
import View from "./Chapter.svelte";
import { scenes } from "./maths/scenes.ts";
import { chapter } from "./strings.ts";

export const read: Chapter = {
  id: "read",
  ...chapter,
  // Its first figure is that of the landing, so it is there already; the scenes below come later.
  view: () => Promise.resolve({ default: View }),
  thumbnail: () => import("./Thumbnail.svelte"),
  maths: { scenes, load: () => import("./maths/Panel.svelte") },
};
