/** The package in a worker thread of Node. */

import { Worker as Thread } from "node:worker_threads";
import "./node.js";
import { thread } from "./thread.js";
import { useWorker } from "./worker.js";

useWorker(() => thread((options) => new Thread(new URL("./node-worker-entry.js", import.meta.url), { ...options })));

export * from "./worker.js";
