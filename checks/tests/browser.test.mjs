/** Every kernel in Chromium: each variant compiles there, and each case agrees with the CPU twin in wasm. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { target } from "../../scripts/steps.mjs";
import { launch, newPage, serve } from "../../www/tests/browser.mjs";

let server;
let browser;
before(async () => {
  const folder = join(target, "checks");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>checks</title>");
  server = await serve(folder);
  browser = await launch({ gpu: true });
});
after(async () => {
  await browser?.close();
  server?.close();
});

test("every kernel agrees with its CPU twin in Chromium", { timeout: 3_600_000 }, async () => {
  const page = await newPage(browser);
  const messages = [];
  page.on("console", (message) => messages.push(message.text()));
  await page.goto(server.url);
  const report = await page.evaluate(async () => {
    const checks = await import(new URL("saccade_checks.js", location.href).href);
    await checks.default();
    const { adapter, kernels, cases, wrong } = await checks.check(() => {}, false);
    return { adapter, kernels, cases, wrong: [...wrong] };
  });
  console.log(`${report.kernels} kernels compiled and ${report.cases} cases run on ${report.adapter}`);
  assert.ok(report.kernels > 0 && report.cases > 0, "there are kernels and cases");
  assert.deepEqual(report.wrong, [], messages.join("\n"));
});
