/** The order of turns. */

/** All of them, begun with another one in each round: none is always the one after a slow one. */
export function inTurn<T>(all: readonly T[], round: number): T[] {
  return all.map((_, i) => all[(i + round) % all.length]!);
}
