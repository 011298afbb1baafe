/** What a temperature makes of probabilities. */

/** The shares of a few words among themselves: `p^(1/T) / sum`; at a temperature of 0 the likeliest has all. */
export function tempered(probabilities: readonly number[], temperature: number): number[] {
  const most = Math.max(...probabilities);
  if (temperature <= 0) {
    const first = probabilities.indexOf(most);
    return probabilities.map((_, at) => (at === first ? 1 : 0));
  }
  // By the likeliest, so that no power is too small for a number.
  const powers = probabilities.map((p) => Math.exp(Math.log(p / most) / temperature));
  const sum = powers.reduce((all, each) => all + each, 0);
  return powers.map((power) => power / sum);
}

/** A place on a wheel of 270 degrees that begins at the lower left, for a share of it; in units of its radius. */
export function onWheel(share: number): { readonly x: number; readonly y: number } {
  const angle = (0.75 + 1.5 * share) * Math.PI;
  return { x: Math.cos(angle), y: Math.sin(angle) };
}

/** The share of the wheel that a direction from its middle means; what lies in the gap below is the nearer end. */
export function shareAt(x: number, y: number): number {
  const turn = (Math.atan2(y, x) / Math.PI + 2) % 2;
  const share = ((turn - 0.75 + 2) % 2) / 1.5;
  if (share <= 1) return share;
  return share > 1 + 0.25 / 1.5 ? 0 : 1;
}

/** How often each tail was opened for some words. */
export function openings(words: readonly { readonly clustersOpened: readonly number[] }[], tails: number): number[] {
  return Array.from({ length: tails }, (_, tail) => words.filter(({ clustersOpened }) => clustersOpened.includes(tail + 1)).length);
}
