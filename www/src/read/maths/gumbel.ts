/** The Gumbel softmax: a choice between reading and skimming that can be softened, so that it can be learned from. */

/** Gumbel noise of a uniform number in (0, 1). */
export const gumbel = (uniform: number): number => -Math.log(-Math.log(uniform));

/**
 * How much of the result is the read one's: `softmax((log p + g) / τ)`, with the noise of both ways. At a temperature of 0 it
 * is the hard choice.
 */
export function mixture(pRead: number, [ofRead, ofSkim]: readonly [number, number], temperature: number): number {
  const lead = Math.log(pRead) + ofRead - (Math.log1p(-pRead) + ofSkim);
  if (temperature <= 0) return lead > 0 ? 1 : 0;
  return 1 / (1 + Math.exp(-lead / temperature));
}

/** The temperature at a step of the training: it falls from 1, and no further than to 0.5. */
export const temperatureAt = (step: number, rate = 1e-4): number => Math.max(0.5, Math.exp(-rate * step));

/** Draws of both ways' noise, spread evenly and the same every time: the fractional parts of multiples of two irrationals. */
export function draws(count: number): (readonly [number, number])[] {
  const part = (n: number, of: number) => (((n + 0.5) * of) % 1) * (1 - 2e-6) + 1e-6;
  return Array.from({ length: count }, (_, n) => [gumbel(part(n, 0.7548776662466927)), gumbel(part(n, 0.5698402909980532))] as const);
}
