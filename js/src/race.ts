/** A race of whatever its caller wants timed. */

import { start } from "./arguments/entry.js";
import { type Entrant, race as run, type Race, type RaceOptions } from "./measure.js";

/**
 * Times several ways to do something so that a second measurement agrees: all are warmed, then take turns in rounds, and
 * every sample counts.
 *
 * ```ts
 * const { times } = await race({ one: () => model.read(text), other: () => another.read(text) });
 * console.log(times.one?.median, times.other?.median);
 * ```
 *
 * An entrant that throws is `absent` from then on, with its reason. Rejects with `OPTION_INVALID`, `ABORTED` and
 * `CALLBACK_FAILED` alone.
 */
export function race<Name extends string>(entrants: Readonly<Partial<Record<Name, Entrant>>>, options?: RaceOptions): Promise<Race<Name>>;
export async function race(...given: unknown[]): Promise<Race> {
  const [entrants, options] = start.race(given);
  return run(entrants, options);
}
