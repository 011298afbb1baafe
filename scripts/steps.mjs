/** What the entry scripts share. Node's own modules only: they run before anything is installed. */

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { delimiter, join, resolve } from "node:path";

export const root = join(import.meta.dirname, "..");
const windows = process.platform === "win32";
/** Where cargo puts what it makes. */
export const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
const file = windows ? "saccade.exe" : "saccade";
/** The native program, where `cargo build --release` puts it. */
export const saccade = join(target, "release", file);
/** The same as tests have it made, where `cargo test --profile quick` puts it. */
export const checkedSaccade = join(target, "quick", file);

/** A reason to stop that the reader can act on; shown as one line, without a stack. */
export class Stop extends Error {}

/** Runs `main`; a {@link Stop} becomes one line and exit status 1. */
export async function entry(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

export function announce(step) {
  console.log(`\n▸ ${step}`);
}

/**
 * Runs a program in the repository root, showing what it prints unless it is to be `silent`; in the `background` silently, and
 * when nothing else wants the processor; one that is `patient` after others. Resolves to its exit status (null when it could not start) and everything it printed.
 */
export function run(program, args, { env = {}, background = false, patient = false, silent = background } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      shell: windows,
    });
    const { PRIORITY_LOW, PRIORITY_BELOW_NORMAL } = constants.priority;
    if (child.pid && (background || patient)) setPriority(child.pid, background ? PRIORITY_LOW : PRIORITY_BELOW_NORMAL);
    let output = "";
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.on("data", (chunk) => {
        output += chunk;
        if (!silent) to.write(chunk);
      });
    }
    child.on("error", () => resolve({ status: null, output }));
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** Runs a program that must succeed; otherwise stops with `advice`. */
export async function must(program, args, advice) {
  const { status } = await run(program, args);
  if (status !== 0) throw new Stop(advice);
}

/** Whether a program is there and answers. */
export function answers(program, args = ["--version"]) {
  return spawnSync(program, args, { cwd: root, stdio: "ignore", shell: windows }).status === 0;
}

/** Stops on a Node older than `engines` in package.json asks for. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Stop(`Node ${process.versions.node} is too old: install 20.19 or newer from https://nodejs.org`);
  }
}

/** Installs the packages of a folder's package-lock.json, unless they are installed as it stands. */
export async function installPackages(folder = ".", what = "the npm packages") {
  const lock = createHash("sha256").update(readFileSync(join(root, folder, "package-lock.json"))).digest("hex");
  const modules = join(root, folder, "node_modules");
  const stamp = join(modules, ".saccade-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  // npm ci would empty the folder that a link leads to, which may be another checkout's.
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Stop("node_modules is a link: remove it, or run npm ci where it leads.");
  }
  announce(`install ${what} (npm ci)`);
  await must("npm", ["ci", "--ignore-scripts", "--prefix", folder], "npm ci failed: see its message above.");
  writeFileSync(stamp, lock);
}

/** Checks for Rust and for its wasm target, which rustup can add. */
export async function checkRust() {
  announce("check Rust (the first time, rustup fetches the toolchain of rust-toolchain.toml)");
  if (!answers("cargo")) throw new Stop("Rust is missing: install it from https://rustup.rs, then run this again.");
  const libraries = spawnSync("rustc", ["--print", "target-libdir", "--target", "wasm32-unknown-unknown"], {
    cwd: root,
    encoding: "utf8",
    shell: windows,
  });
  if (libraries.status === 0 && existsSync(libraries.stdout.trim())) return;
  announce("add Rust's wasm target (rustup)");
  const advice = "Rust's wasm target is missing: rustup target add wasm32-unknown-unknown";
  await must("rustup", ["target", "add", "wasm32-unknown-unknown"], advice);
}

/** Whether apt can install what a test needs. */
export function onDebianAsRoot() {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) return false;
  return /^ID(_LIKE)?=.*debian/m.test(readFileSync("/etc/os-release", "utf8"));
}

export async function aptInstall(...packages) {
  announce(`install ${packages.join(", ")} (apt-get)`);
  await must("apt-get", ["update"], "apt-get update failed: see its message above.");
  const install = ["install", "--yes", "--no-install-recommends", ...packages];
  await must("apt-get", install, `apt-get could not install ${packages.join(", ")}: see its message above.`);
}

/** Installs something that tests can do without: if it cannot, says so and goes on. */
export async function orSay(install) {
  try {
    await install();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.log(error.message);
  }
}

/** The path of the first of these programs in the folders of PATH; undefined when there is none. */
export function inPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((place) => existsSync(place));
}

/** What `cargo` is asked for by more than one script. */
export const cargo = {
  /** The engine for the browser, quickly: what `npm start` serves. */
  engine: ["xtask", "wasm"],
  /** The engine for the browser as published, into `js/pkg`. */
  package: ["xtask", "wasm", "--release"],
  /** The command line: {@link saccade}. */
  saccade: ["build", "--release", "--package", "saccade-cli"],
};

/** What a program printed, without colours. */
export const plain = (output) => output.replace(/\u001b\[[0-9;]*m/g, "");
