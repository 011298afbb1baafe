/** The checks of `npm test`: what each runs, what it needs, and their order. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "../js/tests/suite.mjs";
import { ensureBrowsers } from "../platforms/browsers.mjs";
import { ensureChromium } from "./chromium.mjs";
import { cargo, installPackages, root } from "./steps.mjs";
import { ensureVulkan } from "./vulkan.mjs";

/**
 * A check: the program it `runs`, and its arguments.
 *
 * @typedef {object} Check
 * @property {string} name
 * @property {readonly string[]} runs
 * @property {readonly Check[]} [needs] The checks that make what this one uses.
 * @property {readonly (() => Promise<Record<string, string>>)[]} [tools] What must be installed; each sees to that and resolves
 *   to environment variables.
 * @property {Record<string, string>} [env]
 * @property {boolean} [patient] Whether others have the processor first: it compiles, and nobody waits for it.
 * @property {boolean} [room] Whether it leaves room for another one: it waits, or keeps no more than one processor at work.
 */

const bundlers = async () => {
  await installPackages("consumers", "the bundlers, some 600 MB");
  return {};
};
const runtimes = async () => {
  await installPackages("platforms/runtimes", "the runtimes, some 740 MB");
  return {};
};

const cargoTest = ["cargo", "test", "--workspace", "--exclude", "xtask", "--profile", "quick", "--no-fail-fast"];
const clippy = (...args) => ["cargo", "clippy", ...args, "--", "-D", "warnings"];
const clippyWasm = (features) =>
  clippy("--package", "saccade-rnn", "--lib", "--no-default-features", "--features", features, "--target", "wasm32-unknown-unknown");
const nodeTest = (...files) => [process.execPath, "--test", "--test-concurrency=1", ...files];
/** Files of the package's tests by their names. */
const packageTests = (...names) => names.map((name) => `js/tests/${name}.test.mjs`);
/** Those of both threads that need what only Node has. */
const inNode = ["forgotten", "pool-threads", "server"];
/** A script of an installed package, run by this Node. */
const script = (path, ...args) => [process.execPath, join("node_modules", ...path.split("/")), ...args];

