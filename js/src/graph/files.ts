/** The files of the binary of graphs. */

import { hasRelaxedSimd } from "../relaxed.js";

/** Written out, so that bundlers find the files and put them beside the code. */
const simd = () => new URL("../../pkg/saccade_graph_bg.wasm", import.meta.url);
const relaxed = () => new URL("../../pkg/saccade_graph_relaxed_bg.wasm", import.meta.url);

/** Those that run here, the fastest first. */
export function files(): readonly URL[] {
  return hasRelaxedSimd() ? [relaxed(), simd()] : [simd()];
}
