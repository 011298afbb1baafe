/** The package in a worker thread of Node. */

import "./node.js";
import { thread } from "./thread.js";
import { useWorker } from "./worker.js";

useWorker(() => thread(new URL("./node-worker-entry.js", import.meta.url)));

export * from "./worker.js";
