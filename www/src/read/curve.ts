/** The trade-off between accuracy and work as `www/data/tradeoff-<model>.json` holds it, made by `saccade` (see there). */

export interface TradeoffPoint {
  readonly threshold: number;
  readonly accuracy: number;
  readonly skimRate: number;
  readonly flopReduction: number;
}

export interface Tradeoff {
  readonly model: string;
  readonly dataset: string;
  /** How many texts every point was measured on. */
  readonly texts: number;
  /** Of how many in the test set. */
  readonly of: number;
  /** By rising threshold. */
  readonly points: readonly TradeoffPoint[];
}

/** The point of the curve at a threshold, on the line between the two measured next to it; null without points. */
export function at({ points }: Tradeoff, threshold: number): TradeoffPoint | null {
  const above = points.findIndex((point) => point.threshold >= threshold);
  const [to, from] = [points[above === -1 ? points.length - 1 : above], points[above - 1]];
  if (!to) return null;
  if (!from || above === -1) return to;
  const share = (threshold - from.threshold) / (to.threshold - from.threshold);
  const mix = (key: keyof TradeoffPoint) => from[key] + share * (to[key] - from[key]);
  return { threshold, accuracy: mix("accuracy"), skimRate: mix("skimRate"), flopReduction: mix("flopReduction") };
}

/** How far chance alone moves an accuracy measured on so many texts: one standard error. */
export const standardError = (accuracy: number, texts: number): number => Math.sqrt((accuracy * (1 - accuracy)) / texts);

/** How an accuracy differs from that of reading every word. */
export interface Difference {
  /** Above 0 where it is higher. */
  readonly accuracy: number;
  /** Two standard errors of such a difference. Both are measured on the same texts, so that it is at most this. */
  readonly noise: number;
}

/** The difference of a point from the one at which every word is read; null at that one. */
export function difference({ points, texts }: Tradeoff, { threshold, accuracy }: TradeoffPoint): Difference | null {
  const whole = points.at(-1);
  if (!whole || threshold >= whole.threshold) return null;
  const noise = 2 * Math.hypot(standardError(accuracy, texts), standardError(whole.accuracy, texts));
  return { accuracy: accuracy - whole.accuracy, noise };
}

/** Round numbers that divide a range into at most `most` parts. */
export function ticks(low: number, high: number, most: number): number[] {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => (first + n) * step);
}
