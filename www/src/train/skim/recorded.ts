import type { Moment } from "./learner.svelte.ts";
import { KNOBS } from "./knobs.ts";
import record from "./recorded.json";

/** Where the words of each shown sentence stand; and of each moment the figures, and of each sentence the label and a digit a word, 1 if it is skimmed. */
interface Record {
  readonly words: readonly (readonly (readonly [start: number, end: number])[])[];
  readonly moments: readonly (Omit<Moment, "reads" | "knobs"> & { readonly reads: readonly string[] })[];
}

/**
 * The run of our sentences with the knobs as they stand at first and seed 1, recorded (`SACCADE_RECORD=1 npx vitest run
 * train-recorded`), for the figure to show before anything is learned here. Who presses Learn gets the same, but for rounding.
 */
export const recorded: readonly Moment[] = momentsOf(record as unknown as Record);

function momentsOf({ words, moments }: Record): Moment[] {
  const read = (said: string, sentence: number) => {
    const [label = "", digits = ""] = said.split(" ");
    return { label, words: (words[sentence] ?? []).map(([start, end], at) => ({ start, end, skimmed: digits[at] === "1" })) };
  };
  return moments.map(({ reads, ...figures }) => ({ ...figures, knobs: KNOBS, reads: reads.map(read) }));
}

/** A run as it is recorded. */
export function recordOf(moments: readonly Moment[]): Record {
  const places = (moments[0]?.reads ?? []).map(({ words }) => words.map(({ start, end }) => [start, end] as const));
  const said = ({ label, words }: Moment["reads"][number]) => `${label} ${words.map(({ skimmed }) => Number(skimmed)).join("")}`;
  const short = (figure: number) => Number(figure.toFixed(4));
  return {
    words: places,
    moments: moments.map(({ epoch, kept, accuracy, skimRate, loss, reads }) => ({
      epoch,
      kept,
      accuracy: short(accuracy),
      skimRate: short(skimRate),
      loss: short(loss),
      reads: reads.map(said),
    })),
  };
}
