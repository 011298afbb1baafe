/** What the entry scripts share. Node's own modules only: they run before anything is installed. */

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

// By no name that an old Node lacks: it is to be told that it is old.
export const root = dirname(dirname(fileURLToPath(import.meta.url)));
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

/** How a program is started: npm is a script on Windows, which only a shell runs, to which a space or an `&` means something. */
export function started(program, args, onWindows = windows) {
  const shell = onWindows && program === "npm";
  return { args: shell ? args.map((argument) => (/^[\w.:\\/-]+$/.test(argument) ? argument : `"${argument}"`)) : args, shell };
}

/**
 * Runs a program in the repository root, showing what it prints unless it is to be `silent`; in the `background` silently, and
 * when nothing else wants the processor; one that is `patient` after others. Resolves to its exit status (null when it could not start) and everything it printed.
 */
export function run(program, args, { env = {}, background = false, patient = false, silent = background } = {}) {
  return new Promise((resolve) => {
    const { args: given, shell } = started(program, args);
    const options = { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], shell };
    const child = spawn(program, given, options);
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

/** Stops on a Node that is not of those that `engines` in package.json asks for. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split(".").map(Number);
  const least = { 20: 19, 22: 12 }[major] ?? (major > 22 ? 0 : Infinity);
  if (minor < least) {
    throw new Stop(`Node ${version} is too old: install 20.19, 22.12 or any from 23 on from https://nodejs.org`);
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
  const ask = (program, ...args) => spawnSync(program, args, { cwd: root, encoding: "utf8" });
  const { status, error, stderr } = ask("cargo", "--version");
  if (error) throw new Stop("Rust is missing: install it from https://rustup.rs, then run this again.");
  if (status !== 0) throw new Stop(`Rust is there, but not as rust-toolchain.toml asks for it: ${/^error: (.*)/m.exec(stderr)?.[1] ?? stderr.trim()}`);
  const libraries = ask("rustc", "--print", "target-libdir", "--target", "wasm32-unknown-unknown");
  if (libraries.status === 0 && existsSync(libraries.stdout.trim())) return;
  const missing = "Rust's wasm target is missing:";
  if (!inPath("rustup", "rustup.exe")) throw new Stop(`${missing} rustup adds it, which is at https://rustup.rs; then run this again.`);
  announce("add Rust's wasm target (rustup)");
  await must("rustup", ["target", "add", "wasm32-unknown-unknown"], `${missing} rustup target add wasm32-unknown-unknown`);
}

/** Whether a file is there, and nothing newer among these files, these folders and what is in them. */
export function isUpToDate(file, sources) {
  if (!existsSync(file)) return false;
  const made = statSync(file).mtimeMs;
  // An editor's links may lead nowhere, and its files go while they are looked at.
  const isOlder = (path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return true;
    return found.mtimeMs <= made && (!found.isDirectory() || readdirSync(path).every((name) => isOlder(join(path, name))));
  };
  return sources.every(isOlder);
}

/** What the engine is compiled from, and by. */
export const engineSources = [
  "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "package-lock.json", "crate/Cargo.toml", "crate/src", "kernels/Cargo.toml", "kernels/src", "shaders", "xtask/Cargo.toml", "xtask/src",
];

/** Sees to the engine of the package, in `js/pkg`: as the code stands, or as it lies there where Rust is missing. */
export async function ensureEngine() {
  checkNode();
  await installPackages();
  // Xtask writes it last, and whenever it has found that nothing changed.
  const stamp = join(root, "js", "pkg", ".stamp");
  if (isUpToDate(stamp, engineSources.map((source) => join(root, source)))) return;
  if (existsSync(stamp) && !inPath("cargo", "cargo.exe")) {
    console.log("Rust is missing: the engine in js/pkg is taken as it is, though the code is newer.");
    return;
  }
  await checkRust();
  announce("build the engine for the browser (cargo xtask wasm --release)");
  await must("cargo", cargo.package, "The engine did not build: see the message above.");
}

/** Sees to the package, in `js/dist`: as the code stands. */
export async function ensurePackage() {
  await ensureEngine();
  // The last that is made, of the engine.
  const made = join(root, "js", "dist", "inlined.js");
  if (isUpToDate(made, ["tsconfig.json", "src", "pkg/saccade_rnn_bg.wasm"].map((source) => join(root, "js", source)))) return;
  await must(process.execPath, [join("scripts", "package.mjs")], "The package was not made: see the message above.");
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
