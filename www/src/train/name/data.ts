/** English words and first names, each with a tag for every letter: the sounds that it makes. Fetched when they are learned from. */

import { JOINT, SILENT } from "./phonemes.ts";
import address from "./sounds.txt?url";

/** A word, and what each of its letters makes. */
export interface Tagged {
  readonly text: string;
  readonly tags: readonly string[];
}

export interface Words {
  readonly train: readonly Tagged[];
  /** Not learned from. */
  readonly dev: readonly Tagged[];
}

/** Of so many words one is never learned from. */
export const EVERY = 20;

/** Reads the file: a legend of signs, an empty line, and words with a sign for each letter. */
export function parse(file: string): Words {
  const [legend = "", body = ""] = file.split("\n\n");
  const tags = new Map(
    legend
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .map((line) => [line.charAt(0), line.slice(2).replaceAll(" ", JOINT) || SILENT]),
  );
  const all = body.trim().split("\n").map((line) => {
    const [text = "", signs = ""] = line.split(" ");
    return { text, tags: [...signs].map((sign) => tags.get(sign) ?? SILENT) };
  });
  const isDev = (at: number) => at % EVERY === EVERY - 1;
  return { train: all.filter((_, at) => !isDev(at)), dev: all.filter((_, at) => isDev(at)) };
}

export async function fetchWords(): Promise<Words> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return parse(await answer.text());
}

/** The most letters of a name, which has to fit its figure. */
export const MOST_LETTERS = 24;

/** Letters that are none of ours with a mark on it, and how they are written without them. */
const FOLDED: Readonly<Record<string, string>> = { æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ß: "ss", ı: "i" };

/** The words of a name as the network knows letters: Zoë-Anne becomes zoe and anne. */
export function wordsOf(name: string): string[] {
  const letters = name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const folded = [...letters].map((letter) => FOLDED[letter] ?? letter).join("");
  return folded.slice(0, MOST_LETTERS).match(/[a-z]+/g) ?? [];
}
