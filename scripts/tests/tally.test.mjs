import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, summary, tally } from "../tally.mjs";

test("cargo's binaries are summed", () => {
  const output = [
    "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
    "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.10s",
  ].join("\n");
  assert.deepEqual(counts(output), { passed: 15, failed: 2, skipped: 1 });
});

test("vitest's line is read without its colours, and its count of files is not taken for tests", () => {
  const output = [
    "\u001b[2m Test Files \u001b[22m \u001b[1m\u001b[32m3 passed\u001b[39m\u001b[22m (4)",
    "\u001b[2m      Tests \u001b[22m \u001b[1m\u001b[31m1 failed\u001b[39m | \u001b[32m22 passed\u001b[39m | 16 skipped (39)",
  ].join("\n");
  assert.deepEqual(counts(output), { passed: 22, failed: 1, skipped: 16 });
});

test("node's runner is read in both of its forms", () => {
  for (const mark of ["ℹ", "#"]) {
    const lines = ["tests 9", "pass 5", "fail 1", "cancelled 0", "skipped 2", "todo 1"];
    const output = lines.map((line) => `${mark} ${line}`).join("\n");
    assert.deepEqual(counts(output), { passed: 5, failed: 1, skipped: 3 });
  }
});

test("a check that names no test counts as one, and one that fails never passes", () => {
  assert.deepEqual(tally(0, "Finished"), { passed: 1, failed: 0, skipped: 0 });
  assert.deepEqual(tally(1, "error"), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(tally(null, ""), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(tally(1, "ℹ pass 5\nℹ fail 0"), { passed: 5, failed: 1, skipped: 0 });
  assert.deepEqual(tally(1, "ℹ pass 5\nℹ fail 2"), { passed: 5, failed: 2, skipped: 0 });
});

const outcomes = [
  { name: "build", ms: 61_400, passed: 1, failed: 0, skipped: 0 },
  { name: "tests", ms: 500, passed: 7, failed: 2, skipped: 3 },
];

test("a whole run ends with its counts", () => {
  const lines = summary(outcomes, { filters: [], chosen: 2, all: 2 });
  const times = ["   61 s  build", "    1 s  tests"];
  assert.deepEqual(lines, [...times, "skipped: 3 of tests", "failed: tests", "", "8 passed, 2 failed"]);
});

test("a part says that it is one, and ends with its counts", () => {
  const lines = summary(outcomes, { filters: ["tes"], chosen: 1, all: 20 });
  assert.equal(lines.at(-3), 'only a part was run: 1 of 20 checks ("tes"), and 1 that they need');
  assert.equal(lines.at(-1), "8 passed, 2 failed");
});
