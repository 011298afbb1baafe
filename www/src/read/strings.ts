/** What the chapter Read says. */

import { plural, whole } from "../frame/format.ts";
import { measured, type Direction } from "../frame/strings.ts";
import type { LeftOut } from "../study/view.ts";

export const chapter = {
  name: "Read",
  title: "How a network skims",
  lede: "Follow the network through a sentence, word by word. See what it reads, what it skims, how it decides, and what it saves.",
  question: "Which words does the network read, and which does it skim?",
};

/** What became of a word. */
export const decision = { read: "read", skim: "skimmed" };

const leftOut = { model: "without your model", text: "without the text, which is too long", code: "without the program, which is too long" } satisfies Record<LeftOut, string>;
const withoutAll = (without: readonly LeftOut[]) => (without.length > 0 ? `, ${without.map((one) => leftOut[one]).join(" and ")}` : "");

export const reading = {
  title: "Give it something to read",
  empty: "There is nothing to read yet. Type something, or pick an example.",
  letItDecide: "Let the network decide every word",
  share: "Share this reading",
  save: "Save as a picture",
  noPictures: "This browser cannot draw the picture.",
  shared: (without: readonly LeftOut[]) => `Link shared${withoutAll(without)}.`,
  copied: (without: readonly LeftOut[]) => `Link copied${withoutAll(without)}.`,
  noSharing: "This browser does not let the page share the link.",
  spoken: (label: string, sure: string, read: number, of: number, factor: string, direction: Direction) =>
    `${label}, ${sure}. Read ${read} of ${plural(of, "word")}; ${factor} ${measured.direction[direction]} computation.`,
  onPicture: (label: string, skimmed: number, of: number) => `Saccade · ${label} · skimmed ${skimmed} of ${of} words`,
};

export const write = {
  placeholder: "Write what you thought of a film.",
  model: "The model that reads it",
  ownFile: "Your own model file",
  choose: "Your own file…",
  another: "Another file…",
  aboutOwn: (size: string) => `Your own file, ${size}. It never leaves this browser.`,
  keeping: {
    kept: "The browser keeps it for your next visit.",
    large: "It is too large to be kept, so open it again next time.",
    refused: "The browser refuses to keep it, so open it again next time.",
    forgotten: "The browser has forgotten it. You can use it until you leave.",
  },
  forget: "Forget it",
  accuracy: (share: string) => `It is right on ${share} of its test texts.`,
};

const wordsOf = (done: number, total: number | null) => `${whole(done)} of ${total === null ? "all words" : plural(total, "word")}`;

export const status = {
  modelFailed: (name: string) => `The model “${name}” did not load.`,
  fileFailed: (name: string) => `“${name}” cannot be used here.`,
  expected: (found: string) => `You need a model that labels texts, such as the chapter Train saves: a file that ends in .safetensors. ${found}`,
  detail: (message: string) => `In the engine’s words: ${message}`,
  textFailed: "The network could not read this text.",
  recordedBelow: "Below you see a recorded reading of this text.",
  tryAgain: "Try again",
  loading: (name: string, received: string | null, total: string | null, recorded: boolean) =>
    `Loading “${name}”${received ? ` · ${received} ${total ? `of ${total} ` : ""}MB` : ""}${recorded ? ". Until then you see a recorded reading." : ""}`,
  download: "Download",
  reading: (done: number, total: number | null) => `Reading: ${wordsOf(done, total)}.`,
  readingBar: "Reading",
  stop: "Stop",
  stopped: (done: number, total: number | null) => `Stopped after ${wordsOf(done, total)}.`,
  resume: "Read it after all",
};

/** Of a file of the visitor's own, by why it is no model to read with. */
export const refused: Readonly<Record<string, string>> = {
  MODEL_INVALID: "This is a file of another kind.",
  MODEL_TRUNCATED: "This file is empty, or a part of it is missing.",
  MODEL_UNSUPPORTED: "This file stores its numbers in a way that the page cannot read.",
  MODEL_CONFIG: "This file describes no network, or one that does something else.",
  MODEL_TENSORS: "The numbers in this file do not fit the network that it describes.",
};

export const tokens = {
  group: "The text, word by word",
  label: (word: string, decision: string, forced: boolean, skim: string | null, known: boolean) =>
    `${word}: ${decision}${forced ? ", by your choice" : ""}${skim ? `, skim probability ${skim}` : ""}${known ? "" : ", not in the model’s vocabulary"}`,
  shown: (shown: number, of: number) => `The first ${whole(shown)} of ${whole(of)} words are shown.`,
  more: "Show more",
  unknown: "unknown word",
  key: "The longer the line under a word, the more likely the network is to read it. Punctuation marks count as words.",
};

