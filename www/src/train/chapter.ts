import type { Chapter } from "../frame/chapter.ts";
import { scenes } from "./maths/scenes.ts";
import { chapter } from "./strings.ts";

export const train: Chapter = {
  id: "train",
  ...chapter,
  view: () => import("./Chapter.svelte"),
  thumbnail: () => import("./Thumbnail.svelte"),
  maths: { scenes, load: () => import("./maths/Panel.svelte") },
};
