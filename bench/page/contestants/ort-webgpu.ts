/** onnxruntime-web on WebGPU. Operators that it has no shader for (LSTM, GRU and Scan are such) it runs on the CPU. */

import * as runtime from "onnxruntime-web/webgpu";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import { onnxruntime } from "./onnxruntime.ts";

export default onnxruntime(runtime, "webgpu", wasm);
