/** Texts to learn from, wherever they are. */

import { count, isRecord, oneOf, optional, refuse, tagOf, unchecked, unreadable } from "../arguments/check.js";
import { record } from "../arguments/options.js";
import type { Follow } from "../engine.js";
import { errorOf } from "../errors.js";
import { unlessAborted } from "../follow.js";
import { fileIn } from "../source.js";
import type { Source } from "../types.js";
import type { SetName } from "./calls.js";

/** A text and its label. */
export interface LabelledText {
  readonly text: string;
  readonly label: string | number | boolean;
}

/** A text, and the tags of its tokens. */
export interface TaggedText {
  /** The settings' tokenizer cuts it into as many tokens as there are tags. */
  readonly text: string;
  readonly tags: readonly string[];
}

/** Words that somebody has cut, and their tags. */
export interface TaggedWords {
  readonly words: readonly string[];
  readonly tags: readonly string[];
}

/** A file: an address, a Request, a Response, a Blob or File, or bytes. */
export type TextSource = Exclude<Source, string>;

/** A file with a text and its label in each row. */
export interface TextTable {
  readonly file: TextSource;
  /** Values with commas between them (RFC 4180), or with tabs. */
  readonly format: "csv" | "tsv";
  /**
   * The columns of text and label, by their names in the first row or by their numbers from 0; `text` and `label` unless given, in
   * upper or lower case. If neither is given and the first row names neither, it is a row as any other, of a label and a text; it is one
   * as well if both are given by number.
   */
  readonly text?: string | number | undefined;
  readonly label?: string | number | undefined;
}

/** Labelled texts, a table (also a file whose name ends in `.csv` or `.tsv`), or a file of lines, each a label, a space and a text. */
export type LabelledTexts = Iterable<LabelledText> | AsyncIterable<LabelledText> | TextSource | TextTable;
/** A text, or parts of one, or its file. */
export type RunningText = string | Iterable<string> | AsyncIterable<string> | TextSource;

/** Texts or sentences with tags, or a file of sentences in CoNLL-U, whose tags are the universal ones (UPOS). */
export type TaggedTexts = Iterable<TaggedText | TaggedWords> | AsyncIterable<TaggedText | TaggedWords> | TextSource;

export const SETS = ["train", "dev", "test"] as const;

/** Texts to learn from, and others to choose the best model by and to report on. */
export interface Sets<Texts> {
  readonly train: Texts;
  readonly dev?: Texts | undefined;
  /** To report on. What is to be learned from is not what is reported on: a classifier's training texts that are among these are left out. */
  readonly test?: Texts | undefined;
}

export type TrainData = LabelledTexts | RunningText | TaggedTexts | Sets<LabelledTexts> | Sets<RunningText> | Sets<TaggedTexts>;

/** Texts on their way to the engine. */
export interface Portion {
  readonly set: SetName;
  readonly labels: string[];
  readonly texts: string[];
  readonly lines: number[];
}

/** So much is handed over at a time: the thread has its turn in between. */
const LETTERS = 1 << 18;
/** What a text takes beside its letters, in letters: empty ones are handed over too. */
const TEXT = 64;
const BYTES = 1 << 20;

/** Bytes of a table on their way to the engine. */
export interface TableBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly last: boolean;
}

/** The sets of the data. */
export function setsOf(data: unknown): Sets<unknown> {
  const isSets = tagOf(data) === "Object" && typeof data === "object" && data !== null && "train" in data;
  if (!isSets) return { train: data };
  for (const key of Object.keys(data)) {
    if (!SETS.includes(key as SetName)) throw errorOf("OPTION_INVALID", `train: data.${key}: there is no such set; there are ${SETS.join(", ")}`);
  }
  return data as Sets<unknown>;
}

/** Tagged texts on their way to the engine. */
export interface TaggedPortion {
  /** All words of sentences that are `cut`, or else the texts. */
  readonly texts: string[];
  readonly tags: string[];
  /** How many tags each text has. */
  readonly counts: number[];
  readonly lines: number[];
  readonly cut: boolean;
}

/** Labelled texts in portions. */
export async function* labelled(set: SetName, texts: unknown, follow: Follow): AsyncGenerator<Portion> {
  const at = `train: data.${set}`;
  const empty = (): Portion => ({ set, labels: [], texts: [], lines: [] });
  let [portion, letters, number] = [empty(), 0, 0];
  for await (const { row, line } of isMany(texts) ? rows(texts, at, follow) : lines(await contents(texts, at, follow), at)) {
    const { text, label } = read(checked, row, `${at}[${number++}]`);
    portion.labels.push(label);
    portion.texts.push(text);
    portion.lines.push(line);
    letters += text.length + TEXT;
    if (letters < LETTERS) continue;
    yield portion;
    [portion, letters] = [empty(), 0];
  }
  if (portion.texts.length > 0) yield portion;
}

