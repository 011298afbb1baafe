/** What the parsers say. */

import { plural, whole } from "../../frame/format.ts";
import type { Move } from "./transitions.ts";

/** Sentences of many lengths. */
export const sentences: readonly string[] = [
  "Birds sing.",
  "The film is very good.",
  "She gave him the book that he wanted.",
  "I never said that.",
  "The old man the boats.",
  "We saw the man with the telescope yesterday.",
  "Who wrote it?",
  "After the rain had stopped, the children ran out into the garden.",
  "Nobody knows why the cat that chased the mouse slept all day long.",
  "It rains.",
  "They were late again, and nobody was surprised.",
  "Time flies like an arrow.",
  "The horse raced past the barn fell.",
  "Please send me the report before noon, or call my office.",
  "A small dog barked.",
  "In the end, the longest sentence of all keeps its parser busy while the others have long been done.",
];

export const parsers = {
  title: "Sixteen parsers, one await",
  prose: [
    "A parser reads a sentence from left to right. Words that wait for their head lie on a **stack**. At every step a network looks at the stack and at the next word, and the parser does what scores best: it **shifts** the next word onto the stack, or draws an arc to the top of the stack and takes it off: a **left arc** from the next word, a **right arc** from the word below it. Where the arc comes from is its head.",
    "Its next step depends on this one, so a single parser can batch nothing. But here are sixteen, each an *async* loop over its own sentence. Each stops where it awaits its scores. When the last has stopped, all scores are computed at once, and all go on.",
    "No two sentences take the same steps, and no one wrote a batch. Those that are done ask no more: the launches become smaller, never more.",
  ],
  start: "Parse 16 sentences at once",
  again: "Parse them again",
  loading: (share: string) => `The parser arrives: ${share}`,
  parsing: "Parsing…",
  failed: (why: string) => `The parsers could not begin: ${why}`,
  size: "2.9 MB are fetched.",
  grown: "Trees grown by our parser, whatever the brackets",
  growing: "The parser grows them…",
  notGrown: (why: string) => `The parser did not come, so brackets hold: ${why}`,
  total: (awaits: number, decisions: number) => `${plural(decisions, "decision")} at ${plural(awaits, "await")}.`,
  launches: (launches: number, bound: number) =>
    `They took ${plural(launches, "launch", "launches")} in all, with those that read the sentences before. If nothing had to be awaited, no order would need fewer than ${whole(bound)}.`,
  at: "Await",
  value: (at: number, of: number) => `await ${at} of ${of}`,
  said: (at: number, of: number, waiting: number, done: number) =>
    `Await ${at} of ${of} joins ${plural(waiting, "parser")}: their scores are one batch of ${plural(waiting, "row")}.${done > 0 ? ` ${whole(done)} ${done === 1 ? "is" : "are"} done.` : ""}`,
  moves: { shift: "shift", left: "left arc", right: "right arc" } satisfies Record<Move, string>,
  moved: {
    shift: (front: string) => `shifts “${front}”`,
    left: (top: string, front: string) => `draws a left arc: “${front}” is the head of “${top}”`,
    right: (top: string, below: string) => `draws a right arc: “${below}” is the head of “${top}”`,
  },
  done: "is done",
  sentence: "Sentence",
  axis: { long: "how many still parse, await after await", short: "how many still parse" },
};
