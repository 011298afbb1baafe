import { wordsOf } from "./data.ts";
import type { Moment, Said } from "./namer.svelte.ts";
import record from "./recorded.json";
import type { Phoneme } from "./phonemes.ts";

/** Of every moment the figures, and of each name, of each of its words and letters, the sounds and how sure the network is. */
interface Recorded extends Omit<Moment, "said"> {
  readonly said: Readonly<Record<string, readonly (readonly (readonly [sounds: string, probability: number])[])[]>>;
}

/**
 * A run with seed 1 that was asked for the names that the page offers, recorded (`SACCADE_RECORD=1 npx vitest run train-recorded`),
 * for the figure to show before anything is learned here.
 */
export const recorded: readonly Moment[] = (record as unknown as readonly Recorded[]).map(({ said, ...figures }) => ({
  ...figures,
  said: Object.fromEntries(Object.entries(said).map(([name, words]) => [name, lettersOf(name, words)])),
}));

function lettersOf(name: string, words: Recorded["said"][string]): Said[][] {
  const letters = wordsOf(name);
  return words.map((word, at) =>
    word.map(([sounds, probability], place) => ({
      letter: letters[at]?.charAt(place) ?? "",
      sounds: (sounds === "" ? [] : sounds.split(" ")) as Phoneme[],
      probability,
    })),
  );
}

/** A run as it is recorded. */
export function recordOf(moments: readonly Moment[]): readonly Recorded[] {
  const short = (figure: number, digits: number) => Number(figure.toFixed(digits));
  return moments.map(({ epoch, kept, sounds, words, said }) => ({
    epoch: short(epoch, 3),
    kept,
    sounds: short(sounds, 4),
    words: short(words, 4),
    said: Object.fromEntries(
      Object.entries(said).map(([name, all]) => [name, all.map((word) => word.map(({ sounds, probability }) => [sounds.join(" "), short(probability, 2)] as const))]),
    ),
  }));
}
