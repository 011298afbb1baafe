/** Engines in threads of Node. */

import { Worker as Thread } from "node:worker_threads";
import { platform } from "./platform.js";
import { thread } from "./thread.js";

platform.worker ??= () => thread((options) => new Thread(new URL("./node-worker-entry.js", import.meta.url), { ...options }));

export { engineInWorker } from "./workers.js";
