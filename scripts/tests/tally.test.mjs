import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, failures, summary, tally } from "../tally.mjs";

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
  const found = (status, output) => {
    const { passed, failed, skipped } = tally(status, output);
    return [passed, failed, skipped];
  };
  assert.deepEqual(found(0, "Finished"), [1, 0, 0]);
  assert.deepEqual(found(1, "error"), [0, 1, 0]);
  assert.deepEqual(found(null, ""), [0, 1, 0]);
  assert.deepEqual(found(1, "ℹ pass 5\nℹ fail 0"), [5, 1, 0]);
  assert.deepEqual(found(1, "ℹ pass 5\nℹ fail 2"), [5, 2, 0]);
});

test("what failed is named as its runner names it, each once", () => {
  const output = [
    "        not ok 7 - a model > streams the tokens that a reading has",
    "        ok 8 - a model > is inspected",
    "    not ok 3 - model, worker",
    "  ✖ the first view (12.5ms)",
    "test fuzz::read_any_file ... FAILED",
    "test fuzz::read_none ... ok",
    "\u001b[41m FAIL \u001b[49m bench/tests/table.test.ts > a table",
    " FAIL  bench/tests/table.test.ts > a table",
  ].join("\n");
  assert.deepEqual(failures(output), [
    "a model > streams the tokens that a reading has",
    "model, worker",
    "the first view",
    "fuzz::read_any_file",
    "bench/tests/table.test.ts > a table",
  ]);
});

const outcomes = [
  { name: "build", ms: 61_400, passed: 1, failed: 0, skipped: 0, failures: [] },
  { name: "tests", ms: 500, passed: 7, failed: 2, skipped: 3, failures: ["one", "other"] },
];

test("a whole run ends with its counts", () => {
  const lines = summary(outcomes, { filters: [], chosen: 2, all: 2 });
  const times = ["   61 s  build", "    1 s  tests"];
  assert.deepEqual(lines, [...times, "skipped: 3 of tests", "failed: tests", "        one", "        other", "", "8 passed, 2 failed"]);
});

test("what failed without a name, and too many names, are said", () => {
  const last = (failures) => summary([{ name: "tests", ms: 0, passed: 0, failed: 1, skipped: 0, failures }], { filters: [], chosen: 1, all: 1 }).at(-3);
  assert.equal(last([]), "        no test by name: see what it printed");
  assert.equal(last(Array.from({ length: 12 }, (_, i) => `${i}`)), "        and 2 more");
});

test("a part says that it is one, and ends with its counts", () => {
  const lines = summary(outcomes, { filters: ["tes"], chosen: 1, all: 20 });
  assert.equal(lines.at(-3), 'only a part was run: 1 of 20 checks ("tes"), and 1 that they need');
  assert.equal(lines.at(-1), "8 passed, 2 failed");
});
