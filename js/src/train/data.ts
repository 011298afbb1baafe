/** Texts to learn from, wherever they are. */

import { refuse, tagOf } from "../arguments/check.js";
import type { Follow } from "../engine.js";
import { errorOf } from "../errors.js";
import { fileIn } from "../source.js";
import type { Source } from "../types.js";
import type { SetName } from "./calls.js";

/** A text and its label. */
export interface LabelledText {
  readonly text: string;
  readonly label: string | number | boolean;
}

/** A file: an address, a Request, a Response, a Blob or File, or bytes. */
export type TextSource = Exclude<Source, string>;

/** Labelled texts, or a file of lines, each a label, a space and a text. */
export type LabelledTexts = Iterable<LabelledText> | AsyncIterable<LabelledText> | TextSource;
/** A text, or parts of one, or its file. */
export type RunningText = string | Iterable<string> | AsyncIterable<string> | TextSource;

/** Texts to learn from, and others to choose the best model by and to report on. */
export interface Sets<Texts> {
  readonly train: Texts;
  readonly dev?: Texts | undefined;
  readonly test?: Texts | undefined;
}

export type TrainData = LabelledTexts | RunningText | Sets<LabelledTexts> | Sets<RunningText>;

/** Texts on their way to the engine. */
export interface Portion {
  readonly set: SetName;
  readonly labels: string[];
  readonly texts: string[];
  readonly lines: number[];
}

/** So much is handed over at a time: the thread has its turn in between. */
const LETTERS = 1 << 20;

/** The sets of the data. */
export function setsOf(data: unknown): Sets<unknown> {
  const isSets = tagOf(data) === "Object" && typeof data === "object" && data !== null && "train" in data;
  if (!isSets) return { train: data };
  for (const key of Object.keys(data)) {
    if (!["train", "dev", "test"].includes(key)) throw errorOf("OPTION_INVALID", `train: data.${key}: there is no such set; there are train, dev, test`);
  }
  return data as Sets<unknown>;
}

/** Labelled texts in portions. */
export async function* labelled(set: SetName, texts: unknown, follow: Follow): AsyncGenerator<Portion> {
  const at = `train: data.${set}`;
  const empty = (): Portion => ({ set, labels: [], texts: [], lines: [] });
  let [portion, letters, number] = [empty(), 0, 0];
  for await (const { row, line } of isMany(texts) ? rows(texts) : lines(await contents(texts, at, follow), at)) {
    const { text, label } = checked(row, `${at}[${number++}]`);
    portion.labels.push(label);
    portion.texts.push(text);
    portion.lines.push(line);
    letters += text.length;
    if (letters < LETTERS) continue;
    yield portion;
    [portion, letters] = [empty(), 0];
  }
  if (portion.texts.length > 0) yield portion;
}

/** A running text in parts. */
export async function* running(set: SetName, text: unknown, follow: Follow): AsyncGenerator<string> {
  const at = `train: data.${set}`;
  if (typeof text === "string") return void (yield text);
  if (!isMany(text)) return void (yield await contents(text, at, follow));
  let number = 0;
  for await (const part of text) {
    if (typeof part !== "string") refuse(`${at}[${number}]`, "a string", part);
    number += 1;
    yield part;
  }
}

function isMany(found: unknown): found is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof found !== "object" || found === null || ArrayBuffer.isView(found)) return false;
  return Symbol.iterator in found || Symbol.asyncIterator in found;
}

async function* rows(many: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<{ readonly row: unknown; readonly line: number }> {
  let line = 0;
  for await (const row of many) yield { row, line: ++line };
}

/** Lines of a label, a space and a text. */
function* lines(content: string, at: string): Generator<{ readonly row: unknown; readonly line: number }> {
  let line = 0;
  for (const written of content.split(/\r?\n/)) {
    line += 1;
    if (written.trim() === "") continue;
    const found = /^ *(\S+)[ \t](.*)$/.exec(written);
    if (!found) throw errorOf("TRAINING_DATA", `${at}: line ${line}: expected a label, a space and a text`);
    yield { row: { label: found[1], text: found[2] }, line };
  }
}

function checked(row: unknown, at: string): { readonly text: string; readonly label: string } {
  const { text, label } = (row ?? {}) as Partial<LabelledText>;
  if (typeof text !== "string") refuse(`${at}.text`, "a string", text);
  if (!["string", "number", "boolean"].includes(typeof label)) refuse(`${at}.label`, "a string, a number or a boolean", label);
  return { text, label: String(label) };
}

async function contents(source: unknown, at: string, follow: Follow): Promise<string> {
  const { bytes, from } = await fileIn(source, { by: at, cache: false, addresses: tagOf(source) === "URL" }, follow);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw errorOf("TRAINING_DATA", `${at}: ${from || "the file"} is not UTF-8`, error);
  }
}
