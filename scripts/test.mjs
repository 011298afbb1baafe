/** `npm test`: every check there is and how long it took; ends with the number of tests passed and failed. */

import { existsSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ensureChromium } from "./chromium.mjs";
import { ensureVulkan } from "./vulkan.mjs";
import { announce, checkNode, checkRust, entry, installPackages, run, target, wasm } from "./steps.mjs";

let passed = 0;
let failed = 0;
const broken = [];
/** How long each check took, in milliseconds. */
const times = [];

/** The counts that cargo's, vitest's and node's test runners print, summed. */
function counts(output) {
  const plain = output.replace(/\u001b\[[0-9;]*m/g, "");
  const sum = (pattern) => [...plain.matchAll(pattern)].reduce((total, [, n]) => total + Number(n), 0);
  return {
    passed: sum(/^test result: .*?(\d+) passed/gm) + sum(/^ +Tests .*?(\d+) passed/gm) + sum(/^(?:#|ℹ) pass (\d+)$/gm),
    failed: sum(/^test result: .*?(\d+) failed/gm) + sum(/^ +Tests .*?(\d+) failed/gm) + sum(/^(?:#|ℹ) fail (\d+)$/gm),
  };
}

/** Runs one check to its end, whatever the ones before it said. One that fails without naming a test counts as one. */
async function check(name, program, args, options) {
  announce(name);
  const begun = performance.now();
  const { status, output } = await run(program, args, options);
  const found = counts(output);
  times.push([name, performance.now() - begun]);
  passed += found.passed;
  failed += found.failed;
  if (status === 0) return;
  if (found.failed === 0) failed += 1;
  broken.push(name);
}

/**
 * Removes what cargo built and unpacked of our own packages to verify them: it takes a version that it has seen for one
 * that never changes. The registry that they are packaged into has no host, so its folder's name begins with a dash.
 */
function forget(folder) {
  const unpacked = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");
  const registries = entries(unpacked).filter((name) => name.startsWith("-")).map((name) => join(unpacked, name));
  const built = [".fingerprint", "build", "deps"].map((kind) => join(folder, "debug", kind));
  for (const place of [...registries, ...built]) {
    const ours = entries(place).filter((name) => /^(lib)?saccade/.test(name));
    for (const name of ours) rmSync(join(place, name), { recursive: true });
  }
}

/** What is in a folder; nothing if there is none. */
function entries(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** A script of an installed package, run by this Node. */
const script = (...path) => join("node_modules", ...path);

await entry(async () => {
  checkNode();
  await checkRust();
  await installPackages();
  const chromium = await ensureChromium();
  const adapter = await ensureVulkan();

  await check("format (cargo fmt)", "cargo", ["fmt", "--all", "--check"]);
  const deny = ["--", "-D", "warnings"];
  const native = ["clippy", "--workspace", "--all-targets", "--all-features", ...deny];
  await check("lint, native (clippy)", "cargo", native);
  const web = ["--no-default-features", "--features", "web", "--target", "wasm32-unknown-unknown"];
  await check("lint, wasm (clippy)", "cargo", ["clippy", "--package", "saccade-rnn", "--lib", ...web, ...deny]);
  // xtask is tested by being used below; compiling wasm-bindgen for release as well would only take long.
  const tests = ["test", "--workspace", "--exclude", "xtask", "--release", "--no-fail-fast"];
  await check("Rust tests, the GPU's among them", "cargo", tests, { env: adapter });
  const fuzz = [...tests, "--test", "hostile_files"];
  const cases = { env: { PROPTEST_CASES: "300000" } };
  await check("fuzz (proptest): 300,000 hostile model files of each kind", "cargo", fuzz, cases);
  const pack = ["package", "--workspace", "--exclude", "xtask", "--exclude", "saccade-checks", "--exclude", "saccade-bench", "--allow-dirty"];
  const verified = join(target, "verified");
  forget(verified);
  await check("packages (cargo package)", "cargo", [...pack, "--target-dir", verified]);

  await check("build the GPU checks for the browser (cargo xtask checks)", "cargo", ["xtask", "checks"]);
  const kernels = ["--test", "checks/tests/browser.test.mjs"];
  await check("GPU kernels, in Chromium", process.execPath, kernels, { env: { CHROMIUM: chromium } });
  await check("build the engine for the browser (cargo xtask wasm)", "cargo", wasm);
  await check("the npm package (npm pack)", process.execPath, [join("scripts", "package.mjs")]);
  const inNode = ["layers", "model", "start", "worker"].map((name) => `js/tests/${name}.test.mjs`);
  await check("package, in Node", process.execPath, ["--test", ...inNode, "examples/readme.test.mjs"]);
  const users = ["js/tests/browser.test.mjs", "consumers/consumers.test.mjs", "examples/examples.test.mjs"];
  const inChromium = ["--test", "--test-concurrency=1", ...users];
  await check("package, its consumers and the examples, in Chromium", process.execPath, inChromium, { env: { CHROMIUM: chromium } });
  await check("API reference (typedoc)", process.execPath, [script("typedoc", "bin", "typedoc")]);
  const svelteCheck = [script("svelte-check", "bin", "svelte-check"), "--tsconfig", "tsconfig.json", "--fail-on-warnings"];
  await check("types (svelte-check)", process.execPath, svelteCheck);
  await check("page, unit tests (vitest)", process.execPath, [script("vitest", "vitest.mjs"), "run"]);
  const bench = [script("vitest", "vitest.mjs"), "run", "--config", "bench/vitest.config.ts"];
  await check("benchmarks, unit tests (vitest)", process.execPath, bench);
  await check("page, build (vite)", process.execPath, [script("vite", "bin", "vite.js"), "build"]);
  // Held against the program that the Rust tests built.
  const files = ["page", "chapters", "vitals", "device", "engine"].map((name) => `www/tests/${name}.test.mjs`);
  const browser = ["--test", "--test-concurrency=1", ...files];
  await check("page and engine, in Chromium", process.execPath, browser, { env: { CHROMIUM: chromium } });

  console.log("");
  for (const [name, ms] of times) console.log(`${(ms / 1000).toFixed(0).padStart(5)} s  ${name}`);
  for (const name of broken) console.log(`failed: ${name}`);
  console.log(`\n${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});
