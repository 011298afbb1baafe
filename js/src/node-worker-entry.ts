/** What the thread runs. */

import { parentPort } from "node:worker_threads";
import { local } from "./local.js";
import "./node.js";
import { serve } from "./serve.js";

parentPort?.on(
  "message",
  serve(local, (answer, transfer) => parentPort?.postMessage(answer, transfer as ArrayBuffer[])),
);
