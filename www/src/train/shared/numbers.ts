import { words } from "./strings.ts";

const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** Two significant digits: 0.0316 becomes "0.032". */
export const two = (value: number): string => digits.format(value);

/** How often the texts were gone through: 1 becomes "1 pass", 3.47 "3.5 passes". */
export const passes = (epoch: number): string => `${tenth.format(epoch)} ${epoch === 1 ? words.pass : words.passes}`;
