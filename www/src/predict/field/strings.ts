/** What the scene of the vocabulary says. */

import { plural } from "../../frame/format.ts";

export const field = {
  title: (words: string | null) => (words ? `${words} words, most of them left alone` : "A vocabulary, most of it left alone"),
  titleOfLetters: "So few that all are compared",
  prose: (head: string, width: number, saving: string) => [
    "Every word that the model knows is a dot. To compare them all, each one needs a number, its *logit*: a product of the network’s state with a vector of that word’s own.",
    `An *adaptive softmax* is lazier. Its **head** has the ${head} most frequent words, and one logit for each **tail** as a whole. If a tail as a whole is less likely than the best word so far, no word in it can win. It stays shut, and its dots stay pale.`,
    `Rare words have shorter vectors as well: their dots are smaller, and so is their cost. **Every word** is what a full softmax does for each guess. Even then these shorter vectors need ${saving}× less arithmetic than a plain one, with its ${width} numbers for every word.`,
  ],
  letters: [
    "This model writes letters. There are so few of them that there are no tails, and nothing to save. Choose the model “Novels” to see a large vocabulary.",
  ],
  how: "How much of the guess to find",
  ways: { first: "First guess", ten: "Top ten", every: "Every word" },
  of: (total: string) => `of ${total} logits computed`,
  picture: (lit: string, total: string) => `A field of ${total} dots, of which ${lit} are lit. The slider below goes through them.`,
  clusters: (cluster: number) => (cluster === 0 ? "Head" : `Tail ${cluster}`),
  only: "All signs",
  holds: (words: string, width: number) => `${words} × ${plural(width, "number")}`,
  open: "open",
  shut: "shut",
  door: (cluster: string, share: string) => `The logit of ${cluster} as a whole: all of its words together have ${share}.`,
  word: (word: string, number: string, cluster: string | null, share: string | null) =>
    `“${word}”, number ${number}${cluster ? `, in ${cluster}` : ""}: ${share === null ? "not computed" : share}`,
  walk: "From dot to dot",
  toFirst: "To the first guess",
  bound: (word: string, share: string) =>
    `These are the shares of the clusters as wholes. The first guess, “${word}”, has ${share}. A tail whose share is less than that cannot hold a likelier word.`,
};

export const times = {
  measure: "Measure it here",
  again: "Measure again",
  stop: "Stop",
  rounds: "Rounds run",
  caption: "The softmax alone, after this text, on the CPU of this device",
  none: "Not measured yet.",
  stale: "Measured after another text.",
  factor: (way: string, factor: string) => `Every word takes ${factor} as long as ${way}.`,
  names: { first: "the first guess", ten: "the ten likeliest" },
  tooBusy: "How much longer every word takes: this machine is too busy to tell.",
  failed: (why: string) => `The measurement stopped: ${why}`,
  method: (ms: number, rounds: number) =>
    `Median of ${plural(rounds, "turn")} of ${ms} ms each, all three in turns and in three sittings, by the engine’s own clock; in brackets the range of the turns. Another moment may have other times; how many times longer the one takes stays.`,
};
