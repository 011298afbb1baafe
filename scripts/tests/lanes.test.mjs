import assert from "node:assert/strict";
import { test } from "node:test";
import { inLanes } from "../lanes.mjs";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Runs that end when told to. */
function runs() {
  const ends = new Map();
  const begun = [];
  const run = (check) => {
    begun.push(check.name);
    return new Promise((resolve, reject) => ends.set(check.name, { resolve: () => resolve(`${check.name} ended`), reject }));
  };
  const end = (name) => {
    ends.get(name).resolve();
    return settled();
  };
  return { begun, run, end, ends };
}

const a = { name: "a" };
const b = { name: "b", room: true };
const c = { name: "c", room: true, needs: [b] };
const d = { name: "d", room: true };
const e = { name: "e" };

test("those that leave room run two at a time, after what they need; the others alone", async () => {
  const { begun, run, end } = runs();
  const all = inLanes([a, b, d, c, e], 2, run);
  assert.deepEqual(begun, ["a"]);
  await end("a");
  assert.deepEqual(begun, ["a", "b", "d"]);
  await end("d");
  // There is a lane, but not what it needs.
  assert.deepEqual(begun, ["a", "b", "d"]);
  await end("b");
  assert.deepEqual(begun, ["a", "b", "d", "c"]);
  await settled();
  assert.equal(begun.includes("e"), false);
  await end("c");
  await end("e");
  assert.deepEqual(await all, ["a ended", "b ended", "d ended", "c ended", "e ended"]);
});

test("one whose needs have ended goes before one that waits, and a place that is alone is passed by nobody", async () => {
  const { begun, run, end } = runs();
  const all = inLanes([b, c, d, e, { name: "f", room: true }], 3, run);
  // It waits for b, and leaves its lane to d.
  assert.deepEqual(begun, ["b", "d"]);
  await end("b");
  assert.deepEqual(begun, ["b", "d", "c"]);
  await end("c");
  assert.deepEqual(begun, ["b", "d", "c"]);
  await end("d");
  assert.deepEqual(begun, ["b", "d", "c", "e"]);
  await end("e");
  await end("f");
  assert.deepEqual(await all, ["b ended", "c ended", "d ended", "e ended", "f ended"]);
});

test("on one lane they follow each other", async () => {
  const { begun, run, end } = runs();
  const all = inLanes([b, c, d], 1, run);
  for (const name of ["b", "c", "d"]) {
    assert.equal(begun.at(-1), name);
    await end(name);
  }
  assert.equal((await all).length, 3);
});

test("a run that cannot begin ends all", async () => {
  const { run, ends } = runs();
  const all = inLanes([b, d], 2, run);
  ends.get("d").reject(new Error("no"));
  ends.get("b").resolve();
  await assert.rejects(all, { message: "no" });
});
