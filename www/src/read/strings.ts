/** What the chapter Read says. */

import { plural, whole } from "../frame/format.ts";
import { measured } from "../frame/strings.ts";

export const chapter = {
  name: "Read",
  title: "How a network skims",
  lede: "A sentence, word by word: what the network reads, what it skims, how it decides, and what that saves.",
  question: "Which words does it read, and which does it skim?",
};

/** What became of a word. */
export const decision = { read: "read", skim: "skimmed" };

export const reading = {
  title: "Give it something to read",
  empty: "Nothing to read yet. Type something, or take an example.",
  letItDecide: "Let the network decide all words",
  share: "Share this reading",
  save: "Save as a picture",
  noPictures: "This browser draws no pictures.",
  copied: "The link is copied.",
  noSharing: "This browser does not let the page share.",
  spoken: (label: string, sure: string, read: number, of: number, factor: string, direction: "less" | "more") =>
    `${label}, ${sure}. Read ${read} of ${plural(of, "token")}; ${factor} ${measured.direction[direction]} computation.`,
  onPicture: (label: string, skimmed: number, of: number) => `Saccade · ${label} · skimmed ${skimmed} of ${of} words`,
};

export const write = {
  text: "Your text",
  placeholder: "Write what you thought of a film.",
  back: "Back to your text",
  try: "Or try",
  model: "Read by the model",
  ownFile: "A model file of your own",
  choose: "Your own file…",
  aboutOwn: (megabytes: string) => `Your own file, ${megabytes} MB. It stays in this browser.`,
  accuracy: (share: string) => `Right on ${share} of its test texts.`,
};

const tokensOf = (done: number, total: number | null) => `${whole(done)} of ${total === null ? "all tokens" : plural(total, "token")}`;

export const status = {
  modelFailed: (name: string) => `The model “${name}” could not be loaded.`,
  textFailed: "This text could not be read.",
  recordedBelow: "What stands below is a recorded reading of this text.",
  tryAgain: "Try again",
  loading: (name: string, received: string | null, total: string | null, recorded: boolean) =>
    `Loading “${name}”${received ? ` · ${received} ${total ? `of ${total} ` : ""}MB` : ""}${recorded ? ". This is a recorded reading." : ""}`,
  download: "Download",
  reading: (done: number, total: number | null) => `Reading: ${tokensOf(done, total)}.`,
  readingBar: "Reading",
  stop: "Stop",
  stopped: (done: number, total: number | null) => `Stopped after ${tokensOf(done, total)}.`,
  resume: "Read it after all",
};

export const tokens = {
  group: "The text, token by token",
  label: (word: string, decision: string, forced: boolean, skim: string | null, known: boolean) =>
    `${word}: ${decision}${forced ? ", by your choice" : ""}${skim ? `, skim probability ${skim}` : ""}${known ? "" : ", not in the model’s vocabulary"}`,
  shown: (shown: number, of: number) => `The first ${whole(shown)} of ${whole(of)} tokens are shown.`,
  more: "Show more",
  unknown: "unknown word",
  key: "The line under a word is its probability of being read.",
};

