import type { Chapter } from "../frame/chapter.ts";
import { scenes } from "./maths/scenes.ts";
import { chapter } from "./strings.ts";

export const batch: Chapter = {
  id: "batch",
  ...chapter,
  view: () => import("./Chapter.svelte"),
  thumbnail: () => import("./Thumbnail.svelte"),
  maths: { scenes, load: () => import("./maths/Panel.svelte") },
};
