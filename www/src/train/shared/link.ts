/** How a run begins, in one field of the address: words and numbers with `_` between them. */

/** Whether a number can be a seed. */
export const isSeed = (seed: number): boolean => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32;

/** A run of a scene: `far_60_20` is `["60", "20"]` of the scene `far`. */
export const formatParts = (scene: string, parts: readonly (string | number)[]): string => [scene, ...parts].join("_");

/** The inverse of {@link formatParts}; null of a run of another scene, or of none. */
export function parseParts(scene: string, field: string | null): readonly string[] | null {
  const [first, ...parts] = (field ?? "").split("_");
  return first === scene ? parts : null;
}

/** What a field says when it is another than the last time: what was changed since stays, also when the chapter is opened again. */
export function news<Run>(parse: (field: string | null) => Run | null): (field: string | null) => Run | null {
  let last: string | null = null;
  return (field) => {
    if (field === last) return null;
    last = field;
    return parse(field);
  };
}
