/** The runtimes of the platform tests: each is a package of `runtimes/package.json` that brings its binary. */

import { existsSync } from "node:fs";
import { join } from "node:path";

const modules = join(import.meta.dirname, "runtimes", "node_modules");
const binary = process.platform === "win32" ? ".exe" : "";
const libc = process.platform === "linux" ? "-glibc" : "";

const node = (major) => ({
  name: `Node ${major}`,
  program: join(modules, `node-${major}`, "bin", "node"),
  run: [],
  test: ["--test"],
});

/** Each with its program, and the arguments with which that runs a file or files of tests. */
export const runtimes = [
  node(20),
  node(22),
  node(26),
  {
    name: "Deno",
    program: join(modules, "@deno", `${process.platform}-${process.arch}${libc}`, `deno${binary}`),
    run: ["run", "--allow-all"],
    test: ["test", "--allow-all", "--no-check"],
    // Once in a dozen runs, when all has been said: threads had a GPU, and memory is freed that is none of theirs.
    crashesAtItsEnd: ["SIGSEGV", "SIGABRT"],
  },
  {
    name: "Bun",
    program: join(modules, "@oven", `bun-${process.platform}-${process.arch}`, "bin", `bun${binary}`),
    run: [],
    // Its own bound of five seconds a test is none that a busy machine keeps.
    test: ["test", "--timeout=120000"],
  },
].map((runtime) => ({ ...runtime, absent: existsSync(runtime.program) ? false : `its package has no binary for ${process.platform}-${process.arch}` }));
