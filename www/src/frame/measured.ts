/**
 * Measured numbers in words: two significant digits and between what the rounds lay, or that there is nothing to tell. A ratio
 * of two that took turns holds at any speed of the machine; a time holds for the moment, in which a person wants the interval.
 */

import { isTold, type Factor, type Spread } from "../engine.ts";
import { locale, measured } from "./strings.ts";

export const TOO_BUSY = measured.tooBusy;

const two = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 });
const down = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2, roundingMode: "floor" });
const up = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2, roundingMode: "ceil" });

/** Two significant digits. */
export const digits = (value: number): string => two.format(value);

interface Unit {
  readonly name: string;
  readonly ms: number;
}

function unitOf(ms: number): Unit {
  if (ms < 1) return { name: "µs", ms: 1e-3 };
  return ms < 1000 ? { name: "ms", ms: 1 } : { name: "s", ms: 1000 };
}

/** 0.12345 becomes "120 µs". */
export function roughly(ms: number): string {
  const unit = unitOf(ms);
  return `${two.format(ms / unit.ms)} ${unit.name}`;
}

/** "120 µs"; that the machine is too busy, where the rounds do not agree on a time. */
export const time = (spread: Spread): string => (isTold(spread) ? roughly(spread.median) : TOO_BUSY);

/** "110 to 140 µs": what the rounds lay between, rounded outwards. */
export function between({ least, median, most }: Spread): string {
  const unit = unitOf(Math.abs(median));
  return range(least / unit.ms, most / unit.ms, unit.name);
}

function range(least: number, most: number, unit: string): string {
  // A division's last bits are none that were measured.
  const [from, to] = [down.format(Number(least.toPrecision(9))), up.format(Number(most.toPrecision(9)))];
  return `${from === to ? from : measured.range(from, to)} ${unit}`.replaceAll("-", "−");
}

/** Numbers in one unit whose printed digits add up: parts, and their sum. */
export interface Sum {
  readonly unit: string;
  readonly parts: readonly string[];
  readonly total: string;
}

/** Parts of a time, printed to a hundredth of their sum or finer, so that what is printed adds up as well. */
export function sum(parts: readonly number[]): Sum {
  const total = parts.reduce((all, part) => all + part, 0);
  const unit = unitOf(total);
  const step = 10 ** (Math.floor(Math.log10(total / unit.ms)) - 2);
  const rounded = parts.map((part) => Math.round(part / unit.ms / step));
  const whole = Math.round(total / unit.ms / step);
  // What rounding took from the whole, or added, goes to the largest part, where it is felt least.
  const largest = rounded.indexOf(Math.max(...rounded));
  const exact = rounded.map((part, at) => (at === largest ? part + whole - rounded.reduce((all, each) => all + each, 0) : part));
  const places = Math.max(0, -Math.round(Math.log10(step)));
  const print = (value: number) => (value * step).toFixed(places);
  return { unit: unit.name, parts: exact.map(print), total: print(whole) };
}

/** A saving or its opposite. */
export interface Told {
  /** More than 1: "2.8×". */
  readonly factor: string;
  readonly direction: "less" | "more";
  /** What the rounds lay between: "2.5 to 3.1×". */
  readonly interval: string;
}

/** How much less, or more, one takes than another that takes `factor` times as long; null where the rounds do not agree on which, or it is too little to print. */
export function saved({ told, least, median, most }: Factor): Told | null {
  if (!told) return null;
  const more = median < 1;
  const [low, middle, high] = more ? [1 / most, 1 / median, 1 / least] : [least, median, most];
  const factor = two.format(middle);
  if (factor === two.format(1)) return null;
  return {
    factor: `${factor}×`,
    direction: more ? "more" : "less",
    interval: range(low, high, "×").replace(" ×", "×"),
  };
}

/** How much longer the other one takes. */
export function inverse({ least, low, median, high, most, told }: Factor): Factor {
  return { least: 1 / most, low: 1 / high, median: 1 / median, high: 1 / low, most: 1 / least, told };
}

/** "2.8× less time", or that nobody can tell. */
export function savedInWords(factor: Factor, what: string): string {
  const told = saved(factor);
  return told ? `${told.factor} ${measured.direction[told.direction]} ${what}` : TOO_BUSY;
}
