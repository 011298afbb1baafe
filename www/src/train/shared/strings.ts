/** What all runs say. */

import type { NoText } from "./file.ts";

export const actions = {
  starting: "Fetching the engine that learns…",
  pause: "Pause",
  goOn: "Go on",
  stop: "Stop",
  again: "Learn again",
  seed: "With another seed",
  save: "Save the model",
  failed: "The run ended with an error.",
};

export const figures = {
  step: "step",
  of: (step: string, of: string) => `${step} of ${of}`,
};

export const handed = {
  earlier: (figures: string) => `The model that is saved or used is an earlier one, the best: ${figures}.`,
};

/** Why a file of the visitor's gives no text. */
export const noText = {
  unread: (file: string) => `${file} cannot be read. It may be a folder, or no longer be there.`,
  encoding: (file: string) => `${file} is no text in UTF-8.`,
} satisfies Record<NoText, (file: string) => string>;

export const words = { pass: "pass", passes: "passes" };
