/** The binary of taggers, parsers and tree classifiers, in this thread; it is fetched with the first of them. */

// First: what the engine's code finds missing, this one brings.
import "../platform.js";
import * as glue from "../../pkg/saccade_structure.js";
import { moduleOf, shipped } from "../compile.js";
import type { Follow } from "../engine.js";
import { binaryOf, type Instance } from "../instance.js";
import type { InitOptions } from "../types.js";

export { glue };

/** Written out, so that bundlers find the file and put it beside the code. */
const file = () => new URL("../../pkg/saccade_structure_bg.wasm", import.meta.url);

/** How its place is told. */
const HOW = 'await load(source, { task: "tag", wasmUrl: "/saccade_structure_bg.wasm" })';

export const binary = binaryOf({
  init: glue.default,
  reset: glue.__wbg_reset_state,
  containClosures: glue.containClosures,
  onFailure: glue.onFailure,
  forbidGpu: glue.forbidGpu,
  failed: (reason) => `the engine of taggers and parsers stopped, and all that it held is lost; load it again (${reason})`,
});

/** The instance that runs, or the start of one. */
export function started(wasm: InitOptions["wasm"], follow: Follow): Promise<Instance> {
  return binary.start(() => (wasm === undefined ? shipped([file()], HOW, follow) : moduleOf(wasm, follow)), follow.signal);
}
