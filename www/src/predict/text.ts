/** Texts as tokens: where lines may break, which part of a long text is read, how a word is put at the end. */

/** A longer text, in characters, is read from its last part on. */
export const MOST = 100_000;

/** What is read of it begins so many characters later at a time: if it moved with every letter, all would be read anew. */
const STRIDE = 25_000;
/** So far on a word's beginning is looked for there, so that what is typed at the end has no say in it. */
const REACH = 1000;

/** The last characters of a text, from a word's beginning on; all of a text that has no more. */
export function lastPart(text: string, most = MOST): string {
  if (text.length <= most) return text;
  const over = text.length - most;
  const [from, reach] = most < MOST ? [over, most] : [STRIDE * Math.ceil(over / STRIDE), REACH];
  const space = text.slice(from, from + reach).search(/\s\S/);
  if (space >= 0) return text.slice(from + space + 1);
  // Half of a character is none.
  return text.slice((text.codePointAt(from - 1) ?? 0) > 0xffff ? from + 1 : from);
}

interface Place {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A line does not break inside tokens that touch, such as a word and its comma, up to this many characters. */
const LONGEST_RUN = 24;

/** Tokens that stay together on a line, by their numbers from `from` on, before `to`; white space, which letters may be, ends a line. */
export function runsOf(tokens: readonly Place[], from: number, to: number): number[][] {
  const runs: number[][] = [];
  for (let at = from; at < to; at++) {
    const [run, token, before] = [runs.at(-1), tokens[at], tokens[at - 1]];
    const first = run && tokens[run[0] ?? 0];
    if (run && first && token && before?.end === token.start && !/^\s/.test(before.text) && token.end - first.start <= LONGEST_RUN) run.push(at);
    else runs.push([at]);
  }
  return runs;
}

/** A run of more letters, each with room for its number, breaks where it must. */
const LETTERS = 12;

/** Whether a line does not break inside a run; `letters` says that it is one of letters. */
export const isWhole = (run: readonly number[], letters: boolean): boolean => run.length > 1 && (!letters || run.length <= LETTERS);

/** How the treebank convention writes signs, and how people do. */
const SIGNS: Readonly<Record<string, string>> = { "``": "“", "''": "”", "-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]" };
/** What stands at the word before it, and what the word after it stands at. */
const CLOSING = /^(?:[,.;:?!%)\]”]+|n't|'\w*)$/;
const OPENING = /[“(\[]$/;

/** A word as people write it. */
export const written = (word: string): string => SIGNS[word] ?? word;

/** Whether a model has a name in place of a word: for all that it does not know. */
export const isUnknown = (word: string): boolean => word === "<unk>";
/** The end of a line or a paragraph, as models write it. */
export const isEnd = (word: string): boolean => word === "<eos>";

/** What a text may go on with so that its next word is `word`, what people would write first. */
export function piecesFor(word: string, before: string, tokenizer: Readonly<Record<string, unknown>>): string[] {
  if (isUnknown(word)) return [];
  if (isEnd(word)) return [tokenizer["ends"] === "line" ? "\n" : "\n\n"];
  if (tokenizer["kind"] === "characters") return [word];
  const apart = before === "" || /\s$/.test(before) ? "" : " ";
  const touches = CLOSING.test(written(word)) || OPENING.test(before);
  const begins = tokenizer["lowercase"] === true && /(?:^|[.?!]["”’]?\s*)[“(]?$/.test(before);
  const forms = [begins || word === "i" ? capital(written(word)) : written(word), word];
  return [...new Set(forms.flatMap((form) => (touches ? [form, apart + form] : [apart + form])))];
}

const capital = (word: string) => word.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
