/** Where rates lie between the ends of a figure. */

export interface Scale {
  /** Whether equal distances are equal factors. */
  readonly log: boolean;
  readonly low: number;
  readonly high: number;
}

/** Beyond this factor the smaller of two bars would not be seen beside the larger. */
const ORDERS = 20;

/** From zero; from a power of ten below the least, where the rates differ by orders. There is room for all of `ends`, too. */
export function scaleOf(rates: readonly number[], ends: readonly number[] = []): Scale {
  const known = rates.filter((rate) => rate > 0 && Number.isFinite(rate));
  if (known.length === 0) return { log: false, low: 0, high: 1 };
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const log = most / least > ORDERS;
  return { log, low: log ? 10 ** Math.floor(Math.log10(least)) : 0, high: Math.max(most, ...ends) };
}

/** A rate's place, from 0 to 1. */
export function place({ log, low, high }: Scale, rate: number): number {
  const share = log ? Math.log(rate / low) / Math.log(high / low) : rate / high;
  return Math.min(1, Math.max(0, share));
}

/** The powers of ten on a logarithmic scale. */
export function decades({ log, low, high }: Scale): number[] {
  if (!log) return [];
  const first = Math.round(Math.log10(low));
  return Array.from({ length: Math.floor(Math.log10(high)) - first + 1 }, (_, n) => 10 ** (first + n));
}
