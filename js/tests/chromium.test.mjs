/** The tests of both threads in Chromium: the same files as in Node, with its test runner and assertions in small. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { inChromium, open, page, renew } from "./blank.mjs";
import { suite } from "./suite.mjs";

const imports = { "node:assert/strict": "./js/tests/browser/assert.mjs", "node:test": "./js/tests/browser/test.mjs" };
const body = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>`;

const fixtures = "crate/tests/fixtures/";
const folders = readdirSync(join(root, fixtures), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const FOLDERS = Object.fromEntries(folders.map(({ name }) => [`${fixtures}${name}/`, readdirSync(join(root, fixtures, name))]));

describe("in a page", { timeout: 600_000 }, () => {
  inChromium();

  for (const THREAD of ["main", "worker"]) {
    for (const name of suite) {
      test(`${name}, ${THREAD}`, async (t) => {
        await renew();
        await page.addInitScript((globals) => Object.assign(globalThis, globals), { THREAD, FOLDERS });
        await open({ body });
        const results = await page.evaluate(async (name) => {
          const at = (path) => import(new URL(`js/tests/${path}`, location.href).href);
          await at(`${name}.test.mjs`);
          return (await at("browser/test.mjs")).run();
        }, name);
        if (results.length === 0) throw new Error("there was no test");
        for (const { name, failure } of results) {
          await t.test(name, () => {
            if (failure) throw new Error(failure);
          });
        }
      });
    }
  }
});
