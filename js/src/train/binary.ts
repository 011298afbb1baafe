/** The binary of training runs, in this thread; it is fetched with the first of them. */

// First: what the engine's code finds missing, this one brings.
import "../platform.js";
import * as glue from "../../pkg/saccade_train.js";
import { moduleOf, shipped } from "../compile.js";
import type { Follow } from "../engine.js";
import { binaryOf, type Instance } from "../instance.js";
import { hasRelaxedSimd } from "../relaxed.js";
import type { InitOptions } from "../types.js";

export { glue };

/** Written out, so that bundlers find the files and put them beside the code. */
const simd = () => new URL("../../pkg/saccade_train_bg.wasm", import.meta.url);
const relaxed = () => new URL("../../pkg/saccade_train_relaxed_bg.wasm", import.meta.url);

/** Those that run here, the fastest first. */
const files = () => (hasRelaxedSimd() ? [relaxed(), simd()] : [simd()]);

/** How its place is told. */
const HOW = 'train(texts, settings, { wasmUrl: "/saccade_train_bg.wasm" })';

export const binary = binaryOf({
  init: glue.default,
  reset: glue.__wbg_reset_state,
  containClosures: glue.containClosures,
  onFailure: glue.onFailure,
  forbidGpu: glue.forbidGpu,
  failed: (reason) => `the engine of training runs stopped, and all that it held is lost; begin again, from a snapshot if there is one (${reason})`,
});

/** The instance that runs, or the start of one. */
export function started(wasm: InitOptions["wasm"], follow: Follow): Promise<Instance> {
  return binary.start(() => (wasm === undefined ? shipped(files(), HOW, follow) : moduleOf(wasm, follow)), follow.signal);
}
