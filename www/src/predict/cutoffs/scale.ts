/** Logarithmic scales of the scene's charts. */

/** A number's place between two ends, by its logarithm, laid between two places. */
export const logScale = (ends: readonly [number, number], places: readonly [number, number]) => (value: number): number =>
  places[0] + (Math.log(value / ends[0]) / Math.log(ends[1] / ends[0])) * (places[1] - places[0]);

/** The number at a place: the inverse. */
export const inverse = (ends: readonly [number, number], places: readonly [number, number]) => (place: number): number =>
  ends[0] * (ends[1] / ends[0]) ** ((place - places[0]) / (places[1] - places[0]));

/** Round numbers between two ends: powers of ten, and twice and five times those where few would be left. */
export function ticks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n));
  const within = (values: readonly number[]) => values.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  const plain = within(decades);
  return plain.length >= 4 ? plain : within(decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]));
}
