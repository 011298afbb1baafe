/** What a model wrote, as people would write it. */

import type { LanguageModel, NextWord } from "../../engine.ts";
import { lastPart, piecesFor } from "../text.ts";
import { nameOf } from "../words.ts";

/** Only the words at the end of a text can be cut otherwise by what comes after it: so many characters. */
const END = 200;

/** What a text goes on with, word by word. */
export function spell(prompt: string, words: readonly Pick<NextWord, "text">[], tokenizer: Readonly<Record<string, unknown>>): string[] {
  let so = prompt;
  return words.map(({ text }) => {
    const [piece = ` ${nameOf(text)}`] = piecesFor(text, so, tokenizer);
    so += piece;
    return piece;
  });
}

/** What a text goes on with, as people would write it wherever the model then reads the same words, and as the model writes it elsewhere. */
export async function goOn(
  model: Pick<LanguageModel, "tokenize">,
  tokenizer: Readonly<Record<string, unknown>>,
  prompt: string,
  words: readonly (Pick<NextWord, "text"> & { readonly piece: string })[],
): Promise<string> {
  const tokens = async (text: string) => (await model.tokenize(text)).map(({ text }) => text).join("\n");
  const follows = async (end: string, given: readonly { readonly text: string }[], piece: string) =>
    (await tokens(end + piece)) === [await tokens(end), ...given.map(({ text }) => text)].filter((text) => text !== "").join("\n");
  const whole = spell(prompt, words, tokenizer).join("");
  if (await follows(lastPart(prompt, END), words, whole)) return whole;
  let written = "";
  for (const word of words) {
    const end = lastPart(prompt + written, END);
    let piece = word.piece;
    for (const form of piecesFor(word.text, end, tokenizer)) {
      if (!(await follows(end, [word], form))) continue;
      piece = form;
      break;
    }
    written += piece;
  }
  return written;
}
