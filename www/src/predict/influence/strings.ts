/** What the scene of influences says. */

import { plural } from "../../frame/format.ts";
import type { Unit } from "../strings.ts";

export const influence = {
  title: (unit: Unit) => `Which ${unit}s a guess hung on`,
  prose: (unit: Unit) => [
    `**Press a ${unit}.** The network then guesses it again and again, each time with one of the earlier ${unit}s left out. If it is more surprised without that ${unit}, the ${unit} had helped.`,
    `The number under an earlier ${unit} says by how many bits: **+1** means that the guess was twice as likely with the ${unit} as without it. A minus means that the ${unit} had led it astray.`,
  ],
  empty: "There is nothing to guess yet. Type something, or pick a beginning at the top.",
  group: (unit: Unit) => `The text: press a ${unit} to see what its guess hung on`,
  target: (word: string, unit: Unit) => `${word}: the ${unit} that was guessed`,
  label: (word: string, bits: string, hinders: boolean) => `${word}: ${bits} bits, ${hinders ? "led it astray" : "helped"}`,
  told: (word: string, target: string, bits: string, hinders: boolean) =>
    `${bits} bits: “${word}” made “${target}” ${hinders ? "less" : "more"} likely.`,
  strongest: (target: string, words: readonly string[]) => `The guess of “${target}” hung most on ${list(words)}.`,
  first: (unit: Unit) => `Nothing comes before the first ${unit}.`,
  none: (target: string, unit: Unit) => `No single ${unit} changed the guess of “${target}” by much.`,
  untold: (count: number, unit: Unit) =>
    `What ${count === 1 ? `one ${unit}` : plural(count, unit)} did cannot be told: without ${count === 1 ? "it" : "them"} the text falls into other ${unit}s.`,
  noneTold: (target: string, unit: Unit) =>
    `What the guess of “${target}” hung on cannot be told: the text up to it falls into other ${unit}s when an earlier one is left out.`,
  nearest: (count: string, unit: Unit) => `Only the ${count} ${unit}s before it are left out in turn.`,
  stop: "Stop",
  stopped: (count: number, of: number) => `Stopped after ${count} of ${of}.`,
  progress: "Left out so far",
  more: "made the guess likelier",
  less: "made it less likely",
};

const list = (words: readonly string[]) => new Intl.ListFormat("en").format(words);
