/** Words and their numbers as the page names them. */

import type { LanguageModel, ScoredToken } from "../engine.ts";
import { count } from "../frame/format.ts";
import { locale } from "../frame/strings.ts";
import type { LanguageSource } from "../study/language.ts";
import { models, numbers, signs, type Unit } from "./strings.ts";
import { isEnd, isUnknown, written } from "./text.ts";

/** What a model reads and guesses. */
export const unitOf = ({ model }: { readonly model: Pick<LanguageModel, "config"> }): Unit =>
  model.config.tokenizer["kind"] === "characters" ? "letter" : "word";

/** What the page calls a model. */
export const modelName = (source: LanguageSource): string => (typeof source === "string" ? models[source].name : source.name);

/** A word by a name that can be read and spoken; of signs in short where there is little room. */
export function nameOf(word: string, how: "long" | "short" = "long"): string {
  if (isUnknown(word)) return signs.unknown;
  const short = how === "short";
  if (isEnd(word)) return short ? "¶" : signs.end;
  if (word === "\n") return short ? "↵" : signs.line;
  if (word === " ") return short ? "␣" : signs.space;
  return written(word);
}

export const bitsOf = (token: ScoredToken | undefined): number => (token?.kind === "predicted" ? token.bits : 0);

/** How far down its list a model had a word: 0 at the top, 1 at the end; equal factors are equal steps. */
export const depthOf = (rank: number, size: number): number => (size > 1 ? Math.log(rank) / Math.log(size) : 0);

const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** 0.03961 becomes "4.0%"; what rounds to none or to all does not look it. */
export function share(probability: number): string {
  if (probability < 0.0005) return "< 0.1%";
  return probability >= 0.9995 ? "> 99.9%" : `${tenths.format(100 * probability)}%`;
}

/** The same, but of what is rare how rare it is: 0.0000205 becomes "1 in 48.8K". */
export const chance = (probability: number): string => (probability < 0.001 ? numbers.oneIn(count(1 / probability)) : share(probability));

/** Bits, as they are shown: "2.1". */
export const inTenths = (bits: number): string => tenths.format(bits);

const places = new Intl.PluralRules(locale, { type: "ordinal" });
const integer = new Intl.NumberFormat(locale);
const endings: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = { one: "st", two: "nd", few: "rd" };

/** 21 becomes "21st". */
export const rankOf = (rank: number): string => `${integer.format(rank)}${endings[places.select(rank)] ?? "th"}`;
