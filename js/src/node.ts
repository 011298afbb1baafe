/** The package in Node, Deno and Bun: files also by their paths. */

import { platform } from "./platform.js";

platform.paths = true;
// For a server's bundle that lacks the file; read only then.
platform.inlined = async () => (await import("./inlined.js")).engine;
platform.workers = async () => (await import("./node-workers.js")).engineInWorker;

export * from "./index.js";
