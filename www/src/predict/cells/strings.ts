/** What the scene about three kinds of cells says. */

import { plural, whole } from "../../frame/format.ts";
import type { Line } from "../../frame/maths/line.ts";

export const names = { elman: "Elman", lstm: "LSTM", sru: "SRU" };

export const scene = {
  title: "Three cells, one text",
  prose: [
    "Three networks with about as many weights have learned from the same megabyte of Shakespeare’s plays, one character after the other, in six passes. One has *Elman* cells, one *LSTM* cells, and one two layers of *SRU* cells.",
    "Each strip shows how surprised a network was at every character of **your text**. The higher the bar, the more bits. Where one strip is low and another high, one network knew what the other did not. Below, each goes on with your text from the same *seed*, that is by the same draws of chance.",
  ],
  load: "Load the three networks",
  size: "Together they are about a megabyte.",
  loading: "Loading the three networks",
  received: (received: string, total: string | null) => `${received} ${total === null ? "" : `of ${total} `}MB`,
  cut: (characters: string) => `The text is long: the three networks read only its last ${characters} characters.`,
  download: "Download",
  failed: "The three networks did not load.",
  notRead: "The networks could not read this text.",
  again: "Try again",
};

export const strips = {
  caption: "Surprisal of each character, in bits",
  label: (row: string) => `Surprisals of the characters “${row}”, network by network.`,
  empty: "There is nothing to read yet. Type something above.",
  part: (from: number, to: number, of: number) => `Characters ${whole(from)} to ${whole(to)} of ${whole(of)}`,
  pick: "The character",
  space: "space",
  line: "end of the line",
  value: (character: string, at: number, of: number) => `“${character}”, character ${whole(at)} of ${whole(of)}`,
  at: (character: string, before: string, each: string) => `At “${character}” after “${before}”: ${each}.`,
  each: (name: string, bits: string) => `${name} ${bits}`,
  widest: "Here they differ most.",
  toWidest: "Where they differ most",
  scale: (bits: number, beyond: boolean) => `Each strip is ${bits} bits high.${beyond ? " A bar with a gap is higher." : ""}`,
};

export const table = {
  caption: "The networks on your text",
  columns: ["network", "weights", "bits a character", "all of it", "time a character"],
  bits: (bits: string) => `${bits} bits`,
  best: "least",
  time: "Measure the time",
  again: "Measure it again",
  stop: "Stop",
  rounds: "Rounds measured",
  failed: (why: string) => `The measurement stopped: ${why}`,
  note: (characters: number) =>
    `Of ${plural(characters, "character")}. A network that knew nothing would need 6 bits for one of 66 characters. Times are those of reading all of it on the CPU, in turns and in three sittings, just now: the median, and what the rounds lay between.`,
};

export const writing = {
  caption: "How each goes on with it",
  seed: (seed: number) => `Seed ${seed}`,
  another: "Another seed",
  note: (characters: number, temperature: number) => `${characters} characters each, drawn at a temperature of ${temperature}.`,
};

export const maths: readonly Line[] = [
  {
    tex: String.raw`\text{bits a character} = -\frac{1}{n} \sum_{t=1}^{n} \log_2 p(x_t \mid x_1, \dots, x_{t-1})`,
    words: "The mean surprisal. To send the text by an arithmetic coder that uses the network’s guesses takes so many bits for each character.",
  },
  { tex: String.raw`\text{Elman:} \quad h_t = \tanh(W x_t + U h_{t-1} + b)`, words: "d (m + d) weights for m numbers in and d of state. The whole state is rewritten at every character." },
  {
    tex: String.raw`\text{LSTM:} \quad c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad h_t = o_t \odot \tanh(c_t)`,
    words: "4 d (m + d) weights: so with as many weights its state of 256 numbers is about half as long as Elman’s, 540.",
  },
  {
    tex: String.raw`\text{SRU:} \quad c_t = f_t \odot c_{t-1} + (1 - f_t) \odot W x_t, \quad h_t = r_t \odot c_t + (1 - r_t) \odot x_t`,
    words: "3 d m weights and two vectors, or 4 d m where m and d differ and the input must be made as long as the state. No matrix waits for the state.",
  },
  {
    tex: String.raw`x = \min \Bigl\{ k : \sum_{j \leq k} \tilde{p}_j > u \Bigr\}, \qquad \tilde{p}_j \propto p_j^{1 / 0.7}`,
    words: "The same seed gives each network the same numbers u between 0 and 1. They draw different characters only where their probabilities differ.",
  },
];
