/** Numbers as people read them. A figure that does not exist (nothing was read) is an en dash. */

import { locale, type Direction } from "./strings.ts";

const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 3 });
const integer = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const three = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });

const known = (value: number | null | undefined): value is number => value != null && Number.isFinite(value);

/** 1234567 becomes "1.23M". */
export const count = (value: number | null): string => (known(value) ? compact.format(value) : "–");

/** 0.934 becomes "93%", 0.9962 "99.6%": what is not certain does not look it. */
export function percent(share: number | null): string {
  if (!known(share)) return "–";
  if (share > 0 && share < 0.001) return "< 0.1%";
  if (share > 0.999 && share < 1) return "> 99.9%";
  return `${(share < 0.01 || share > 0.99 ? tenth : integer).format(share * 100)}%`;
}

/** 0.8677 becomes "86.8%". */
export const precise = (share: number): string => `${tenth.format(share * 100)}%`;

/** 3.456 becomes "3.46× less", 0.95 "1.05× more": to decide costs something too; and what rounds to 1 is as much. */
export function saving(reduction: number | null): { factor: string; direction: Direction } {
  if (!known(reduction) || reduction <= 0) return { factor: "–", direction: "less" };
  const [ratio, direction] = reduction >= 1 ? [reduction, "less" as const] : [1 / reduction, "more" as const];
  const factor = three.format(ratio);
  return { factor: `${factor}×`, direction: factor === three.format(1) ? "same" : direction };
}

/** Milliseconds, in the unit that suits them: 0.0123 becomes "12.3 µs". */
export function duration(ms: number | null): string {
  if (!known(ms)) return "–";
  if (ms < 1) return `${three.format(ms * 1000)} µs`;
  return ms < 1000 ? `${three.format(ms)} ms` : `${three.format(ms / 1000)} s`;
}

/** 1234567 becomes "1,234,567". */
export const whole = (n: number): string => integer.format(n);

/** 1 becomes "1 word", 2 becomes "2 words". */
export const plural = (n: number, noun: string, nouns = `${noun}s`): string => `${whole(n)} ${n === 1 ? noun : nouns}`;

/** 2734567 becomes "2.7 MB", 31 "1 kB". */
export const fileSize = (bytes: number): string => (bytes < 1e5 ? `${whole(Math.ceil(bytes / 1000))} kB` : `${tenth.format(bytes / 1e6)} MB`);

/** A text of so many letters at most, of a longer one the beginning. */
export function abridged(text: string, most: number): string {
  const letters = [...text.slice(0, 2 * most + 2)];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}
