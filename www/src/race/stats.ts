/** What several samples of one time come to. */

export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** The median and the quartiles, between samples where they fall there. Throws without samples. */
export function spread(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new Error("a spread of no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
    return below + (above - below) * (place - Math.floor(place));
  };
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}
