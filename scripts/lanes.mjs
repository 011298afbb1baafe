/** Several checks at a time, where they leave room for each other. */

/**
 * Runs checks in their order, one at a time; those that leave `room`, up to so many `lanes` of them. What a check needs has
 * ended before it begins. Resolves to what `run` made of each, in their order.
 */
export async function inLanes(checks, lanes, run) {
  const running = new Map();
  const outcomes = new Map();
  for (const check of checks) {
    const others = check.room ? lanes - 1 : 0;
    while (running.size > others || check.needs?.some((needed) => running.has(needed))) await Promise.race(running.values());
    const ended = run(check).then((outcome) => {
      outcomes.set(check, outcome);
      running.delete(check);
    });
    running.set(check, ended);
    if (!check.room) await ended;
  }
  await Promise.all(running.values());
  return checks.map((check) => outcomes.get(check));
}
