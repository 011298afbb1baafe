const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

/** Two significant digits: 0.0316 becomes "0.032". */
export const two = (value: number): string => digits.format(value);
