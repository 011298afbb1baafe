/** The package in a worker thread of Node. */

import "./node.js";
import "./node-workers.js";

export * from "./worker.js";