export const summary = {
  unknown: (all: boolean) =>
    `The network does not know ${all ? "any" : "most"} of these words. It learned from English texts only, so its verdict here is a guess.`,
  skimmed: (skimmed: number, of: number, arithmetic: string, time: string) =>
    `Skimmed ${whole(skimmed)} of ${plural(of, "word")}: ${arithmetic}${time}.`,
  arithmetic: { same: "no less arithmetic", less: (factor: string) => `${factor}× less arithmetic`, more: (factor: string) => `${factor}× more arithmetic, for the decisions` },
  /** The ratio first: the times are those of the moment, and another one may have others. */
  time: ({ factor, direction }: { readonly factor: string; readonly direction: "less" | "more" }, ours: string, everyWord: string, device: string) =>
    `, ${factor} ${measured.direction[direction]} time on this ${device} (just now: ${ours}, with every word read ${everyWord})`,
  noTime: `; in time, ${measured.tooBusy}`,
  showTimes: "Show each word’s time",
  hideTimes: "Hide each word’s time",
};

export const verdict = {
  title: "The verdict",
  after: "If it ended with “{word}”",
};

export const inspector = {
  label: (word: string) => `The word “${word}”`,
  decision: (decision: string, forced: boolean, known: boolean) =>
    `${decision}${forced ? ", as you chose" : ""}${known ? "" : ", an unknown word"}`,
  sure: {
    skim: (share: string, forced: boolean) => `${forced ? "You decided here. The" : "The"} network was **${share} sure that it can be skimmed**.`,
    read: (share: string, forced: boolean) => `${forced ? "You decided here. The" : "The"} network was **${share} sure that it should be read**.`,
  },
  wrote: (all: number) => `It then rewrote all ${plural(all, "number")} of its memory.`,
  changed: (changed: number, kept: number) => `It then changed ${plural(changed, "number")} of its memory and kept the other ${kept}.`,
  giveBack: "Let the network decide",
  skim: "Skim it instead",
  read: "Read it instead",
  numbers: "The numbers behind it",
  logits: "The decision, before the softmax",
  logit: { read: "logit, read", skim: "logit, skim" },
  moves: "What changed most in its memory",
  unit: (unit: number) => `number ${unit}`,
};

export const dock = {
  group: "Playback",
  back: "One word back",
  on: "One word on",
  play: "Play the reading",
  pause: "Pause",
  place: "Place in the text",
  spoken: (word: string, decision: string, at: number, of: number, label: string | null) =>
    `${word}, ${decision}, ${at} of ${of}${label ? `, ${label}` : ""}`,
  whole: "the whole text",
  slowed: (factor: string) => `slowed ${factor}×`,
  soFar: (label: string) => `so far ${label}`,
  speed: "Speed",
};

/** Of figures that show the words of the text, where there are none. */
export const empty = "Your text has no words yet, so there is nothing to see here.";

export const cells = {
  title: "Two cells and a choice",
  prose: (hidden: number, small: number, ratio: string | null) => [
    `A recurrent network goes through a text word by word. It keeps what it knows so far in its *state*, a list of ${hidden} numbers. At each word, a *cell* computes a new state from the old one.`,
    `This network has two cells. The large cell rewrites the whole state. The small cell rewrites only the first ${small} numbers and keeps the rest. Before each word, the network decides which of the two runs. This decision costs only a few multiplications.`,
    `[Play the reading](play) and watch the two cells take turns. The eye rests longer where the network reads. ${ratio ? `On this machine, reading a word takes about ${ratio} times as long as skimming one. ` : ""}You can also go [one word further](step) at a time.`,
  ],
  overrule: {
    skim: "You can overrule the network: [make it skim “{word}”](force) and watch the verdict change. This works with any word of the text.",
    read: "You can overrule the network: [make it read “{word}”](force) and watch the verdict change. This works with any word of the text.",
  },
  press: "You can overrule the network: press any word of the text.",
  skims: (word: string, writes: number, carried: number) =>
    `The network skims “${word}”: the small cell writes ${writes} numbers of the state, and ${carried} are carried over.`,
  reads: (word: string, writes: number) => `The network reads “${word}”: the large cell writes all ${writes} numbers of the state.`,
  before: "word, state",
  after: "new state",
  large: "large cell",
  small: "small cell",
  carried: "carried over",
  decision: "decision",
  weights: (count: string) => `${count} weights`,
  scale: "The areas are drawn to scale: twice the area means twice as many weights.",
};

