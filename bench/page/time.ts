/** Mean milliseconds of a call, of as many as take `ms` milliseconds together. */
export async function time(run: () => unknown, ms: number): Promise<number> {
  const begun = performance.now();
  let [calls, now] = [0, begun];
  do {
    await run();
    calls += 1;
    now = performance.now();
  } while (now - begun < ms);
  return (now - begun) / calls;
}
