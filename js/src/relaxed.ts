/** Whether relaxed SIMD is there. */

/** A module of one function that multiplies and adds by relaxed SIMD. */
export const probe = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65, 0,
  253, 15, 253, 133, 2, 11,
];

/** Whether there is a WebAssembly with relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(probe));
}
