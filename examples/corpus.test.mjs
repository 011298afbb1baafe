/** The example on Ray: two workers, one of which is killed, give what one process gives. Wants the command line, Python and PyPI. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkedSaccade, root, target } from "../scripts/steps.mjs";

const TEXTS = 600;
const environment = join(target, "corpus-venv");

/** Why the example cannot run here; nothing if it can. */
function missing() {
  const python = (...args) => spawnSync("python3", args, { encoding: "utf8", timeout: 60_000 });
  if (python("-m", "venv", "--help").status !== 0) return "there is no python3 with venv";
  if (existsSync(join(environment, "complete"))) return undefined;
  const asked = python("-m", "pip", "download", "--quiet", "--no-deps", "--dest", join(tmpdir(), "saccade-pypi"), "--timeout", "10", "--retries", "0", "filelock");
  return asked.status === 0 ? undefined : "PyPI is not reachable";
}

test("what is missing is named before anything is installed", (t) => {
  const python = (...args) => spawnSync("python3", args, { encoding: "utf8", env: { ...process.env, SACCADE_VENV: join(tmpdir(), "saccade-no-venv") } });
  if (python("--version").status !== 0) return t.skip("there is no python3");
  const here = fileURLToPath(import.meta.url);
  for (const [given, message] of [
    [["--data", "nothing"], /--data: nothing is no file \(a line a text: /],
    [["--data", here, "--saccade", "nothing"], /--saccade: nothing is no file \(cargo build /],
  ]) {
    const { status, stderr } = python(join(root, "examples", "corpus", "corpus.py"), ...given);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
  assert.equal(existsSync(join(tmpdir(), "saccade-no-venv")), false);
});

test("the data sets are looked for beside the checkout, as the scripts do", (t) => {
  if (spawnSync("python3", ["--version"]).status !== 0) return t.skip("there is no python3");
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "saccade-corpus-")));
  try {
    const example = join("examples", "corpus", "corpus.py");
    cpSync(join(root, example), join(folder, "checkout", example));
    const { SACCADE_DATA: _, ...env } = process.env;
    const { status, stderr } = spawnSync("python3", [join(folder, "checkout", example)], { encoding: "utf8", env });
    assert.equal(status, 2, stderr);
    assert.ok(stderr.includes(`--data: ${join(folder, "shared", "data", "imdb", "test.tsv")} is no file`), stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a corpus by Ray Data, a worker of which is killed", { timeout: 900_000 }, (t) => {
  const reason = missing();
  if (reason) return t.skip(reason);
  const folder = mkdtempSync(join(tmpdir(), "saccade-corpus-"));
  try {
    const reviews = readFileSync(join(root, "examples", "classify-node", "reviews.txt"), "utf8").trim().split("\n");
    const text = (number) => Array.from({ length: 1 + (number % 40) }, (_, i) => reviews[(number + i) % reviews.length]).join(" ");
    const rows = Array.from({ length: TEXTS }, (_, number) => `pos\t${number}\t9\t${text(number)}\n`);
    writeFileSync(join(folder, "test.tsv"), rows.join(""));
    const ran = spawnSync(
      "python3",
      [join(root, "examples", "corpus", "corpus.py"), "--data", join(folder, "test.tsv"), "--saccade", checkedSaccade, "--kill"],
      { encoding: "utf8", env: { ...process.env, SACCADE_VENV: environment } },
    );
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    const told = JSON.parse(ran.stdout.trim().split("\n").at(-1));
    assert.deepEqual([told.texts, told.workers, told.killed, told.equal], [TEXTS, 2, true, true]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
