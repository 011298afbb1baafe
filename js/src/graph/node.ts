/** Graphs in Node: the CPU alone. */

import { platform } from "../platform.js";

platform.paths = true;
platform.noGpu = "Node has no navigator.gpu";

export * from "./index.js";
