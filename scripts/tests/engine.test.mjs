import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Engines, isSource, takingTurns } from "../engine.mjs";
import { root } from "../steps.mjs";

/** Lets everything go on that waits for nothing. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Builds that end when told to, and what was told of them. */
function builds() {
  const begun = [];
  const told = [];
  const build = (name) => new Promise((resolve) => begun.push({ name, end: (ok = true) => resolve({ ok }) }));
  const engines = new Engines(build, (name, { ok }) => told.push([name, ok]));
  return { begun, told, engines };
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
  const { begun, told, engines } = builds();
  const first = engines.update();
  begun[0].end();
  await first;
  assert.deepEqual([engines.has("engine"), engines.has("graph"), begun.length], [true, false, 2]);
  begun[1].end();
  await settled();
  assert.deepEqual([engines.has("graph"), engines.has("structure")], [true, false]);
  begun[2].end();
  await settled();
  assert.deepEqual([engines.has("structure"), engines.has("train")], [true, false]);
  begun[3].end();
  await settled();
  assert.ok(engines.has("train"));
  assert.deepEqual(told, [["engine", true], ["graph", true], ["structure", true], ["train", true]]);
});

test("a change withdraws the others, and builds of what was there before are not told of", async () => {
  const { begun, told, engines } = builds();
  const first = engines.update();
  begun[0].end();
  await first;
  const change = engines.change();
  begun[1].end();
  await settled();
  assert.equal(engines.has("graph"), false);
  begun[2].end();
  await change;
  begun.slice(3).forEach(({ end }) => end());
  await settled();
  for (const _ of ["structure", "train"]) {
    begun.at(-1).end();
    await settled();
  }
  assert.deepEqual(begun.slice(2).map(({ name }) => name), ["engine", "graph", "structure", "train"]);
  assert.ok(["graph", "structure", "train"].every((name) => engines.has(name)));
  assert.equal(told.filter(([name]) => name === "graph").length, 1);
});

test("what does not build leaves the first engine, and the others wait", async () => {
  const { begun, told, engines } = builds();
  const first = engines.update();
  begun[0].end();
  await first;
  for (const at of [1, 2, 3]) {
    begun[at].end();
    await settled();
  }
  const change = engines.change();
  begun[4].end(false);
  await change;
  const has = ["engine", "graph", "structure", "train"].map((name) => engines.has(name));
  assert.deepEqual([has, begun.length], [[true, false, false, false], 5]);
  assert.deepEqual(told.at(-1), ["engine", false]);
});