export const memory = {
  some: (named: number, of: number) => `${named} of ${whole(of)} words are named here. There is no room for more.`,
  title: "What it remembers",
  long: "This text is too long to show its states word by word.",
  /** Of a network that also reads backwards, there is no curve. */
  prose: (backwards: boolean) => [
    "Each column shows the state after one word. Where the network reads, the whole column changes. Where it skims, only the top rows change. Below the line the colours continue as *streaks*, because the network computed nothing there.",
    `${backwards ? "" : "The curve shows the verdict the network would give if the text ended at that word. Watch where it jumps: mostly at words that the network reads. "}Try [two negations](negations), or [a long review](review).`,
  ],
  curve: (label: string) => `“${label}”, if the text ended at each word`,
  states: (size: number) => `The ${size} numbers of the state, word by word`,
  backwards: "No curve: this network also reads backwards, so it has a verdict only on the whole text.",
  spoken: (at: number, of: number, word: string, changed: number, size: number, so: { readonly label: string; readonly share: string } | null) =>
    `At word ${at} of ${of}, “${word}”: ${changed} of ${size} numbers changed${so ? `, and “${so.label}” stands at ${so.share}` : ""}.`,
  line: (small: number) => `Above the line: the ${small} numbers that the small cell may write.`,
};

export const threshold = {
  title: "How sure is sure enough?",
  prose: [
    "Before each word, the network computes how likely it is that it can skim this word. We must choose how confident is confident enough. During training the limit was one half, but you can move it. [Lower it](lower), and the network skims more words. At [zero](zero) it skims everything. [Raise it to one](one), and it reads every word.",
  ],
  label: "Skim when the probability is above",
  spoken: (sure: number) => `skim when the network is more than ${sure} percent sure`,
  low: "skim nearly all",
  high: "read all",
  own: (own: string | null) => `Back to the model’s own setting${own ? `, ${own}` : ""}`,
};

export const chances = {
  caption: "The words of your text, by how likely the network is to skim them",
  read: "← read",
  skim: "skim →",
  spoken: (skimmed: number, of: number, threshold: string) =>
    `At a threshold of ${threshold} the network skims ${plural(skimmed, "word")} of ${of}.`,
};

/** All of a model's, or a sample of them. */
const testTexts = (texts: number, of: number) => (texts < of ? `${whole(texts)} of its ${whole(of)} test texts` : "its test texts");

export const tradeoff = {
  caption: (dataset: string, texts: number, of: number) => `Accuracy against work, over ${dataset}${texts < of ? `: ${testTexts(texts, of)}` : ""}`,
  spoken: (threshold: string, accuracy: string, texts: number, of: number, skimmed: string, factor: string, direction: Direction) =>
    `At threshold ${threshold} the model is right on ${accuracy} of ${testTexts(texts, of)}, skims ${skimmed} of their words and, beside a full network, spends ${factor} ${measured.direction[direction]} computation.`,
  none: "No figures",
  axis: "less computation →",
  here: (threshold: string, accuracy: string, skimmed: string, factor: string, direction: Direction) =>
    `At ${threshold}: **${accuracy}** right, **${skimmed}** skimmed, **${factor}** ${measured.direction[direction]} computation.`,
  noise: (texts: number, error: string) =>
    `The ring marks the model’s own setting. With ${whole(texts)} test texts, chance alone moves an accuracy by about ${error} points (one standard error, the pale band).`,
  /** How an accuracy compares with that of reading every word. */
  than: (points: string, direction: "less" | "more", noise: string, isNoise: boolean) =>
    `That is ${points} points ${direction} than with every word read. Chance alone makes differences of up to ${noise} points (two standard errors), so this one ${isNoise ? "may be noise" : "is hardly noise"}.`,
};

export const savings = {
  title: "What skimming saves",
  prose: [
    "Less arithmetic helps only if it also saves time. So your browser reads the same text in three ways: as the network decided, with every word read, and with a plain LSTM, which is the large cell alone. The three take turns, so a busy moment slows all of them.",
    "Time usually shrinks less than arithmetic does. Every reading has a fixed cost that skimming cannot avoid. And a processor handles each number of a large matrix faster than each number of a small one. Try [a long review](review), [a question](question), or [the first text](first).",
  ],
};

export const gauges = {
  words: "Words skimmed",
  ofWords: (skimmed: number, of: number) => `${whole(skimmed)} of ${plural(of, "word")}`,
  work: "Arithmetic, beside a plain LSTM",
  operations: "floating-point operations",
  time: "Time, beside every word read; measured here just now",
  nothing: "the network skimmed nothing",
  busy: "too busy",
  ours: "as it decided",
  every: "every word read",
  other: "a plain LSTM",
  rounds: (interval: string | null, rounds: number, device: string) => `${interval ? `${interval} in ` : ""}${rounds} rounds, on ${device}`,
  kept: "…, words kept",
  method: (ms: number, intervals: readonly { readonly name: string; readonly between: string }[]) =>
    `Each of them reads the text for ${ms} ms and then waits for its next turn. The bars show the medians. The rounds lay between these times: ${intervals.map(({ name, between }) => `${name} ${between}`).join(", ")}. We leave nothing out, and measure in three sittings with pauses between them. Your machine may be faster or slower in a minute, and all of these times with it; how they stand to each other stays. But for “words kept”, no network keeps anything of a word from one reading to the next.`,
  keep: "Let the network keep the products of words",
  keeps: (saves: { readonly factor: string; readonly direction: string } | null) =>
    `A network that skims can keep the products of a word until the word comes again: ${saves ? `${saves.factor} ${saves.direction} time than without` : `what that saves here, ${measured.tooBusy}`}. A plain LSTM cannot, because it would have to keep too many. So we measure all other times here without this.`,
  long: "This text is too long to read it again and again.",
  rest: "Will measure when you stop typing.",
  running: "Measuring, in three sittings with pauses between.",
};

