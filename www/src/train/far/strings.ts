/** What the scene “How far back can it learn?” says. */

import { percent, whole } from "../../frame/format.ts";
import { two } from "../shared/numbers.ts";
import type { Cell } from "./sizes.ts";

export const scene = {
  title: "How far back can it learn?",
  prose: [
    "Here the task is to remember. Each text is a row of letters. At its end the network is asked which of two letters came *first*; all others mean nothing. Nobody learns this unless the error at the end finds its way back to the beginning.",
    "Each picture shows how large the gradient still is at every letter, beside its size at the end, in powers of ten. In the *Elman* network it dies: step by step it is multiplied by the same matrix. LSTM and SRU have a memory that is carried on by gates, and most of the gradient arrives.",
    "With [fewer letters](few) the Elman network learns as well. Watch its gradient open shortly before. [Cut the gradient short](cut), and no cell can learn any longer. [Begin with large weights](large), and Elman’s gradient *explodes*: **clipping** scales such a gradient down to where it can do no harm.",
  ],
};

export const controls = {
  learn: "Let them learn",
  again: "Again",
  starting: "Fetching the engine of graphs…",
  pause: "Pause",
  goOn: "Go on",
  length: "Letters to remember over",
  lengthValue: (letters: number) => `${letters} letters`,
  reach: "The gradient goes back over",
  reachValue: (letters: number, all: boolean) => (all ? "all letters" : `${letters} letters`),
  clip: "Clip gradients to a norm of 1",
  large: "Elman begins with weights four times as large",
  recorded: (steps: number) => `Below you see the last of ${whole(steps)} steps when we let them learn. Press Let them learn and they learn here.`,
  notLoaded: "its program did not load.",
  failed: (why: string) => `The engine did not run it: ${why}`,
  round: (round: number, of: number) => `Step ${whole(round)} of ${whole(of)}`,
  ended: (all: string) => `All have had their steps: ${all}.`,
};

export const names: Readonly<Record<Cell, string>> = { elman: "Elman", lstm: "LSTM", sru: "SRU" };

export const strips = {
  caption: "The size of the gradient, from the first letter to the end",
  first: "first letter",
  end: "end",
  right: (share: number) => `${percent(share)} right`,
  waiting: "has not begun",
  arrives: (size: number): string => {
    if (size === 0) return "Nothing of it arrives at the first letter.";
    if (size >= 2) return `At the first letter it is ${two(size)} times as large as at the end.`;
    if (size >= 0.9) return "At the first letter it is about as large as at the end.";
    if (size >= 0.01) return `At the first letter ${percent(size)} of its size is left.`;
    return `At the first letter 1 part in ${parts.format(1 / size)} of its size is left.`;
  },
  norm: (norm: number, clipped: boolean) => `The gradient of all weights has a norm of ${two(norm)}${clipped ? ", and is clipped to 1" : ""}.`,
  spoken: (name: string, right: string, arrives: string) => `${name}, ${right}. ${arrives}`,
};

const parts = new Intl.NumberFormat("en", { maximumSignificantDigits: 2, notation: "compact", compactDisplay: "long" });