/** Tagged texts in portions, in each of which all are cut into words, or none is. */
export async function* tagged(set: SetName, texts: unknown, follow: Follow): AsyncGenerator<TaggedPortion> {
  const at = `train: data.${set}`;
  const empty = (cut: boolean): TaggedPortion => ({ texts: [], tags: [], counts: [], lines: [], cut });
  let [portion, letters, number] = [empty(false), 0, 0];
  for await (const { row, line } of isMany(texts) ? rows(texts, at, follow) : sentences(await contents(texts, at, follow), at)) {
    const { parts, tags, cut } = read(checkedTags, row, `${at}[${number++}]`);
    if (letters >= LETTERS || cut !== portion.cut) {
      if (portion.counts.length > 0) yield portion;
      [portion, letters] = [empty(cut), 0];
    }
    // One by one: a call has not room for any number of arguments.
    for (const part of parts) portion.texts.push(part);
    for (const tag of tags) portion.tags.push(tag);
    portion.counts.push(tags.length);
    portion.lines.push(line);
    letters += parts.reduce((sum, part) => sum + part.length, TEXT);
  }
  if (portion.counts.length > 0) yield portion;
}

const column = optional<string | number, string | number>({
  expected: "a column's name, or its number from 0",
  take: (found, at) => (typeof found === "string" ? found : count.take(found, at)),
});
const table = record<TextTable>()({ file: unchecked<TextSource>(), format: oneOf("csv", "tsv"), text: column, label: column });

/** The table in what was given, if it is one. */
export function tableIn(set: SetName, texts: unknown): TextTable | undefined {
  const is = tagOf(texts);
  if (is === "Object" && isRecord(texts) && "file" in texts) return table.take(texts, `train: data.${set}`);
  if (!["File", "Request", "Response", "URL"].includes(is)) return undefined;
  const { name, url, href } = texts as { readonly name?: string; readonly url?: string; readonly href?: string };
  const format = /\.(csv|tsv)([?#].*)?$/i.exec(name ?? url ?? href ?? "")?.[1]?.toLowerCase();
  return format === "csv" || format === "tsv" ? { file: texts as TextSource, format } : undefined;
}

/** The bytes of a table, some at a time: of a Blob no more are in memory. */
export async function* bytesOf(set: SetName, { file }: TextTable, follow: Follow): AsyncGenerator<TableBytes> {
  const is = tagOf(file);
  const read = async (source: unknown) => (await fileIn(source, { by: `train: data.${set}`, cache: false, addresses: is === "URL" }, follow)).bytes;
  const blob = is === "Blob" || is === "File" ? (file as Blob) : undefined;
  const bytes = blob ? undefined : await read(file);
  const size = blob?.size ?? bytes?.length ?? 0;
  for (let at = 0; at === 0 || at < size; at += BYTES) {
    const end = at + BYTES;
    yield { bytes: bytes ? bytes.slice(at, end) : await read(blob!.slice(at, end)), last: end >= size };
  }
}

/** A running text in portions, none of which ends with half a character that the next one completes. */
export async function* running(set: SetName, text: unknown, follow: Follow): AsyncGenerator<string> {
  const at = `train: data.${set}`;
  if (typeof text === "string") return void (yield text);
  if (!isMany(text)) return void (yield await contents(text, at, follow));
  let [portion, letters] = ["", 0];
  for await (const { row: part, line } of rows(text, at, follow)) {
    if (typeof part !== "string") refuse(`${at}[${line - 1}]`, "a string", part);
    portion += part;
    letters += part.length + TEXT;
    if (letters < LETTERS) continue;
    const half = /[\ud800-\udbff]$/.test(portion) ? 1 : 0;
    yield portion.slice(0, portion.length - half);
    [portion, letters] = [portion.slice(portion.length - half), 0];
  }
  if (portion) yield portion;
}

/** Whether a set is a list of whatever kind, and no file. */
export function isMany(found: unknown): found is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof found !== "object" || found === null || ArrayBuffer.isView(found)) return false;
  return Symbol.iterator in found || Symbol.asyncIterator in found;
}

/** What the caller's iterable gives, numbered from 1; one that never answers is left when the signal is aborted. */
async function* rows(
  many: Iterable<unknown> | AsyncIterable<unknown>,
  at: string,
  { signal }: Follow,
): AsyncGenerator<{ readonly row: unknown; readonly line: number }> {
  let line = 0;
  try {
    for await (const row of heard(many, signal)) yield { row, line: ++line };
  } catch (thrown) {
    signal?.throwIfAborted();
    throw unreadable(`${at}[${line}]`, thrown);
  }
}

