/** What the scene “Say my name” says. */

import { percent } from "../../frame/format.ts";

export const scene = {
  title: "Say my name",
  prose: [
    "English letters do not say how they sound. Think of the *c* in *cat*, *city* and *church*. Here a network finds out by itself, in about a minute. It learns from 17,000 words and first names, in which each letter has its sounds.",
    "**Type a name**, and let it learn. Each letter shows the sound that the network thinks most likely, and a bar how sure it is. Watch the letters that settle at once and those that do not. Pull the slider to go back.",
    "A letter’s sound depends on those to its left *and* to its right: an *e* at the end makes the *a* of *Kate* long. So one half of the network reads from the left and the other from the right.",
  ],
  source: "The words are from the [CMU Pronouncing Dictionary](https://github.com/cmusphinx/cmudict), copyright 1993–2008 Carnegie Mellon University, and every twentieth of them is never learned from. It gives American English, so many names of other languages come out as an American would read them.",
};

export const controls = {
  learn: "Learn to say it",
  recorded: "Below you see how a few names came out when we had it learn. Press Learn to say it, and it learns here and says any name.",
  name: "A name",
  try: "Or try",
  names: ["Catherine", "Xavier", "Joaquin", "Kate"],
  notFetched: "The words did not load.",
  ended: (sounds: string, words: string) => `It has learned. It gets ${sounds} of the sounds and ${words} of the words right that it never learned from.`,
  handed: (sounds: string, words: string) => `${sounds} of the sounds, ${words} of the words right`,
};

export const figures = {
  sounds: "sounds right, of words it never learned from",
  words: "of these words right throughout",
};

export const spoken = {
  caption: "Letter by letter",
  none: "What each letter sounds like will stand below it, once it learns.",
  later: "This name was first asked for later in the run.",
  empty: "Type a name in the letters A to Z.",
  silent: "silent",
  said: "It says",
  letter: (letter: string, sound: string, share: number) => `${letter}: ${sound}, ${percent(share)} sure`,
};

export const history = {
  caption: "Right so far, of words it never learned from",
  sounds: (share: number) => `sounds ${percent(share)}`,
  words: (share: number) => `words ${percent(share)}`,
  passes: "passes through the words",
  scrub: "Back through what it has learned",
  value: (passes: string, sounds: number, words: number) => `after ${passes}: ${percent(sounds)} of the sounds right, ${percent(words)} of the words`,
  empty: "The curves begin with the run.",
};

export const legend = {
  title: "The sounds and their signs",
  as: (word: string) => `as in ${word}`,
};

/** The name of the model's file. */
export const fileName = "my-speller.safetensors";
