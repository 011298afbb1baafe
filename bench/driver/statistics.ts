/** Medians, and the spread about them. */

/** The quartiles of some numbers, and the least of them. */
export interface Spread {
  readonly least: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** Quartiles, by linear interpolation between the values; null for none. */
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const low = sorted[below]!;
    return low + (place - below) * ((sorted[below + 1] ?? low) - low);
  };
  return { least: sorted[0]!, low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** What one contestant took over what another took, round by round, in the rounds in which both took part. */
export function ratios(over: readonly (number | null)[], under: readonly (number | null)[]): number[] {
  return over.flatMap((value, round) => {
    const base = under[round];
    return value === null || base === null || base === undefined ? [] : [value / base];
  });
}
