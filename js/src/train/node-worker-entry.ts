/** What the thread of training runs runs. */

import { parentPort } from "node:worker_threads";
import { platform } from "../platform.js";
import { serve } from "../serve.js";
import { training } from "./local.js";

platform.paths = true;

parentPort?.on(
  "message",
  serve(training, (answer, transfer) => parentPort?.postMessage(answer, transfer as ArrayBuffer[])),
);