export const time = {
  title: "Where it runs",
  choose: "Compute on",
  soon: "Will measure here when the model has loaded.",
  /** In place of the engine's own words for what it chose by, and of the times. */
  first: (words: number) => ` for ${plural(words, "word")} the faster by a first measurement`,
  both: "This text on both devices, taking turns, just now",
  method: (device: string) =>
    `Measured on ${device} with the readings above, and once more with the text repeated four times. That gives three equations for the three costs.`,
};

export const account = {
  caption: "Where the time goes, just now",
  fixed: "once for the whole text",
  read: (count: number) => (count === 1 ? "word read" : "words read"),
  skim: (count: number) => (count === 1 ? "word skimmed" : "words skimmed"),
  each: (time: string) => `${time} each`,
  total: "the whole reading",
  busy: `How the time divides: ${measured.tooBusy}.`,
};

export const words = {
  title: "Which words, and why",
  prose: (sentiment: boolean) => [
    "Nobody told the network which words to skim. Its training rewarded right answers and charged a little for each word it read. So it learned to read the words that decide the answer.",
    `The test texts show the pattern. The network skims the small words that hold every sentence together. It reads the words that carry the answer${sentiment ? ": words that praise, words that damn, and words that turn one into the other" : ""}.`,
  ],
  caption: "Words, by how often they occur and how often they are read",
  spoken: "A scatter plot: frequent words stand at the bottom, where they are skimmed; words that decide at the top, where they are read. The table below has its numbers.",
  often: "occurrences →",
  skimmed: "Skimmed most often",
  read: "Read most often",
  columns: { word: "word", share: "share skimmed", count: "occurrences" },
  one: (read: string, count: string) => `“{word}” was read ${read} times among ${count}.`,
  note: (dataset: string, words: number) =>
    `The words **read** most often and those *skimmed* most often in ${dataset} (${whole(words)} words). The upright scale is the share of a word’s occurrences that were read. It is stretched at both ends, where nearly all words are.`,
  all: "The words as a table",
};

export const eyes = {
  title: "People beside the network",
  prose: (network: string, sentences: number, partial: string) => [
    `People have read sentences of film reviews too, while a camera followed their eyes. They also skip words. The network beside them is always “${network}”, whichever reads your text. Do they look at the words that it reads?`,
    `Yes, more often than at the others. But this does not mean that the network reads as people do. People look at long and rare words, and so does the network. In fact, the length of a word predicts where people look better than the network does. Once we account for length and frequency, very little is left that the two have in common: a correlation of ${partial}.`,
    `We can compare ${sentences} sentences. The intervals show how far each number could be off by chance.`,
  ],
  share: "Share of people who look at a word",
  read: "words the network reads",
  skim: "words it skims",
  correlation: "Correlation with that share, word by word",
  rows: {
    network: "the network’s probability of reading",
    length: "the word’s length",
    frequency: "how often the word occurs",
    partial: "the network, once length and frequency are accounted for",
  },
  interval: (from: string, to: string) => `(${from} to ${to})`,
  byKind: "By kind of word",
  byLength: "By number of letters",
  orMore: (length: number) => `${length} or more`,
  lookedAt: "people look at",
  reads: "network reads",
  classes: {
    content: "content words",
    negation: "negations",
    pronoun: "pronouns",
    auxiliary: "auxiliaries",
    conjunction: "conjunctions",
    preposition: "prepositions",
    determiner: "determiners",
  },
  how: "How we computed this",
  method: (dataset: string, readers: number, words: number, model: string) =>
    `${dataset}: ${readers} readers, ${whole(words)} words. The network is ${model}. For each word we take the share of readers who looked at it, and the network’s probability of reading it; where the network splits a word, the highest of its parts. Punctuation does not count here. We compare the two by Spearman’s rank correlation. The intervals hold 95% of 2,000 samples in which sentences are drawn at random (a bootstrap). We count letters and digits for the length, and occurrences in film reviews for the frequency. Words are sorted into kinds by lists of function words; all others are content words.`,
};
