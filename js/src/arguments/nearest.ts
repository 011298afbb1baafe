/** The name that was meant. */

/** Of the names, the one that a misspelt one is likeliest to mean, whatever its case and underscores; undefined if none is near. */
export function nearest(misspelt: string, names: readonly string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(misspelt.slice(0, 64));
  const [best] = names
    .map((name) => ({ name, distance: distance(wanted, plain(name)) }))
    .filter(({ name, distance }) => distance <= Math.min(3, name.length / 2.5))
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** How many letters must be put in, left out or replaced (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
