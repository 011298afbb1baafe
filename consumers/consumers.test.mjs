/** The packed tarball, used as people use it: `README.md` says by whom. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { build, createServer } from "vite";
import webpack from "webpack";
import { findChromium } from "../scripts/chromium.mjs";
import { root, target } from "../scripts/steps.mjs";
import { launch, serve } from "../www/tests/browser.mjs";

const model = join(root, "models", "sst2-skim-lstm-small.safetensors");
const tarball = join(target, "package", "saccade-rnn-0.1.0.tgz");

function assertRead(reading) {
  assert.equal(reading.label, "positive");
  assert.deepEqual(reading.tokens.map(({ text }) => text), ["a", "quiet", ",", "generous", "film"]);
}

describe("a project with the packed package", { timeout: 300_000 }, () => {
  let folder, browser;

  before(async () => {
    assert.ok(existsSync(tarball), `${tarball} is missing: npm run package makes it`);
    folder = mkdtempSync(join(tmpdir(), "saccade-consumers-"));
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Makes the project and installs the tarball in it. */
  function project(name) {
    const place = join(folder, name);
    cpSync(join(root, "consumers", name), place, { recursive: true });
    cpSync(model, join(place, "model.safetensors"));
    writeFileSync(join(place, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
    const install = ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", tarball];
    const { status, stderr } = spawnSync("npm", install, { cwd: place, encoding: "utf8", shell: process.platform === "win32" });
    assert.equal(status, 0, stderr);
    return place;
  }

  /** What the project's page reads in a real browser, from a server of its folder or a given one. */
  async function look(place, prepare = async () => {}, server = undefined) {
    server ??= await serve(place);
    const page = await (await browser.newContext()).newPage();
    await prepare(page.context());
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    try {
      await page.goto(server.url);
      await page.waitForFunction(() => window.result, undefined, { timeout: 60_000 }).catch((error) => {
        throw new Error(`${error.message}\n${complaints.join("\n")}`);
      });
      assertRead(await page.evaluate(() => window.result));
    } finally {
      await page.context().close();
      server.close();
    }
  }

  for (const name of ["vite", "vite-worker"]) {
    test(name, async () => {
      const place = project(name);
      const options = { base: "./", build: { target: "es2022" }, worker: { format: "es" }, logLevel: "error", configFile: false };
      await build({ ...options, root: place });
      cpSync(model, join(place, "dist", "model.safetensors"));
      await look(join(place, "dist"));
    });
  }

  for (const name of ["vite", "vite-worker"]) {
    test(`${name}, while it is developed`, async () => {
      const place = project(name);
      const server = await createServer({ root: place, configFile: false, logLevel: "error", server: { port: 0, host: "127.0.0.1" } });
      await server.listen();
      const { port } = server.httpServer.address();
      await look(place, undefined, { url: `http://127.0.0.1:${port}/`, close: () => server.close() });
    });
  }

  test("webpack", async () => {
    const place = project("webpack");
    const stats = await new Promise((resolve, reject) => {
      const done = (error, stats) => (error ? reject(error) : resolve(stats));
      const output = { path: join(place, "dist"), module: true, filename: "[name].js", chunkFilename: "[id].js" };
      webpack({ context: place, entry: "./main.js", mode: "production", experiments: { outputModule: true }, output }, done);
    });
    assert.equal(stats.hasErrors(), false, stats.toString());
    await look(place);
  });

  for (const name of ["html", "policy"]) test(name, () => look(project(name)));

  test("cdn", async () => {
    const place = project("cdn");
    const types = { ".js": "text/javascript", ".wasm": "application/wasm" };
    await look(place, (context) =>
      context.route("https://cdn.example/**", (route) => {
        const path = join(place, "node_modules", new URL(route.request().url()).pathname);
        const headers = { "access-control-allow-origin": "*", "content-type": types[extname(path)] };
        return existsSync(path) ? route.fulfill({ path, headers }) : route.fulfill({ status: 404, headers });
      }),
    );
  });

  test("extension", async () => {
    const place = project("extension");
    const profile = mkdtempSync(join(tmpdir(), "saccade-profile-"));
    const args = ["--headless=new", "--no-sandbox", `--disable-extensions-except=${place}`, `--load-extension=${place}`];
    const context = await chromium.launchPersistentContext(profile, { executablePath: findChromium(), headless: false, args });
    try {
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker", { timeout: 30_000 }));
      const reading = await worker.evaluate(() => globalThis.reading);
      assertRead(reading);
      assert.match(reading.deviceReason, /^CPU, since no WebGPU adapter/);
      const page = await context.newPage();
      await page.goto(new URL("index.html", worker.url()).href);
      await page.waitForFunction(() => window.result, undefined, { timeout: 60_000 });
      assertRead(await page.evaluate(() => window.result));
    } finally {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  });

  test("node", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["main.mjs"], { cwd: project("node"), encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const { gpu, ...reading } = JSON.parse(stdout);
    assertRead(reading);
    assert.match(gpu, /navigator\.gpu/);
  });

  test("typescript", () => {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "--project", "."], { cwd: project("typescript"), encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });

  test("holds what it is to hold, and nothing else", () => {
    const place = join(project("html"), "node_modules", "saccade-rnn");
    assert.deepEqual(readdirSync(place).sort(), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist", "package.json", "pkg"]);
    const files = ["pkg", "dist"].flatMap((folder) => readdirSync(join(place, folder), { recursive: true, withFileTypes: true }));
    const kinds = new Set(files.filter((file) => file.isFile()).map(({ name }) => name.replace(/^[^.]+/, "")));
    for (const name of readdirSync(join(place, "dist"), { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
      const types = readFileSync(join(place, "dist", name), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
      assert.doesNotMatch(types, /\bany\b/, name);
    }
    assert.deepEqual([...kinds].sort(), [".d.ts", ".js", ".wasm", ".wasm.d.ts"].filter((kind) => kinds.has(kind)));
  });
});
