/** Written by `scripts/package.mjs`: the engine's WebAssembly with 128-bit SIMD, as base64 of gzip. */
export const engine: string;
