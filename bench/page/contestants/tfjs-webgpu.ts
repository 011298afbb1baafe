/** TensorFlow.js on WebGPU. */

import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { tensorflow } from "./tensorflow.ts";

export default tensorflow(async () => {
  if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js has no webgpu backend here");
}, { layers: false });
