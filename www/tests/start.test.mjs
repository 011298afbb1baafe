/** The page as `npm start` serves it, while only the first of its engines is built. */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createServer } from "vite";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "saccade-start-")));
// Where the engines are built is settled when the scripts are imported.
process.env.CARGO_TARGET_DIR = folder;
const { root } = await import("../../scripts/steps.mjs");
const { Binaries, folders, servedEngine } = await import("../../scripts/engine.mjs");
const { launch, openPage } = await import("./browser.mjs");

describe("npm start", { timeout: 600_000 }, () => {
  let server, browser;

  after(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("shows a page that reads, though graphs, taggers and training are not built yet", async () => {
    mkdirSync(folders.simd);
    for (const name of ["saccade_rnn.js", "saccade_rnn_bg.wasm"]) cpSync(join(root, "js", "pkg", name), join(folders.simd, name));
    // The others never end.
    const build = (variant) => (variant === "simd" ? { ok: true, new: false, output: "" } : new Promise(() => undefined));
    const binaries = new Binaries(build, () => undefined);
    await binaries.update();
    const options = { configFile: join(root, "vite.config.ts"), plugins: [servedEngine(binaries)], logLevel: "error", cacheDir: join(folder, "vite") };
    server = await createServer({ ...options, server: { port: 0, host: "127.0.0.1" } });
    await server.listen();
    browser = await launch();
    const { page, complaints } = await openPage(browser);
    const fetched = new Map();
    page.on("response", (response) => fetched.set(new URL(response.url()).pathname.split("/").at(-1), response.status()));
    await page.goto(server.resolvedUrls.local[0]);
    await page.locator('[data-stage="ready"]').waitFor();
    await page.waitForFunction(() => window.saccade?.settled());
    assert.equal(fetched.get("saccade_rnn_bg.wasm"), 200);
    // What is missing is neither fetched nor complained of, but for the faster engine, without which the page does.
    const others = complaints.filter((complaint) => !/404/.test(complaint));
    assert.deepEqual(others, []);
    await page.context().close();
  });
});
