import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Binaries, isSource, takingTurns } from "../engine.mjs";
import { root } from "../steps.mjs";

/** Lets everything go on that waits for nothing. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Builds that end when told to, and what was told of them. */
function builds() {
  const begun = [];
  const told = [];
  const build = (variant) => new Promise((resolve) => begun.push({ variant, end: (ok = true) => resolve({ ok }) }));
  const binaries = new Binaries(build, (variant, { ok }) => told.push([variant, ok]));
  return { begun, told, binaries };
}

test("the engine is compiled from Rust, shaders and manifests", () => {
  const sources = ["crate/src/graph/mod.rs", "kernels/src/lstm.rs", "shaders/src/a.wgsl", "shaders/build.rs", "Cargo.toml"];
  const others = ["crate/tests/parity.rs", "www/src/engine.ts", "xtask/Cargo.toml", "crate/src/a.md", "../crate/src/a.rs"];
  for (const path of sources) assert.ok(isSource(join(root, path)), path);
  for (const path of others) assert.ok(!isSource(join(root, path)), path);
});

test("a task that is asked for while it runs runs once more", async () => {
  const ends = [];
  const task = takingTurns(() => new Promise((resolve) => ends.push(resolve)));
  const asked = Promise.all([task(), task(), task()]);
  assert.equal(ends.length, 1);
  ends[0]();
  await settled();
  assert.equal(ends.length, 2);
  ends[1]();
  await asked;
  assert.equal(ends.length, 2);
});

test("a task that fails can be asked for again", async () => {
  let calls = 0;
  const task = takingTurns(async () => {
    calls += 1;
    throw new Error("no");
  });
  await assert.rejects(task());
  await assert.rejects(task());
  assert.equal(calls, 2);
});

test("the others follow the first, one after the other", async () => {
  const { begun, told, binaries } = builds();
  const first = binaries.update();
  begun[0].end();
  await first;
  assert.deepEqual([binaries.has("simd"), binaries.has("relaxed"), begun.length], [true, false, 2]);
  begun[1].end();
  await settled();
  assert.deepEqual([binaries.has("relaxed"), binaries.has("graph")], [true, false]);
  begun[2].end();
  await settled();
  assert.deepEqual([binaries.has("graph"), binaries.has("structure")], [true, false]);
  begun[3].end();
  await settled();
  assert.deepEqual([binaries.has("structure"), binaries.has("train")], [true, false]);
  begun[4].end();
  await settled();
  assert.ok(binaries.has("train"));
  assert.deepEqual(told, [["simd", true], ["relaxed", true], ["graph", true], ["structure", true], ["train", true]]);
});

test("a change withdraws the others, and builds of what was there before are not told of", async () => {
  const { begun, told, binaries } = builds();
  const first = binaries.update();
  begun[0].end();
  await first;
  const change = binaries.change();
  begun[1].end();
  await settled();
  assert.equal(binaries.has("relaxed"), false);
  begun[2].end();
  await change;
  begun.slice(3).forEach(({ end }) => end());
  await settled();
  for (const _ of ["graph", "structure", "train"]) {
    begun.at(-1).end();
    await settled();
  }
  assert.deepEqual(begun.slice(2).map(({ variant }) => variant), ["simd", "relaxed", "graph", "structure", "train"]);
  assert.ok(["relaxed", "graph", "structure", "train"].every((variant) => binaries.has(variant)));
  assert.equal(told.filter(([variant]) => variant === "relaxed").length, 1);
});

test("what does not build leaves the first binary, and the others wait", async () => {
  const { begun, told, binaries } = builds();
  const first = binaries.update();
  begun[0].end();
  await first;
  begun[1].end();
  await settled();
  begun[2].end();
  await settled();
  for (const at of [3, 4]) {
    begun[at].end();
    await settled();
  }
  const change = binaries.change();
  begun[5].end(false);
  await change;
  const has = ["simd", "relaxed", "graph", "structure", "train"].map((variant) => binaries.has(variant));
  assert.deepEqual([has, begun.length], [[true, false, false, false, false], 6]);
  assert.deepEqual(told.at(-1), ["simd", false]);
});
