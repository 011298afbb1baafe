import { batch } from "./batch/chapter.ts";
import type { Chapter } from "./frame/chapter.ts";
import { predict } from "./predict/chapter.ts";
import { race } from "./race/chapter.ts";
import { read } from "./read/chapter.ts";
import { train } from "./train/chapter.ts";

/** The chapters, in the order of the bar. A new one is a folder and a line here. */
export const chapters: readonly [Chapter, ...Chapter[]] = [read, race, predict, batch, train];
