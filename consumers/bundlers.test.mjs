/** The packed tarball in bundlers, servers and test runners of `consumers/node_modules`: `README.md` has the list. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { root } from "../scripts/steps.mjs";
import { launch, serve } from "../www/tests/browser.mjs";
import { assertRead, complaint, look, makeProject, model, projects } from "./project.mjs";

const tools = join(import.meta.dirname, "node_modules");
const { resolve } = createRequire(import.meta.url);
const tool = (...path) => [process.execPath, join(tools, ...path)];
const esbuild = [...tool("esbuild", "bin", "esbuild"), "--bundle", "--log-level=warning"];
const rollup = [...tool("rollup", "dist", "bin", "rollup"), "--silent", "--plugin"];
const bun = resolve(`@oven/bun-${process.platform}-${process.arch}/bin/bun${process.platform === "win32" ? ".exe" : ""}`);
const vite = [process.execPath, join(root, "node_modules", "vite", "bin", "vite.js")];
const next = tool("next", "dist", "bin", "next");
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };

/** Runs a program in a folder; returns its `status` and what it printed. */
function attempt(cwd, [program, ...args], more = {}) {
  return spawnSync(program, args, { cwd, encoding: "utf8", env: { ...env, ...more } });
}

/** Runs a program in a folder, which must succeed; returns what it printed. */
function run(cwd, program, more) {
  const { status, stdout, stderr } = attempt(cwd, program, more);
  assert.equal(status, 0, `${program.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

describe("the packed package", { timeout: 900_000 }, () => {
  const project = projects();
  let browser;

  before(async () => {
    browser = await launch();
  });

  after(() => browser?.close());

  for (const name of ["page", "page-worker"]) {
    test(`${name}, by Parcel`, async () => {
      const place = project(name);
      const parcel = [...tool("parcel", "lib", "bin.js"), "build", "--no-cache", "--public-url", "./", "--dist-dir", "parcel"];
      run(place, [...parcel, "index.html"]);
      cpSync(model, join(place, "parcel", "model.safetensors"));
      await look(browser, await serve(join(place, "parcel")));
    });
  }

  const inline = {
    esbuild: [...esbuild, "main.js", "worker.js", "--format=esm", "--outdir=dist"],
    Rollup: [...rollup, "@rollup/plugin-node-resolve", "main.js", "worker.js", "--dir", "dist"],
    Bun: [bun, "build", "main.js", "worker.js", "--outdir", "dist"],
  };
  for (const [name, program] of Object.entries(inline)) {
    test(`inline, by ${name}`, async () => {
      const place = project("inline");
      rmSync(join(place, "dist"), { recursive: true, force: true });
      run(place, program);
      await look(browser, await serve(place));
    });
  }

  for (const [name, entry, line] of [
    ["page", "main.js", 'import "saccade-rnn/inline";'],
    ["page-worker", "main.ts", "useWorker(() => new Worker("],
  ]) {
    test(`${name}, by esbuild, says which line is missing`, async () => {
      const place = project(name);
      run(place, [...esbuild, entry, "--format=esm", "--outfile=esbuild/main.js"]);
      cpSync(model, join(place, "esbuild", "model.safetensors"));
      writeFileSync(join(place, "esbuild", "index.html"), '<!doctype html><script type="module" src="main.js"></script>');
      const message = await complaint(browser, await serve(join(place, "esbuild")));
      assert.ok(message.includes(line), message);
    });
  }

  const nodeResolve = '@rollup/plugin-node-resolve={exportConditions:["node"]}';
  const server = {
    "esbuild, as a module": ["main.mjs", [...esbuild, "main.js", "--platform=node", "--format=esm", "--outfile=dist/main.mjs"]],
    "esbuild, as CommonJS": ["main.cjs", [...esbuild, "main.js", "--platform=node", "--outfile=dist/main.cjs"]],
    Rollup: ["main.js", [...rollup, nodeResolve, "main.js", "--dir", "dist"]],
    Bun: ["main.js", [bun, "build", "main.js", "--target=node", "--outdir", "dist"]],
    "Vite, with noExternal": ["main.js", [...vite, "build", "--ssr", "main.js", "--outDir", "dist", "--logLevel", "error"]],
  };
  for (const [name, [file, program]] of Object.entries(server)) {
    test(`server, by ${name}, in Node without the package`, () => {
      const place = project("server");
      rmSync(join(place, "dist"), { recursive: true, force: true });
      run(place, program);
      const alone = mkdtempSync(join(place, "..", "alone-"));
      for (const part of ["dist", "package.json", "model.safetensors"]) cpSync(join(place, part), join(alone, part), { recursive: true });
      assertRead(JSON.parse(run(alone, [process.execPath, join("dist", file)])));
    });
  }

  for (const format of ["esm", "cjs"]) {
    test(`server-worker, by esbuild as ${format}, says which line is missing`, () => {
      const place = project("server-worker");
      const file = format === "esm" ? "a.mjs" : "a.cjs";
      run(place, [...esbuild, "main.js", "--platform=node", `--format=${format}`, `--outfile=${file}`]);
      const { status, stderr } = attempt(place, [process.execPath, file]);
      assert.notEqual(status, 0);
      assert.match(stderr, /ENGINE_FAILED/);
      assert.ok(stderr.includes('external: ["saccade-rnn"]'), stderr);
      run(place, [...esbuild, "main.js", "--platform=node", `--format=${format}`, `--outfile=${file}`, "--external:saccade-rnn"]);
      assertRead(JSON.parse(run(place, [process.execPath, file])));
    });
  }

  test("server, in Bun", () => {
    const place = project("server");
    assertRead(JSON.parse(run(place, [bun, "main.js"])));
  });

  test("jsdom, by Jest", () => {
    const [node, jest] = tool("jest", "bin", "jest.js");
    run(project("jsdom"), [node, "--experimental-vm-modules", jest], { MODEL: model });
  });

  test("jsdom, by Vitest", () => {
    const vitest = [...tool("vitest", "vitest.mjs"), "run", "--environment", "jsdom", "--globals", "--testTimeout", "60000"];
    run(project("jsdom"), vitest, { MODEL: model });
  });

  test("is as publint wants it", () => {
    const { stdout } = attempt(join(project("server"), "node_modules", "saccade-rnn"), [...tool("publint", "src", "cli.js"), "--strict"]);
    assert.match(stdout, /All good!/);
  });

  describe("next", () => {
    // Next must find itself and React above the project.
    const work = join(import.meta.dirname, "work.tmp");
    let place;

    before(() => {
      rmSync(work, { recursive: true, force: true });
      place = makeProject("next", work);
      mkdirSync(join(place, "public"));
      cpSync(model, join(place, "public", "model.safetensors"));
    });

    after(() => rmSync(work, { recursive: true, force: true }));

    for (const bundler of ["turbopack", "webpack"]) {
      test(`by ${bundler}: in a route, in a component of the server, in the page`, async () => {
        rmSync(join(place, ".next"), { recursive: true, force: true });
        run(place, [...next, "build", `--${bundler}`]);
        const served = await start(place);
        try {
          assertRead(await (await fetch(`${served.url}read`)).json());
          const inWorker = await fetch(`${served.url}worker`);
          if (bundler === "turbopack") assertRead(await inWorker.json());
          // webpack makes an address of the thread's script.
          else await served.prints(/leave the package out of the bundle: .*serverExternalPackages/);
          assert.match(await (await fetch(served.url)).text(), /<p id="server">positive</);
          await look(browser, served);
        } finally {
          served.close();
        }
      });
    }

    /** Starts what was built; resolves to `{ url, prints, close }`. */
    async function start(place) {
      const [node, ...args] = next;
      const child = spawn(node, [...args, "start", "--port", "0"], { cwd: place, env });
      let printed = "";
      const url = await new Promise((resolve, reject) => {
        const hear = (chunk) => {
          printed += chunk;
          const local = /Local:\s+(http:\S+)[\s\S]*Ready/.exec(printed);
          if (local) resolve(`${local[1]}/`);
        };
        child.stdout.on("data", hear);
        child.stderr.on("data", hear);
        child.on("close", () => reject(new Error(printed)));
      });
      /** Waits for what the server is to print. */
      async function prints(pattern) {
        for (let turns = 1000; turns > 0 && !pattern.test(printed); turns -= 1) await setTimeout(100);
        assert.match(printed, pattern);
      }
      return { url, prints, close: () => child.kill() };
    }
  });
});
