/** Graphs in Node, Deno and Bun: files also by their paths. */

import { platform } from "../platform.js";

platform.paths = true;

export * from "./index.js";
