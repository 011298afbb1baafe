/** What the schedules say. */

import { plural, whole } from "../../frame/format.ts";
import type { Kind } from "../program.ts";
import type { Mistake } from "../trees.ts";
import type { Way } from "../schedule.ts";

/** Sentences to begin with, in brackets as somebody might put them. */
export const examples: readonly string[] = [
  "((the film) (is (very good)))",
  "((not (a (dull moment))) (in it))",
  "((an (unforgettable story)) (about friendship))",
  "(I (loved it))",
];

export const score = {
  title: "The schedule as a score",
  prose: (rare: number) => [
    "Write a few sentences, one a line. Brackets say what belongs together. What stands side by side is joined from the left, so a line without brackets is a chain.",
    `A small loop goes through each tree alone: it **looks up** each word and makes a **word** of it, or spells it **letter** by letter if it has ${rare} letters or more. It **joins** two parts into one, and makes a **guess** at every node. Its weights are random, because a schedule does not depend on what a network knows.`,
    "The loop only *records* what is to be computed. Then the engine launches nodes of one kind together, as soon as what they need is there. [Play](play) and watch the nodes leave their trees.",
    "Which nodes go first is the schedule’s choice. **Unbatched** takes them one by one. **Depth** and **Agenda** are how others choose; **Levels** is how this engine does. No order can end left of the line.",
    "People who batch by hand give all sentences one shape. **Padding** takes the smallest into which every sentence fits, computes all of it, and throws away by a mask what a sentence has not: the crosses. **Buckets** first sort the sentences by length and pad two by two, which wastes less and launches more.",
  ],
  text: "Your sentences, one a line",
  mistakes: {
    unclosed: (line: number) => `Line ${line}: a bracket is not closed.`,
    unopened: (line: number) => `Line ${line}: a bracket is closed that was not opened.`,
    empty: (line: number) => `Line ${line}: there is no word.`,
  } satisfies Record<Mistake, (line: number) => string>,
  long: (most: number) => `Of longer words only the first ${most} letters are read.`,
  over: (most: number) => `Of longer lines only the first ${most} words are read.`,
  many: (most: number) => `Only the first ${most} lines are shown.`,
  ways: { unbatched: "Unbatched", depth: "Depth", agenda: "Agenda", levels: "Levels", padded: "Padding", buckets: "Buckets" } satisfies Record<Way, string>,
  about: {
    unbatched: "Every node is a launch of its own.",
    depth: "Nodes of one kind run together if they are equally deep: if the longest way down from each to a look-up is the same.",
    agenda: "Of the kinds that are ready, the one whose waiting nodes are the least deep on average goes first. This is what DyNet does.",
    levels: "A kind goes first if all its nodes are ready that have the most of their own kind still to come. This never costs a launch too many.",
    padded: "By hand: every sentence computes as many nodes as the one with the most, step by step, and a mask throws the rest away.",
    buckets: "By hand: sentences are sorted by length, and padded two by two.",
  } satisfies Record<Way, string>,
  failed: "The engine did not run it.",
  tryAgain: "Try again",
  choose: "How it is batched, and how many launches it needs",
  again: "Back to the first sentences",
  back: "Back to your sentences",
  nothing: "There is nothing to batch yet. Write a sentence.",
};

const one = { look: "look-up", letter: "letter", word: "word", join: "join", guess: "guess" } satisfies Record<Kind, string>;

export const figure = {
  kinds: { look: "look-ups", letter: "letters", word: "words", join: "joins", guess: "guesses" } satisfies Record<Kind, string>,
  total: (launches: number, nodes: number) => `${plural(launches, "launch", "launches")} for ${plural(nodes, "node")}`,
  wasted: (cells: number) => (cells > 0 ? ` and ${plural(cells, "cell")} that no sentence needs` : ""),
  legendWasted: "wasted cells",
  least: (bound: number, launches: number) =>
    launches === bound ? `No order needs fewer than ${whole(bound)}.` : `No order needs fewer than ${whole(bound)}; this one makes ${whole(launches - bound)} more.`,
  bound: (bound: number) => `no fewer than ${whole(bound)}`,
  columns: "launches, one after the other",
  sentence: (number: number) => `Sentence ${number}`,
  play: "Play",
  pause: "Pause",
  launch: "Launch",
  value: (at: number, of: number) => (at === 0 ? "before the first launch" : `launch ${at} of ${of}`),
  before: "Nothing has run yet: all nodes wait in their trees.",
  nodes: (count: number, kind: Kind) => plural(count, one[kind], figure.kinds[kind]),
  after: (at: number, of: number, nodes: string, sentences: number) =>
    `Launch ${at} of ${of}: ${nodes}${sentences > 1 ? ` of ${sentences} sentences` : ""}.`,
  only: (text: string) => `It is for “${text}”.`,
  with: (texts: readonly string[], more: number) => `Together: ${texts.map((text) => `“${text}”`).join(", ")}${more > 0 ? `, and ${whole(more)} more` : ""}.`,
};

/** Why a launch was not part of another one, from the engine's own words. */
export const why = {
  unbatched: "This schedule takes every node alone.",
  byHand: (wasted: number) =>
    wasted > 0
      ? `The launch also computes ${plural(wasted, "cell")} that no sentence needs, so that all have one shape.`
      : "Every sentence has as many nodes here, so nothing is wasted.",
  first: "It is the first launch of its kind.",
  alone: (said: string): string => {
    if (said === "the only one of its operation") return "It is alone, because there is no other node of its kind.";
    if (said.startsWith("not ready together")) return "It is alone, because no other node of its kind was ready with it.";
    return `It is alone: ${said}.`;
  },
  split: (said: string): string => {
    const count = Number.parseInt(said, 10);
    if (said.startsWith("each depends")) return "Every node of it needs one of the launch before of its kind, so no order could put the two together.";
    if (said.includes(" waited for ")) return `When the launch before of its kind ran, ${plural(count, "node")} of this one still had to wait.`;
    if (said.endsWith(" left behind")) return `The schedule could have run ${plural(count, "node")} of it in the launch before of its kind, and left ${count === 1 ? "it" : "them"} behind.`;
    return `It is apart: ${said}.`;
  },
};

export const times = {
  caption: "What each way takes",
  way: "Way",
  launches: "launches",
  wasted: "wasted cells",
  measure: "Measure the times",
  again: "Measure again",
  stop: "Stop",
  rounds: "Rounds measured",
  method: (size: number, ms: number, rounds: number) =>
    `Time to record, schedule and run all guesses in this tab, with ${size} numbers a node: the median, and what the rounds lay between. All ways took turns of ${ms} ms in ${rounds} rounds.`,
  absent: (reason: string) => `Not measured: ${reason.replace(/\.$/, "")}.`,
  stale: "The sentences have changed since.",
  failed: (why: string) => `It could not be measured: ${why}`,
};
