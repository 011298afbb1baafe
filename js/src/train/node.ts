/** Training in Node: in a thread. */

import { platform } from "../platform.js";
import { thread } from "../thread.js";
import { useWorker } from "./index.js";

platform.paths = true;
useWorker(() => thread(new URL("./node-worker-entry.js", import.meta.url)));

export * from "./index.js";
