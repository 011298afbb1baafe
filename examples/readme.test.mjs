/**
 * The README keeps its word: its JavaScript compiles, runs and prints what it says, its addresses exist, its table has every error,
 * the reference that it promises every entry.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { root } from "../scripts/steps.mjs";
import { blocks, makeFolder, readme } from "./readme.mjs";

const errors = readFileSync(join(root, "js", "src", "errors.ts"), "utf8");

/** The programs that compile as TypeScript as they stand: a graph's own functions need types for their parameters. */
const typed = [...blocks.keys()].filter((i) => !blocks[i].name.includes("saccade-rnn/graph"));

describe("the README's JavaScript", () => {
  let folder;
  before(() => (folder = makeFolder()));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [i, { name, prints }] of blocks.entries()) {
    test(name, () => {
      assert.ok(prints.length > 0, "the block says what it prints");
      const run = { cwd: folder, encoding: "utf8", timeout: 300_000 };
      const { status, stdout, stderr } = spawnSync(process.execPath, [`block-${i}.mjs`], run);
      assert.equal(status, 0, stderr);
      assert.deepEqual(stdout.trimEnd().split("\n"), prints);
    });
  }

  test("compiles as strict TypeScript", () => {
    assert.equal(typed.length, blocks.length - 1);
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = ["--allowJs", "--checkJs", "--strict", "--noEmit", "--target", "es2022", "--module", "nodenext"];
    const files = typed.map((i) => `block-${i}.mjs`);
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, ...files], { cwd: folder, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
});

test("the table of errors is that of the types, and has every code", () => {
  const table = errors.split("\n").flatMap((line) => (line.startsWith(" * |") ? [line.slice(3)] : []));
  const codes = [...errors.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  assert.ok(codes.length > 10 && table.length > 10);
  assert.ok(readme.includes(table.join("\n")), "copy the table from js/src/errors.ts");
  for (const code of codes) assert.ok(table.some((row) => row.split("|")[1].includes(`\`${code}\``)), code);
});

test("the README's addresses within the repository exist", () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, address]) => address);
  assert.ok(links.length > 5);
  for (const address of links) assert.ok(existsSync(join(root, address)), address);
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const [, name] of readme.matchAll(/`npm run ([\w:-]+)/g)) assert.ok(name in scripts, name);
});

test("the reference has every entry of the package that exports something", () => {
  const read = (...path) => readFileSync(join(root, ...path), "utf8");
  const entries = Object.values(JSON.parse(read("js", "package.json")).exports).flatMap(({ types }) => types ?? []);
  const sources = entries.map((types) => types.replace("./dist/", "js/src/").replace(".d.ts", ".ts"));
  const exporting = sources.filter((source) => /^export /m.test(read(source)));
  assert.deepEqual(JSON.parse(read("typedoc.json")).entryPoints, exporting);
});
