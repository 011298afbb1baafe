/** What the chapter Predict says, but for the scenes that have words of their own. */

import { plural, whole } from "../frame/format.ts";
import type { LanguageModelId } from "../study/language.ts";

export const chapter = {
  name: "Predict",
  title: "How a network guesses the next word",
  lede: "Before every word, a language model has already guessed it. See where it was sure, where it was surprised, and what all those guesses cost.",
  question: "Which word comes next, and how surprised is the network?",
};

export const models: Readonly<Record<LanguageModelId, { readonly name: string; readonly about: string }>> = {
  "novels-lm": { name: "Novels", about: "It knows 44,000 words and has read 66 English novels, none younger than 1930: 2.8\u00a0MB." },
  "shakespeare-lstm": { name: "Shakespeare", about: "It writes letter by letter and has read nothing but Shakespeare: 0.4\u00a0MB." },
};

/** Beginnings to go on from, by the model that knows how such texts go; their names stand in one row, so that nothing below moves. */
export const beginnings: Readonly<Record<LanguageModelId, readonly { readonly name: string; readonly text: string }[]>> = {
  "novels-lm": [
    { name: "A knock", text: "There was a knock at the" },
    { name: "A letter", text: "My dear sir, I have the honour to be your most obedient" },
    { name: "A surprise", text: "He opened the door, took off his hat, and ate his umbrella." },
  ],
  "shakespeare-lstm": [
    { name: "To be", text: "To be, or not to be: that is the qu" },
    { name: "A speech", text: "KING RICHARD:\nMy lord, " },
    { name: "A laptop", text: "My laptop needs an update." },
  ],
};

export const write = {
  placeholder: "Begin a sentence.",
  model: "The model that guesses",
  aboutOwn: "It was learned in this browser, or is a file of yours, and never leaves it.",
  keeping: {
    kept: "The browser keeps it for your next visit.",
    large: "It is too large to be kept: save it, or bring it again next time.",
    refused: "The browser has no room to keep it, or refuses to: it is gone when the page is loaded anew.",
    forgotten: "The browser has forgotten it. You can use it until you leave.",
  },
  forget: "Forget it",
  perplexity: (words: string) => `On a text that it has never seen, it is as unsure as among ${words}.`,
  characters: (count: string) => `${count} letters`,
  words: (count: string) => `${count} words`,
};

/** What a model reads and guesses. */
export type Unit = "word" | "letter";

const tokensOf = (done: number, total: number | null, unit: Unit) => `${whole(done)} of ${total === null ? `all ${unit}s` : plural(total, unit)}`;

export const status = {
  modelFailed: (name: string) => `The model “${name}” did not load.`,
  textFailed: "The network could not read this text.",
  tryAgain: "Try again",
  loading: (name: string, received: string | null, total: string | null) =>
    `Loading “${name}”${received ? ` · ${received} ${total ? `of ${total} ` : ""}MB` : ""}`,
  download: "Download",
  reading: (done: number, total: number | null, unit: Unit) => `Reading: ${tokensOf(done, total, unit)}.`,
  readingBar: "Reading",
  stop: "Stop",
  stopped: (done: number, total: number | null, unit: Unit) => `Stopped after ${tokensOf(done, total, unit)}.`,
  resume: "Read it after all",
};

/** What stands for words that cannot stand for themselves. */
export const signs = {
  unknown: "unknown word",
  end: "new paragraph",
  line: "new line",
  space: "space",
};

export const clusterName = (cluster: number): string => (cluster === 0 ? "the head" : `tail ${cluster}`);

export const surprise = {
  title: "How surprised it was",
  prose: (unit: Unit) => [
    `Before the network reads a ${unit}, it gives a probability to every ${unit} that it knows. The less it gave to the ${unit} that then comes, the higher the bar. This is the *surprisal*, in bits. One bit more means half the probability.`,
    `The number under a ${unit} is its rank in the network’s list. Rank 1 was its first guess. The further down a ${unit} stood, the stronger the shade of its bar.`,
  ],
  empty: "There is nothing to be surprised by yet. Type something, or pick a beginning.",
  group: (unit: Unit) => `The text with its surprisals, ${unit} by ${unit}`,
  label: (word: string, rank: string | null, bits: string, known: boolean, unit: Unit) =>
    `${word}: ${rank === null ? "not predicted" : `${bits} bits, ${rank} on its list`}${known ? "" : `, a ${unit} that it does not know`}`,
  perplexity: (perplexity: number, unit: Unit) => {
    const among = perplexity < 10 ? perplexity.toFixed(1) : whole(perplexity);
    return `On this text it was, on average, as unsure as among ${among} equally likely ${unit}s. This number is its *perplexity*.`;
  },
  cut: (characters: string) => `The text is long: only its last ${characters} characters are read.`,
  earlier: "Earlier",
  later: "Later",
  window: (from: number, to: number, of: number) => `${whole(from)} to ${whole(to)} of ${whole(of)}`,
};

export const numbers = {
  label: (word: string) => `The numbers of “${word}”`,
  unknown: (unit: Unit) => `The model does not know this ${unit}. The numbers are those of “some unknown ${unit}”.`,
  first: "Nothing comes before it, so nothing could predict it.",
  probability: "Probability",
  oneIn: (count: string) => `1 in ${count}`,
  bits: "Surprisal",
  inBits: (bits: string) => `${bits} bits`,
  rank: "Rank",
  rankOf: (rank: string, of: string) => `${rank} of ${of}`,
  cluster: "Stands in",
  only: "the only cluster",
  rows: "Computed to know that",
  rowsOf: (rows: string, of: string) => `${rows} of ${of} logits`,
  expected: "In its place it expected",
  untold: (unit: Unit) => `That cannot be told: where the text ends before this ${unit}, the ${unit} before it is another one.`,
};

export const next = {
  title: "What comes next",
  prose: (unit: Unit) => [
    `At the end of your text the network has a guess for what comes next: not one ${unit}, but a probability for each of them. Here are the ten likeliest.`,
    `**Press a ${unit}** and the text goes on with it. The network keeps its state, so it reads only the last ${unit} or two, however long the text is.`,
  ],
  list: (unit: Unit) => `The likeliest next ${unit}s`,
  label: (word: string, share: string, bits: string, unknown: boolean) =>
    `${word}, ${share}, ${bits} bits${unknown ? ", which cannot be written" : ": go on with it"}`,
  rest: (others: string, share: string, unit: Unit) => `All ${others} other ${unit}s share the remaining ${share}.`,
  computed: (tokens: number, unit: Unit) => `For the last change the network read ${plural(tokens, unit)}.`,
  added: (word: string) => `Added: ${word}`,
  takeBack: "Take it back",
  tookBack: "Taken back",
};
