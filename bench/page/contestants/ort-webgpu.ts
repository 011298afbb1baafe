/** onnxruntime-web on WebGPU. LSTM and GRU have shaders of their own; a Scan's loop is the CPU's, its body the GPU's. */

import * as runtime from "onnxruntime-web/webgpu";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import { onnxruntime } from "./onnxruntime.ts";

export default onnxruntime(runtime, "webgpu", wasm);
