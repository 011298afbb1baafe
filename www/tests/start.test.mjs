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
const { Engines, folders, servedEngines } = await import("../../scripts/engine.mjs");
const { launch, openPage } = await import("./browser.mjs");

describe("npm start", { timeout: 600_000 }, () => {
  let server, browser;

  after(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("shows a page that reads, though graphs, taggers and training are not built yet", async () => {
    mkdirSync(folders.engine);
    const files = ["saccade_rnn.js", "saccade_rnn_bg.wasm", "saccade_rnn_relaxed_bg.wasm"];
    for (const file of files) cpSync(join(root, "js", "pkg", file), join(folders.engine, file));
    // The others never end.
    const build = (name) => (name === "engine" ? { ok: true, new: false, output: "" } : new Promise(() => undefined));
    const engines = new Engines(build, () => undefined);
    await engines.update();
    const options = { configFile: join(root, "vite.config.ts"), plugins: [servedEngines(engines)], logLevel: "error", cacheDir: join(folder, "vite") };
    server = await createServer({ ...options, server: { port: 0, host: "127.0.0.1" } });
    await server.listen();
    browser = await launch();
    const { page, complaints } = await openPage(browser);
    const fetched = new Map();
    page.on("response", (response) => fetched.set(new URL(response.url()).pathname.split("/").at(-1), response.status()));
    await page.goto(server.resolvedUrls.local[0]);
    await page.locator('[data-stage="ready"]').waitFor();
    await page.waitForFunction(() => window.saccade?.settled());
    const binaries = [...fetched].filter(([file]) => file.endsWith(".wasm"));
    assert.deepEqual(binaries, [["saccade_rnn_relaxed_bg.wasm", 200]]);
    // What is missing is neither fetched nor complained of.
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});
