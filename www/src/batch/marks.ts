import type { Kind } from "./program.ts";

/** A shape for each kind of step, so that none is known by its colour alone. */
export const marks: Readonly<Record<Kind, string>> = {
  look: "M-2.2 -2.2H2.2V2.2H-2.2z",
  letter: "M0 -3.4L3 2.6H-3z",
  word: "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0",
  join: "M0 -5L5 0L0 5L-5 0z",
  guess: "M-3 0A3 3 0 1 0 3 0A3 3 0 1 0 -3 0",
};

/** The mark of a cell that no sentence needs. */
export const cross = "M-3.2 -3.2L3.2 3.2M3.2 -3.2L-3.2 3.2";