export const summary = {
  unknown: (unknown: number, of: number) =>
    `The network does not know ${unknown === of ? "any" : `${unknown} of ${of}`} of these words. It has learned from English texts only, so take its verdict on this one as a guess.`,
  skimmed: (skimmed: number, of: number, arithmetic: string, time: string) =>
    `Skimmed ${whole(skimmed)} of ${plural(of, "word")}: ${arithmetic}${time}.`,
  arithmetic: { less: (factor: string) => `${factor}× less arithmetic`, more: (factor: string) => `${factor}× more arithmetic, for the decisions` },
  time: (ours: string, everyWord: string, device: string) => `, ${ours} instead of ${everyWord} on this ${device}`,
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
  wrote: (all: number) => `It then wrote all ${plural(all, "number")} of its memory anew.`,
  changed: (changed: number, kept: number) => `It then changed ${plural(changed, "number")} of its memory and kept the other ${kept}.`,
  giveBack: "Let the network decide",
  skim: "Skim it instead",
  read: "Read it instead",
  numbers: "The numbers behind it",
  logits: "The decision, before the softmax",
  logit: { read: "logit, read", skim: "logit, skim" },
  moves: "The largest moves of the state",
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

export const cells = {
  title: "Two cells and a choice",
  prose: (hidden: number, small: number, ratio: string | null) => [
    `A recurrent network goes through a text word by word. What it knows so far is its *state*, here ${hidden} numbers, and at each word a *cell* computes a new state from the old one.`,
    `This network has two cells. The large one rewrites the whole state. The small one writes only the first ${small} numbers and leaves the others as they are. Before each word, a few multiplications decide which of the two cells runs.`,
    `[Play the reading](play) and watch the two take turns. The eye rests longer where the network reads${ratio ? `: on this machine such a step takes about ${ratio} times as long as a skimmed one` : ""}. Or go [one word on](step) at a time.`,
  ],
  overrule: {
    skim: "You may also overrule the choice: [make it skim “{word}”](force) and watch the verdict change. You can press any word of the text.",
    read: "You may also overrule the choice: [make it read “{word}”](force) and watch the verdict change. You can press any word of the text.",
  },
  press: "You can press any word of the text.",
  skims: (word: string, writes: number, carried: number) =>
    `The step at “${word}” skims: the small cell writes ${writes} numbers of the state, ${carried} are carried over.`,
  reads: (word: string, writes: number) => `The step at “${word}” reads: the large cell writes all ${writes} numbers of the state.`,
  before: "word, state",
  after: "new state",
  large: "large cell",
  small: "small cell",
  carried: "carried over",
  decision: "decision",
  weights: (count: string) => `${count} weights`,
  scale: "Areas are to scale: as much area, as many weights to multiply with.",
};

export const memory = {
  title: "What it remembers",
  prose: [
    "Each column is the state after one word. Where the network reads, the whole column changes. Where it skims, only the top rows move: below the line the colours run on as *streaks*, because nothing was computed there.",
    "The curve shows what the verdict would be if the text ended at that word. The network makes up its mind at the words it reads. Try [two negations](negations), or follow it through [a long review](review).",
  ],
  curve: (label: string) => `“${label}”, if the text ended at each word`,
  states: (size: number) => `The ${size} numbers of the state, word by word`,
  spoken: (at: number, of: number, word: string, changed: number, size: number, label: string, share: string) =>
    `At word ${at} of ${of}, “${word}”: ${changed} of ${size} numbers changed, and “${label}” stands at ${share}.`,
  line: (small: number) => `Above the line: the ${small} numbers that the small cell may write.`,
};

export const threshold = {
  title: "How sure is sure enough?",
  prose: [
    "The network gives a probability for each choice, and we must choose how confident is confident enough. It was trained to skim whenever that probability is above one half, but you can move this threshold. [Lower it](lower), and the network skims more. At [zero](zero) it skims everything. [Raise it to one](one), and it reads every word.",
  ],
  label: "Skim when the probability is above",
  spoken: (sure: number) => `skim when the network is more than ${sure} percent sure`,
  low: "skim nearly all",
  high: "read all",
  own: (own: string | null) => `Back to the model’s own${own ? `, ${own}` : ""}`,
};

export const chances = {
  caption: "The words of your text, by their probability of being skimmed",
  read: "← read",
  skim: "skim →",
  spoken: (skimmed: number, of: number, threshold: string) =>
    `${plural(skimmed, "word")} of ${of} are skimmed at a threshold of ${threshold}.`,
};

export const tradeoff = {
  caption: (dataset: string) => `Accuracy against work, over ${dataset}`,
  spoken: (threshold: string, accuracy: string, skimmed: string, factor: string) =>
    `At threshold ${threshold} the model is right on ${accuracy} of its test texts, skims ${skimmed} of their words and spends ${factor} times fewer operations than a full network.`,
  none: "No figures",
  axis: "less computation →",
  here: (threshold: string, accuracy: string, skimmed: string, factor: string) =>
    `At ${threshold}: **${accuracy}** right, **${skimmed}** skimmed, **${factor}×** less computation.`,
  noise: (texts: number, error: string, twice: string) =>
    `The ring is the model’s own setting. Over ${whole(texts)} texts chance alone moves an accuracy by about ${error} points (one standard error, the band): a difference of less than ${twice} points may be noise.`,
};

export const savings = {
  title: "What skimming saves",
  prose: [
    "Skipping arithmetic helps only if it also saves time. So your browser now reads the same text in three ways: as the network decided, with every word read, and with a plain LSTM, which is the network’s large cell alone. They take turns, so that a busy moment slows all of them.",
    "The saving in time is usually smaller than the saving in arithmetic. Every reading has a fixed cost that skimming cannot avoid, and a processor multiplies large matrices faster, number by number, than small ones. Try [a long review](review), [a question](question), or [the text from the beginning](first).",
  ],
};

export const gauges = {
  words: "Words skimmed",
  ofTokens: (skimmed: number, of: number) => `${whole(skimmed)} of ${plural(of, "token")}`,
  work: "Arithmetic",
  operations: "floating-point operations",
  time: "Time, measured here",
  nothing: "nothing was skimmed",
  busy: "too busy",
  ours: "as it decided",
  every: "every word read",
  other: "a plain LSTM",
  rounds: (interval: string | null, rounds: number, device: string) => `${interval ? `${interval} in ` : ""}${rounds} rounds, on ${device}`,
  kept: "…, words kept",
  method: (ms: number, intervals: readonly { readonly name: string; readonly between: string }[]) =>
    `Every way reads the text for ${ms} ms and then waits for its next turn. The bars are medians. ${intervals.map(({ name, between }) => `${name}: ${between}; `).join("")}nothing is left out. No network keeps anything of a word from one reading to the next.`,
  keep: "Let the network keep the products of words",
  keeps: (saves: { readonly factor: string; readonly direction: string } | null) =>
    `A network that skims can keep a word’s products for the next time that the word comes: ${saves ? `${saves.factor} ${saves.direction} time than without` : `what that saves here, ${measured.tooBusy}`}. A plain LSTM cannot, as it would have to keep too many. So all other times here are measured without.`,
  long: "This text is too long to be read again and again.",
  rest: "Will measure when you stop typing.",
};

export const time = {
  title: "Where it ran",
  choose: "Compute on",
  soon: "Will measure here when the model has loaded.",
  /** In place of the times that the engine chose by. */
  first: " by a first measurement",
  both: "This text on both devices, taking turns",
  method: (device: string) =>
    `Measured on ${device} with the readings above, and once more with the text four times over: three equations for the three prices.`,
};

export const account = {
  caption: "Where the time goes",
  fixed: "once a reading",
  read: (count: number) => (count === 1 ? "word read" : "words read"),
  skim: (count: number) => (count === 1 ? "word skimmed" : "words skimmed"),
  each: (time: string) => `${time} each`,
  total: "the whole reading",
  busy: `Of how it divides, ${measured.tooBusy}.`,
};

export const words = {
  title: "Which words, and why",
  prose: (sentiment: boolean) => [
    "Nobody told the network which words to skim. It was trained to be right, and each word it read cost it a little. So it learned to read the words that decide the answer.",
    `The whole test set shows the pattern. The network skims the little words that hold every sentence together, and reads the words that carry the answer${sentiment ? ": what praises, what damns, what turns one into the other" : ""}.`,
  ],
  skimmed: "Skimmed most often",
  read: "Read most often",
  columns: { word: "word", share: "share skimmed", count: "occurrences" },
  share: (share: string) => `${share} skimmed`,
  note: (dataset: string, tokens: number) =>
    `Bars: how often a word was **read** rather than *skimmed*; numbers: how often it occurs in ${dataset} (${whole(tokens)} tokens).`,
  fewer: "Fewer",
  all: "All words",
};

export const eyes = {
  title: "People beside the network",
  prose: (sentences: number) => [
    "People have read some of these sentences too, in front of an eye tracker. They skip words as well. Do they look at the words that the network reads?",
    "They do, more often than at the others. But this does not mean that the network reads as people do. People look at long and rare words, and so does the network. A word’s length predicts people’s eyes better than the network does. Once we account for length and frequency, almost nothing is left that the two have in common.",
    `We can compare ${sentences} sentences. The intervals show how far chance alone could have moved a number.`,
  ],
  share: "Share of people who look at a word",
  read: "words the network reads",
  skim: "words it skims",
  correlation: "Correlation with that share, word by word",
  rows: {
    network: "the network’s probability of reading",
    length: "the word’s length",
    frequency: "how often the word occurs in English",
    partial: "the network, length and frequency taken out",
  },
  interval: (from: string, to: string) => `(${from} to ${to})`,
  byKind: "By kind of word",
  byLength: "By number of letters",
  orMore: (length: number) => `${length} or more`,
  lookedAt: "people look at",
  reads: "network reads",
  method: "How this was computed",
  data: (dataset: string, readers: number, words: number, model: string, method: string) =>
    `${dataset}. ${readers} readers, ${whole(words)} words, the model ${model}. ${method}`,
};
