import type { Chapter } from "../frame/chapter.ts";
import { chapter } from "./strings.ts";

export const read: Chapter = {
  id: "read",
  ...chapter,
  view: () => import("./Chapter.svelte"),
  thumbnail: () => import("./Thumbnail.svelte"),
};
