/** What the tests of the platforms found, a file each in `target/platforms`. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { target } from "../scripts/steps.mjs";

const folder = join(target, "platforms");

/**
 * The tests of a platform: `step` is `test`, and once all of them have passed, what they put into `found` is kept. What was
 * found before goes when they begin.
 */
export function platform(name, found) {
  const file = join(folder, `${name}.json`);
  let left = 0;
  let begun = false;
  after(() => {
    if (left > 0) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify(found));
  });
  return function step(name, body) {
    left += 1;
    test(name, async (t) => {
      if (!begun) rmSync(file, { force: true });
      begun = true;
      await body(t);
      left -= 1;
    });
  };
}

/** What the last tests found, by the platforms' names. */
export function recorded() {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return Object.fromEntries(names.map((file) => [file.slice(0, -5), JSON.parse(readFileSync(join(folder, file), "utf8"))]));
}
