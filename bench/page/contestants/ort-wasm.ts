/** onnxruntime-web on the CPU, one thread: the build that holds nothing else. */

import * as runtime from "onnxruntime-web/wasm";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { onnxruntime } from "./onnxruntime.ts";

export default onnxruntime(runtime, "wasm", wasm);
