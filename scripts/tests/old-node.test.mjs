/** An old Node must get as far as being told that it is old: a name that it lacks ends it before. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { root } from "../steps.mjs";

/** Of Node's modules, what Node 16 has and the scripts import by name. */
const names = {
  "node:child_process": ["spawn", "spawnSync"],
  "node:crypto": ["createHash"],
  "node:fs": [
    "cpSync", "createReadStream", "existsSync", "lstatSync", "mkdirSync", "readFileSync", "readdirSync", "rmSync", "statSync", "symlinkSync", "writeFileSync",
  ],
  "node:os": ["constants", "setPriority"],
  "node:path": ["delimiter", "dirname", "join", "relative", "resolve", "sep"],
  "node:url": ["fileURLToPath"],
  "node:zlib": ["gzipSync"],
};

/** What a script and those that it imports import by name, as `module name`. */
function imported(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = readFileSync(file, "utf8").matchAll(/^import (?:\{([^}]*)\}|[^"{}]*) from "([^"]+)";/gm);
  return [...imports].flatMap(([, list = "", from]) =>
    from.startsWith(".")
      ? imported(join(dirname(file), from), seen)
      : list.split(",").filter((name) => name.trim()).map((name) => `${from} ${name.trim().split(" ")[0]}`),
  );
}

const old = new Set(Object.entries(names).flatMap(([from, list]) => list.map((name) => `${from} ${name}`)));
const entries = ["test", "start", "package", "example", "shares", "with-engine"].map((name) => `scripts/${name}.mjs`);

for (const entry of [...entries, "bench/run.mjs"]) {
  test(`${entry} begins in Node 16`, () => {
    const found = imported(join(root, entry));
    assert.ok(found.length > 10, `${found}`);
    assert.deepEqual(found.filter((name) => !old.has(name)), []);
  });
}