/** What is in a folder; nothing if there is none. */
function entries(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

// A test's program, with the tests' features, so that a whole run compiles it once.
const commandLine = {
  name: "build the command line (cargo test)",
  runs: [...cargoTest, "--no-run", "--test", "command_line"],
  room: true,
};
const gpuChecks = {
  name: "build the GPU checks for the browser (cargo xtask checks)",
  runs: ["cargo", "xtask", "checks"],
  room: true,
};
const engine = { name: "build the engine for the browser (cargo xtask wasm)", runs: ["cargo", ...cargo.package], room: true };
const npmPackage = {
  name: "the npm package (npm pack)",
  runs: [process.execPath, join("scripts", "package.mjs")],
  needs: [engine],
  room: true,
};
const page = { name: "page, build (vite)", runs: script("vite/bin/vite.js", "build"), needs: [engine], room: true };

const inBrowsers = {
  name: "package, kernels and page, in Chromium, Firefox and WebKitGTK",
  runs: nodeTest("platforms/browsers.test.mjs"),
  needs: [gpuChecks, npmPackage, page],
  tools: [ensureBrowsers],
  room: true,
};
const inRuntimes = {
  name: "package, in Node 20, 22 and 26, Deno and Bun",
  runs: nodeTest("platforms/runtimes.test.mjs"),
  needs: [npmPackage],
  tools: [runtimes, ensureVulkan],
  room: true,
};

/** @type {readonly Check[]} */
export const checks = [
  { name: "format (cargo fmt)", runs: ["cargo", "fmt", "--all", "--check"] },
  {
    name: "scripts, unit tests",
    runs: nodeTest(...entries(join(root, "scripts", "tests")).map((name) => `scripts/tests/${name}`)),
  },
  // First what most others wait for; beside it the tests, which take longest, and then all that is compiled into other folders
  // than theirs.
  engine,
  gpuChecks,
  { name: "Rust tests, the GPU's among them", runs: cargoTest, tools: [ensureVulkan], room: true },
  { name: "lint, native (clippy)", runs: clippy("--workspace", "--all-targets", "--all-features"), patient: true, room: true },
  { name: "lint, wasm (clippy)", runs: clippyWasm("web"), patient: true, room: true },
  // What no native build has: all features together leave the surfaces of taggers and parsers and of graphs out.
  { name: "lint, wasm, taggers and parsers (clippy)", runs: clippyWasm("web,graph"), patient: true, room: true },
  { name: "lint, wasm, graphs (clippy)", runs: clippyWasm("web,train"), patient: true, room: true },
  { name: "lint, wasm, training (clippy)", runs: clippyWasm("web,runs"), patient: true, room: true },
  { name: "the crates, as they are packed (cargo package)", runs: [process.execPath, join("scripts", "crates.mjs")], patient: true, room: true },
  // In the profile that `cargo xtask` itself has: wasm-bindgen is compiled once.
  { name: "xtask, unit tests", runs: ["cargo", "test", "--package", "xtask"], patient: true, room: true },
  npmPackage,
  { name: "GPU kernels, in Chromium", runs: nodeTest("checks/tests/browser.test.mjs"), needs: [gpuChecks], tools: [ensureChromium], room: true },
  page,
  // The page's readings are held against this program's.
  commandLine,
  // The longest of those in browsers first: the short ones fill the lanes at the end.
  inBrowsers,
  {
    name: "page and engine, in Chromium",
    runs: nodeTest(...["page", "first-view", "frame", "neighbours", "chapters", "predict", "predict-scenes", "batch", "batch-parsers", "batch-code", "train", "labels", "maths", "vitals", "device", "engine", "start", "versions"].map((name) => `www/tests/${name}.test.mjs`)),
    needs: [npmPackage, page, commandLine],
    tools: [ensureChromium],
    room: true,
  },
  {
    name: "package, its consumers and the examples, in Chromium",
    runs: nodeTest(...packageTests("arguments-page", "browser", "graph-page", "page", "pool-page", "structure-page", "train-hidden", "train-page", "traps-page"), "consumers/consumers.test.mjs", "examples/examples.test.mjs"),
    needs: [npmPackage],
    tools: [ensureChromium],
    room: true,
  },
  inRuntimes,
  {
    name: "fuzz (proptest): 300,000 hostile model files of each kind, and as many damaged state_dicts",
    runs: [...cargoTest, "--test", "hostile_files", "--test", "state_dicts"],
    env: { PROPTEST_CASES: "300000" },
    room: true,
  },
  {
    name: "platforms, the README's table of them",
    runs: nodeTest("platforms/table.test.mjs"),
    needs: [inBrowsers, inRuntimes],
    room: true,
  },
  {
    name: "package, in bundlers and servers (Parcel, esbuild, Rollup, Bun, Vite, Next, Jest, Vitest)",
    runs: nodeTest("consumers/bundlers.test.mjs"),
    needs: [npmPackage],
    tools: [ensureChromium, bundlers],
    room: true,
  },
  // Beside the suite, which the runtimes run in this thread: Node 20, 22 and 26 are among them.
  {
    name: "package, in Node",
    runs: [process.execPath, "--test", "examples/readme.test.mjs", ...packageTests(...inNode, "arguments", "graph", "graph-mistakes", "graph-programs", "start", "steps", "train", "train-long", "train-workers", "traps", "worker")],
    needs: [npmPackage],
    room: true,
  },
  {
    name: "package in a worker, in Node",
    runs: [process.execPath, "--test", ...packageTests(...suite, ...inNode)],
    needs: [npmPackage],
    env: { THREAD: "worker" },
    room: true,
  },
  { name: "API reference (typedoc)", runs: script("typedoc/bin/typedoc"), needs: [engine], room: true },
  {
    name: "types (svelte-check)",
    runs: script("svelte-check/bin/svelte-check", "--tsconfig", "tsconfig.json", "--fail-on-warnings"),
    needs: [engine],
    room: true,
  },
  // The page's cells are held against the package's layers.
  { name: "page, unit tests (vitest)", runs: script("vitest/vitest.mjs", "run"), needs: [engine], room: true },
  {
    name: "benchmarks, unit tests (vitest)",
    runs: script("vitest/vitest.mjs", "run", "--config", "bench/vitest.config.ts"),
    room: true,
  },
  // Its two workers want a processor each.
  { name: "a corpus, by Ray Data", runs: nodeTest("examples/corpus.test.mjs"), needs: [commandLine] },
];
