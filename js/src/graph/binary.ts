/** The binary with gradients and optimisers, in this thread; it is fetched on first use. */

// First: what the engine's code finds missing, this one brings.
import "../platform.js";
import * as glue from "../../pkg/saccade_graph.js";
import { moduleOf, shipped } from "../compile.js";
import { binaryOf, type Instance } from "../instance.js";
import type { InitOptions } from "../types.js";
import { files } from "./files.js";

export { glue };
export type { Instance };

/** How its place is told. */
const HOW = 'await init({ wasm: "/saccade_graph_bg.wasm" })';

const binary = binaryOf({
  init: glue.default,
  reset: glue.__wbg_reset_state,
  containClosures: glue.containClosures,
  onFailure: glue.onFailure,
  forbidGpu: glue.forbidGpu,
  failed: (reason) => `the engine of graphs stopped, and all that it held is lost; make new parameters (${reason})`,
});

/** The instance that runs, or the start of one. */
export function started(wasm?: InitOptions["wasm"]): Promise<Instance> {
  return binary.start(() => (wasm === undefined ? shipped(files(), HOW, {}) : moduleOf(wasm, {})));
}
