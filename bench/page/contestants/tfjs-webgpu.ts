/** TensorFlow.js on WebGPU. */

import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { tensorflow } from "./tensorflow.ts";

/** Makes the backend ready. */
export async function start(): Promise<void> {
  if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js has no webgpu backend here");
}

export default tensorflow(start, { layers: false });
