/** A value as a program's reader is shown it: JSON, in which typed arrays are lists, and numbers that JSON has not stand as they are. */
export function inWords(value: unknown): string {
  if (typeof value === "string") return value;
  const plain = (_: string, part: unknown): unknown => {
    if (ArrayBuffer.isView(part)) return Array.from(part as Float32Array);
    return typeof part === "number" && !Number.isFinite(part) ? `\0${part}` : part;
  };
  try {
    return JSON.stringify(value, plain)?.replaceAll(/"\\u0000(NaN|-?Infinity)"/g, "$1") ?? String(value);
  } catch {
    return String(value);
  }
}
