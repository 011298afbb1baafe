/** The packed tarball, used as people use it: `README.md` says by whom. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { build, createServer } from "vite";
import webpack from "webpack";
import { findChromium } from "../scripts/chromium.mjs";
import { root } from "../scripts/steps.mjs";
import { launch, PATIENCE_MS, serve } from "../www/tests/browser.mjs";
import { assertRead, look, projects } from "./project.mjs";

describe("a project with the packed package", { timeout: 600_000 }, () => {
  const project = projects();
  let browser;

  before(async () => {
    browser = await launch();
  });

  after(() => browser?.close());

  for (const name of ["page", "page-worker", "graph", "structure"]) {
    test(`${name}, by Vite`, async () => {
      const place = project(name);
      const options = { base: "./", build: { target: "es2022" }, logLevel: "error", configFile: false };
      await build({ ...options, root: place });
      for (const file of ["model.safetensors", "tagger.safetensors"]) cpSync(join(place, file), join(place, "dist", file));
      await look(browser, await serve(join(place, "dist")));
    });
  }

  for (const name of ["page", "page-worker", "graph", "structure"]) {
    test(`${name}, by Vite while it is developed`, async () => {
      const place = project(name);
      const server = await createServer({ root: place, configFile: false, logLevel: "error", server: { port: 0, host: "127.0.0.1" } });
      await server.listen();
      const { port } = server.httpServer.address();
      await look(browser, { url: `http://127.0.0.1:${port}/`, close: () => server.close() });
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
    await look(browser, await serve(place));
  });

  for (const name of ["html", "policy"]) test(name, async () => look(browser, await serve(project(name))));

  test("cdn", async () => {
    const place = project("cdn");
    const types = { ".js": "text/javascript", ".wasm": "application/wasm" };
    await look(browser, await serve(place), (context) =>
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
    context.setDefaultTimeout(PATIENCE_MS);
    try {
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
      const reading = await worker.evaluate(() => globalThis.reading);
      assertRead(reading);
      assert.match(reading.deviceReason, /^CPU, since no WebGPU adapter/);
      const page = await context.newPage();
      await page.goto(new URL("index.html", worker.url()).href);
      await page.waitForFunction(() => window.result);
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

  /** Compiles a project of TypeScript. */
  function compile(...options) {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "--project", ".", ...options], { cwd: project("typescript"), encoding: "utf8" });
    assert.equal(status, 0, stdout);
  }

  for (const [resolution, module] of [["bundler", "esnext"], ["nodenext", "nodenext"], ["node16", "node16"], ["node10", "esnext"]]) {
    test(`typescript, by the module resolution ${resolution}`, () => compile("--module", module, "--moduleResolution", resolution, "--ignoreDeprecations", "6.0"));
  }

  for (const options of [["--lib", "ES2023,DOM"], ["--lib", "ES2023", "--skipLibCheck", "true"]]) {
    test(`typescript, with Node's types and ${options.join(" ")}`, () => {
      compile("--module", "nodenext", "--types", "node", "--typeRoots", join(root, "node_modules", "@types"), ...options);
    });
  }

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
