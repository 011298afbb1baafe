/** The package in Node: files also by their paths, the CPU alone. */

import { platform } from "./platform.js";

platform.paths = true;
platform.noGpu = "Node has no navigator.gpu";
// For a server's bundle that lacks the file; read only then.
platform.inlined = async () => (await import("./inlined.js")).engine;

export * from "./index.js";
