/** The main tests of package and page, in every browser that is there. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { suite } from "../js/tests/suite.mjs";
import { root, target } from "../scripts/steps.mjs";
import { serve } from "../www/tests/browser.mjs";
import { browsers } from "./browsers.mjs";
import { start } from "./driver.mjs";
import { platform } from "./record.mjs";
import { chapters } from "./walk.mjs";

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const sizes = { wide: [1440, 900], phone: [390, 844] };

const fixtures = "crate/tests/fixtures/";
const folders = readdirSync(join(root, fixtures), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const FOLDERS = Object.fromEntries(folders.map(({ name }) => [`${fixtures}${name}/`, readdirSync(join(root, fixtures, name))]));
/** A page in which the tests of both threads run: the same files as in Node, with its runner and assertions in small. */
const suitePage = (THREAD) => {
  const imports = { "node:assert/strict": "./js/tests/browser/assert.mjs", "node:test": "./js/tests/browser/test.mjs" };
  const globals = JSON.stringify({ THREAD, FOLDERS });
  return `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script><script>Object.assign(globalThis, ${globals})</script>`;
};
const pages = { "main.html": suitePage("main"), "worker.html": suitePage("worker"), "blank.html": "<!doctype html>" };

for (const [name, { find, packages }] of Object.entries(browsers)) {
  const path = find();
  if (!path) {
    test(name, { skip: `it is not installed (Debian: apt-get install ${packages.join(" ")})` }, () => {});
    continue;
  }

  describe(name, { timeout: 3_600_000 }, () => {
    const found = { kind: "browser", missing: [] };
    const step = platform(name, found);
    let browser, page, repository, built;
    before(async () => {
      [browser, repository, built] = await Promise.all([start(name, path), serve(root, pages), serve()]);
      page = browser.page;
      found.version = browser.version;
    });
    after(async () => {
      await browser?.close();
      repository?.close();
      built?.close();
    });

    step("what it has computes, in both threads alike; what it lacks is said", async () => {
      await page.open(`${repository.url}blank.html`);
      const [here, there] = await page.evaluate(async (path) => {
        const looks = ["index", "worker"].map(async (entry) => {
          const { devices, load } = await import(new URL(`js/dist/${entry}.js`, location.href).href);
          // The answer is to be the GPU's: nothing is made ready before it is asked.
          const model = await load(path, { device: "webgpu", warmUp: false });
          const { scores, tokens, deviceReason, timing } = await model.read("A quiet, generous film.");
          const [first] = await model.readAll(["A quiet, generous film."], { device: "cpu" });
          return { devices: await devices(), scores, tokens: tokens.length, deviceReason, device: timing.device, cpu: first.scores };
        });
        return Promise.all(looks);
      }, SMALL);
      const has = await page.evaluate(async () => ({
        gpu: Boolean(await navigator.gpu?.requestAdapter()),
        privateFiles: Boolean(navigator.storage?.getDirectory),
      }));
      for (const { devices, scores, tokens, deviceReason, device, cpu } of [here, there]) {
        assert.equal(tokens, 6);
        assert.equal(devices.webgpu.usable, has.gpu);
        assert.equal(device, has.gpu ? "webgpu" : "cpu");
        assert.match(deviceReason, has.gpu ? /^WebGPU, as asked/ : /^CPU, since /);
        scores.forEach(({ probability }, i) => assert.ok(Math.abs(probability - cpu[i].probability) <= 1e-4));
      }
      assert.deepEqual(there.cpu, here.cpu);
      Object.assign(found, here.devices);
      if (!has.privateFiles) found.missing.push("OPFS");
    });

    step("every kernel agrees with its CPU twin", async (t) => {
      if (!found.webgpu?.usable) return t.skip(`no WebGPU: ${found.webgpu?.reason}`);
      if (name === "Chromium") return t.skip("all cases are a check of their own: GPU kernels, in Chromium");
      const folder = join(target, "checks");
      assert.ok(existsSync(join(folder, "saccade_checks.js")), "cargo xtask checks makes them");
      const server = await serve(folder, { "index.html": "<!doctype html>" });
      try {
        await page.open(server.url);
        const report = await page.evaluate(async () => {
          const checks = await import(new URL("saccade_checks.js", location.href).href);
          await checks.default();
          const { adapter, kernels, cases, wrong } = await checks.check(() => {}, true);
          return { adapter, kernels, cases, wrong: [...wrong] };
        });
        assert.ok(report.kernels > 100 && report.cases > 100, `${report.kernels} kernels, ${report.cases} cases`);
        assert.deepEqual(report.wrong, []);
        found.kernels = report.kernels;
      } finally {
        server.close();
      }
    });

    for (const thread of ["main", "worker"]) {
      for (const file of suite) {
        step(`${file}, ${thread}`, async (t) => {
          await page.open(`${repository.url}${thread}.html`);
          const results = await page.evaluate(async (file) => {
            const at = (path) => import(new URL(`js/tests/${path}`, location.href).href);
            await at(`${file}.test.mjs`);
            return (await at("browser/test.mjs")).run();
          }, file);
          assert.ok(results.length > 0, "there was no test");
          for (const { name, failure } of results) {
            await t.test(name, () => {
              if (failure) throw new Error(failure);
            });
          }
        });
      }
    }

    for (const [chapter, { hash, stands, walk }] of Object.entries(chapters)) {
      step(`the chapter ${chapter}, by keyboard`, async () => {
        await page.resize(...sizes.wide);
        await page.open(built.url + hash);
        await page.until((stands) => document.querySelector('[data-stage="ready"]') && document.querySelector(stands), stands);
        await walk(page);
        assert.deepEqual(await page.complaints(), []);
        for (const [size, [width, height]] of Object.entries(sizes)) {
          await page.resize(width, height);
          await page.until(() => document.documentElement.scrollWidth <= innerWidth);
          await page.evaluate(() => scrollTo(0, 0));
          const folder = join(root, "screenshots", "platforms");
          mkdirSync(folder, { recursive: true });
          await page.screenshot(join(folder, `${name}-${chapter}-${size}.png`));
        }
      });
    }

    step("after a first visit the page opens and reads without a network", async () => {
      await page.open(built.url);
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
      await page.until(() => navigator.serviceWorker.controller !== null);
      built.unreachable(true);
      try {
        await page.open(`${built.url}#read`);
        await page.until(() => document.querySelector("#threshold:enabled") !== null);
        await page.evaluate(() => document.querySelector("#text").focus());
        await page.press("Control+A");
        await page.type("Read without a network.");
        await page.until(() => document.querySelector(".text")?.textContent === "Read without a network.");
      } finally {
        built.unreachable(false);
      }
    });
  });
}
