import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { test } from "node:test";
import { isSource } from "../engine.mjs";
import { checkNode, checkRust, engineSources, isUpToDate, root, started, Stop } from "../steps.mjs";

test("what is not there, or older than what it is made of, is not up to date", () => {
  const folder = mkdtempSync(join(tmpdir(), "saccade-steps-"));
  try {
    const [stamp, sources, deep] = [join(folder, ".stamp"), join(folder, "src"), join(folder, "src", "deep")];
    const file = join(deep, "lib.rs");
    mkdirSync(deep, { recursive: true });
    writeFileSync(file, "");
    for (const path of [file, deep, sources]) utimesSync(path, 1000, 1000);
    assert.equal(isUpToDate(stamp, [sources]), false);
    writeFileSync(stamp, "");
    utimesSync(stamp, 2000, 2000);
    assert.equal(isUpToDate(stamp, [sources]), true);
    utimesSync(file, 3000, 3000);
    assert.equal(isUpToDate(stamp, [sources]), false);
    assert.equal(isUpToDate(stamp, [file]), false);
    utimesSync(stamp, 3000, 3000);
    assert.equal(isUpToDate(stamp, [sources, file]), true);
    // Its folder tells of one that has gone.
    rmSync(file);
    assert.equal(isUpToDate(stamp, [sources]), false);
    // As an editor locks a file that it has changed.
    symlinkSync("nowhere", file);
    for (const path of [deep, stamp]) utimesSync(path, 3000, 3000);
    assert.equal(isUpToDate(stamp, [sources]), true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the engine is asked for again when anything has changed that it is compiled from", () => {
  const files = ["crate", "kernels", "shaders"].flatMap((name) => readdirSync(join(root, name), { recursive: true }).map((path) => join(root, name, path)));
  const compiled = [join(root, "Cargo.toml"), ...files].filter(isSource);
  assert.ok(compiled.length > 100);
  const within = (path) => engineSources.map((source) => join(root, source)).some((source) => path === source || path.startsWith(source + sep));
  assert.deepEqual(compiled.filter((path) => !within(path)), []);
});

test("a Node that the tools have no version for is told what it should be", () => {
  for (const version of ["20.19.0", "20.20.2", "22.12.0", "23.0.0", "24.1.0", "26.12.0"]) checkNode(version);
  for (const version of ["18.20.4", "20.18.3", "21.7.3", "22.5.1"]) {
    assert.throws(() => checkNode(version), (error) => error instanceof Stop && error.message.startsWith(`Node ${version} is too old: install 20.19`));
  }
});

test("who has Rust without rustup is told to install rustup, which alone adds the wasm target", { skip: process.platform === "win32" }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "saccade-rust-"));
  const { PATH } = process.env;
  try {
    for (const name of ["cargo", "rustc"]) writeFileSync(join(folder, name), "#!/bin/sh\necho /nowhere\n", { mode: 0o755 });
    process.env.PATH = folder;
    await assert.rejects(checkRust(), (error) => error instanceof Stop && error.message.includes("https://rustup.rs"));
    writeFileSync(join(folder, "rustup"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    await assert.rejects(checkRust(), (error) => error instanceof Stop && error.message.includes("rustup target add wasm32-unknown-unknown"));
  } finally {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  }
});

test("on Windows npm alone is run by a shell, which gets what it would read as more than a word in quotes", () => {
  const args = ["pack", "./js", "--pack-destination", "C:\\My files\\target", "C:\\R&D\\(new)"];
  assert.deepEqual(started("npm", args, true), { args: [...args.slice(0, 3), '"C:\\My files\\target"', '"C:\\R&D\\(new)"'], shell: true });
  for (const [program, onWindows] of [["C:\\Program Files\\nodejs\\node.exe", true], ["cargo", true], ["npm", false]]) {
    assert.deepEqual(started(program, args, onWindows), { args, shell: false });
  }
});
