/** The two orders in which libraries want a batch of sequences. */

/** `batch`: `[batch, steps, columns]`; `time`: `[steps, batch, columns]`. */
export type Layout = "batch" | "time";

/** Rows in the order `batch` brought into the order `time`, or back: give `outer` and `inner` as they are in `rows`. */
export function swap<T extends Float32Array | Float64Array>(rows: T, outer: number, inner: number): T {
  const columns = rows.length / (outer * inner);
  const swapped = rows.slice() as T;
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      swapped.set(rows.subarray((i * inner + j) * columns, (i * inner + j + 1) * columns), (j * outer + i) * columns);
    }
  }
  return swapped;
}

/** The largest absolute difference; infinite where lengths differ or an answer is not a number. */
export function difference(answer: ArrayLike<number>, truth: ArrayLike<number>): number {
  if (answer.length !== truth.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < truth.length; i++) {
    const error = Math.abs(answer[i]! - truth[i]!);
    if (!(error <= largest)) largest = Number.isNaN(error) ? Infinity : error;
  }
  return largest;
}
