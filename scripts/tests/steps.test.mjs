import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkNode, checkRust, engineIsMade, started, Stop } from "../steps.mjs";

test("an engine of which a build has left but parts is none", () => {
  const folder = mkdtempSync(join(tmpdir(), "saccade-engine-"));
  try {
    writeFileSync(join(folder, "saccade_train_bg.wasm"), "");
    assert.equal(engineIsMade(folder), false);
    writeFileSync(join(folder, ".stamp"), "");
    assert.equal(engineIsMade(folder), true);
  } finally {
    rmSync(folder, { recursive: true });
  }
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
