/** Training in Node: in a thread. */

import { Worker as Thread } from "node:worker_threads";
import { platform } from "../platform.js";
import { thread } from "../thread.js";
import { useWorker } from "./index.js";

platform.paths = true;
useWorker(() => thread((options) => new Thread(new URL("./node-worker-entry.js", import.meta.url), { ...options })));

export * from "./index.js";
