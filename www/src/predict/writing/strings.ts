/** What the scene in which the model writes says. */

import { plural, whole } from "../../frame/format.ts";
import type { Unit } from "../strings.ts";

export const writing = {
  title: "Let it write",
  prose: (unit: Unit) => [
    `To write, the network draws a ${unit} by its probabilities, reads what it has drawn, and guesses again. The *temperature* bends the probabilities first. [Cold](cold), it takes the likeliest ${unit} every time, and soon repeats itself. [Hot](hot), it dares anything.`,
    ...(unit === "word" ? ["To draw one word exactly, it seldom needs all of them. The small squares under a word are the tails: a filled one was opened for this word, an empty one stayed shut."] : []),
    `The same seed writes the same text. ${unit === "word" ? "Choose “Shakespeare” at the top and it writes letter by letter." : "Choose “Novels” at the top and it writes word by word."}`,
  ],
  shares: (unit: Unit) => `What the temperature makes of the likeliest next ${unit}s`,
  topP: "Keep the likeliest",
  topPValue: (share: string, unit: Unit) => `the likeliest ${unit}s that together have ${share}`,
  seed: "Seed",
  seeds: (most: string) => `A seed is a whole number from 0 to ${most}.`,
  empty: "Begin with an empty page",
  write: "Write",
  stop: "Stop",
  again: "Again, with another seed",
  keep: "Make it my text",
  back: "Back to the text before",
  failed: (why: string) => `It could not write: ${why}`,
  group: (unit: Unit) => `What it wrote, ${unit} by ${unit}`,
  label: (word: string, opened: readonly string[]) => `${word}: ${opened.length > 0 ? `${opened.join(" and ")} opened` : "the head was enough"}`,
  word: (word: string, share: string, opened: readonly string[], rows: string) =>
    `“${word}” had a probability of ${share}. ${opened.length > 0 ? `To draw it, ${opened.join(" and ")} had to be opened` : "To draw it, the head was enough"}: ${rows} logits.`,
  press: "Press a word to see what drawing it took.",
  opened: (words: number, opened: readonly (readonly [string, number])[], mean: string, total: string) =>
    `For ${plural(words, "word")}, ${opened.map(([name, times]) => `${name} was opened ${times === 1 ? "once" : `${whole(times)} times`}`).join(" and ")}. On average it took ${mean} of ${total} logits.`,
  keyOpen: "a tail that was opened",
  keyShut: "a tail that stayed shut",
  done: (text: string) => `Written: ${text}`,
};

const feeling = (value: number) => {
  if (value === 0) return "always the likeliest";
  if (value < 0.6) return "cautious";
  if (value < 0.95) return "a little cautious";
  // Only a temperature of 1 leaves the probabilities as they are.
  if (value <= 1.05) return "as it learned";
  return value < 1.5 ? "bold" : "wild";
};

export const wheel = {
  label: "Temperature",
  name: "temperature",
  cold: "cold",
  hot: "hot",
  number: (value: number) => value.toFixed(2),
  value: (value: number) => `${value.toFixed(2)}, ${feeling(value)}`,
};