/** The iterable, whose next value is waited for no longer than the signal allows. */
function heard(many: Iterable<unknown> | AsyncIterable<unknown>, signal: AbortSignal | undefined): Iterable<unknown> | AsyncIterable<unknown> {
  if (!(Symbol.asyncIterator in many)) return many;
  return {
    [Symbol.asyncIterator]() {
      const iterator = many[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            return await unlessAborted(signal, Promise.resolve(iterator.next()));
          } catch (thrown) {
            // One that has not answered may still let go of what it reads from.
            if (signal?.aborted) Promise.resolve(iterator.return?.()).catch(() => undefined);
            throw thrown;
          }
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

/** A row as its check takes it. */
function read<Row>(check: (row: unknown, at: string) => Row, row: unknown, at: string): Row {
  try {
    return check(row, at);
  } catch (thrown) {
    throw unreadable(at, thrown);
  }
}

/** Lines of a label, a space and a text. */
function* lines(content: string, at: string): Generator<{ readonly row: unknown; readonly line: number }> {
  let line = 0;
  for (const written of content.split(/\r?\n/)) {
    line += 1;
    if (written.trim() === "") continue;
    const found = /^ *(\S+)[ \t](.*)$/s.exec(written);
    if (!found) throw errorOf("TRAINING_DATA", `${at}: line ${line}: expected a label, a space and a text`);
    yield { row: { label: found[1], text: found[2] }, line };
  }
}

/** Sentences in CoNLL-U: a line a word, of ten columns between tabs, of which the second is the word and the fourth its tag. */
function* sentences(content: string, at: string): Generator<{ readonly row: TaggedWords; readonly line: number }> {
  let [words, tags, first, line]: [string[], string[], number, number] = [[], [], 0, 0];
  for (const written of [...content.split(/\r?\n/), ""]) {
    line += 1;
    if (written === "" && words.length > 0) {
      yield { row: { words, tags }, line: first };
      [words, tags] = [[], []];
    }
    if (written === "" || written.startsWith("#")) continue;
    const columns = written.split("\t");
    const [number = "", word, , tag] = columns;
    if (columns.length !== 10 || !word || !tag) throw errorOf("TRAINING_DATA", `${at}: line ${line}: expected a word in CoNLL-U, of ten columns between tabs`);
    // The words of a multiword token follow it; of an empty node the text has nothing.
    if (/[-.]/.test(number)) continue;
    if (words.length === 0) first = line;
    words.push(word);
    tags.push(tag);
  }
}

/** The name of a class. Half a character is none: the engine's Unicode has no halves, and would take them all for one. */
function className(name: string, at: string): string {
  if (name === "") refuse(at, "a name that is not empty", name);
  return /\p{Surrogate}/u.test(name) ? refuse(at, "a name without half a character (a lone surrogate)", name) : name;
}

/** The words and the tags of a sentence, or a text that is to be cut. */
function checkedTags(row: unknown, at: string): { readonly parts: readonly string[]; readonly tags: readonly string[]; readonly cut: boolean } {
  const { text, words, tags } = (row ?? {}) as Partial<TaggedText & TaggedWords>;
  const strings = (found: unknown, name: string): readonly string[] => {
    if (!Array.isArray(found)) refuse(`${at}.${name}`, "an array of strings", found);
    const other = found.findIndex((one) => typeof one !== "string");
    return other < 0 ? found : refuse(`${at}.${name}[${other}]`, "a string", found[other]);
  };
  const names = (found: unknown) => strings(found, "tags").map((tag, number) => className(tag, `${at}.tags[${number}]`));
  if (words === undefined) {
    if (typeof text !== "string") refuseRow(row, at, "an object with text or words, and tags", () => refuse(`${at}.text`, "a string, or words in place of it", text));
    return { parts: [text], tags: names(tags), cut: false };
  }
  const found = { parts: strings(words, "words"), tags: names(tags), cut: true };
  const empty = found.parts.indexOf("");
  if (empty >= 0) refuse(`${at}.words[${empty}]`, "a word that is not empty", "");
  if (found.parts.length === found.tags.length) return found;
  throw errorOf("TRAINING_DATA", `${at}: expected one tag for each of its ${found.parts.length} words, found ${found.tags.length}`);
}

/** Refuses what is no row at all for that, and a row by what is wrong with it. */
function refuseRow(row: unknown, at: string, expected: string, otherwise: () => never): never {
  return isRecord(row) ? otherwise() : refuse(at, expected, row);
}

function checked(row: unknown, at: string): { readonly text: string; readonly label: string } {
  const { text, label } = (row ?? {}) as Partial<LabelledText>;
  if (typeof text !== "string") refuseRow(row, at, "an object with text and label", () => refuse(`${at}.text`, "a string", text));
  if (!["string", "number", "boolean"].includes(typeof label) || Number.isNaN(label)) refuse(`${at}.label`, "a string, a number or a boolean", label);
  return { text, label: className(String(label), `${at}.label`) };
}

async function contents(source: unknown, at: string, follow: Follow): Promise<string> {
  const { bytes, from } = await fileIn(source, { by: at, cache: false, addresses: tagOf(source) === "URL", others: "an iterable of texts" }, follow);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw errorOf("TRAINING_DATA", `${at}: ${from || "the file"} is not UTF-8`, error);
  }
}
