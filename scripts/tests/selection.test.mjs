import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checks } from "../checks.mjs";
import { select } from "../selection.mjs";

const names = (list) => list.map(({ name }) => name);

describe("checks a, B (needs a), c (needs B), d", () => {
  const a = { name: "build a" };
  const b = { name: "pack B", needs: [a] };
  const c = { name: "Chromium c", needs: [b] };
  const d = { name: "lint d" };
  const all = [a, b, c, d];

  test("without a filter all run", () => {
    const { chosen, toRun, unknown } = select(all, []);
    assert.deepEqual([chosen, toRun, unknown], [all, all, []]);
  });

  test("a filter is part of a name in any case, and what is needed runs first", () => {
    assert.deepEqual(names(select(all, ["chrom"]).toRun), ["build a", "pack B", "Chromium c"]);
    assert.deepEqual(names(select(all, ["PACK b"]).toRun), ["build a", "pack B"]);
    assert.deepEqual(names(select(all, ["chrom"]).chosen), ["Chromium c"]);
  });

  test("several filters choose what any of them names", () => {
    assert.deepEqual(names(select(all, ["lint", "build"]).toRun), ["build a", "lint d"]);
  });

  test("a filter that names nothing is unknown", () => {
    assert.deepEqual(select(all, ["lint", "nothing"]).unknown, ["nothing"]);
  });
});

test("names of checks differ, and what a check needs comes before it", () => {
  assert.equal(new Set(names(checks)).size, checks.length);
  for (const [i, check] of checks.entries()) {
    for (const needed of check.needs ?? []) assert.ok(checks.slice(0, i).includes(needed), `${check.name}: ${needed.name}`);
  }
});

test("tests of the page run over a built engine, a package, a page and the command line", () => {
  assert.deepEqual(names(select(checks, ["page and engine"]).toRun), [
    "build the engine for the browser (cargo xtask wasm)",
    "the npm package (npm pack)",
    "page, build (vite)",
    "build the command line (cargo test)",
    "page and engine, in Chromium",
  ]);
});
