/** Several checks at a time, where they leave room for each other. */

/**
 * Runs checks, those first in the list first: one that does not leave `room` alone, after all before it and before all after
 * it; the others up to so many `lanes` at a time, each as soon as what it needs has ended. Resolves to what `run` made of each,
 * in their order.
 */
export async function inLanes(checks, lanes, run) {
  const waiting = [...checks];
  const running = new Map();
  const outcomes = new Map();
  const isThere = (check) => running.has(check) || waiting.includes(check);

  /** The next that may begin now. */
  function next() {
    const wall = waiting.findIndex(({ room }) => !room);
    if (wall === 0) return running.size === 0 ? waiting[0] : undefined;
    if (running.size === lanes || [...running.keys()].some(({ room }) => !room)) return undefined;
    return waiting.slice(0, wall < 0 ? undefined : wall).find(({ needs = [] }) => !needs.some(isThere));
  }

  while (waiting.length > 0 || running.size > 0) {
    for (let check = next(); check; check = next()) {
      const begun = check;
      waiting.splice(waiting.indexOf(begun), 1);
      const ended = run(begun).then((outcome) => {
        outcomes.set(begun, outcome);
        running.delete(begun);
      });
      running.set(begun, ended);
    }
    await Promise.race(running.values());
  }
  return checks.map((check) => outcomes.get(check));
}
