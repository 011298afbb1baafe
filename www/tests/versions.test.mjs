/** The page without a network, and after another version of it has been put in its place. */

import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { choose, eventually, launch, newPage, serve } from "./browser.mjs";

const SMALL = "sst2-skim-lstm-small.safetensors";
const QUESTIONS = "trec-skim-lstm.safetensors";

describe("versions of the page", { timeout: 600_000 }, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "saccade-versions-")));
  let server, browser, context;

  before(async () => {
    const isShown = (path) => !path.endsWith(".safetensors") || [SMALL, QUESTIONS].some((name) => path.endsWith(name));
    cpSync(join(root, "www", "dist"), folder, { recursive: true, filter: isShown });
    // As hosts do who do not know better.
    server = await serve(folder, {}, { "cache-control": "max-age=600" });
    browser = await launch();
    context = await browser.newContext({ reducedMotion: "reduce" });
  });

  after(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Another version: every script and binary has another name, and the model of questions is another one. */
  function deploy() {
    const assets = join(folder, "assets");
    const named = readdirSync(assets).filter((name) => [".js", ".wasm"].includes(extname(name)));
    const scripts = named.filter((name) => extname(name) === ".js").map((name) => join(assets, name));
    for (const path of [join(folder, "index.html"), join(folder, "sw.js"), ...scripts]) {
      const text = named.reduce((text, name) => text.replaceAll(name, `2${name}`), readFileSync(path, "utf8"));
      writeFileSync(path, text.replace(/const VERSION = "\w+"/, 'const VERSION = "2"').replace(new RegExp(`("models/${QUESTIONS}":)"\\w+"`), '$1"2"'));
    }
    for (const name of named) renameSync(join(assets, name), join(assets, `2${name}`));
    copyFileSync(join(folder, "models", SMALL), join(folder, "models", QUESTIONS));
  }

  async function opened() {
    const page = await newPage(context);
    await page.goto(server.url);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    return page;
  }

  async function labelsOfQuestions(page) {
    await page.locator('[data-stage="ready"]').waitFor();
    await choose(page.getByRole("radio", { name: "Questions" }));
    await page.waitForFunction(() => window.saccade?.settled());
    return page.evaluate(async () => (await window.saccade.read("a dull film")).scores.map(({ label }) => label));
  }

  const kept = (page) =>
    page.evaluate(async () => {
      const names = (await caches.keys()).filter((name) => name.startsWith("saccade-page "));
      const models = await caches.open(names.find((name) => name.endsWith(" models")));
      return { versions: names.length - 1, models: (await models.keys()).length };
    });
  const binaries = (page) =>
    page.evaluate(async () => {
      const shell = await caches.open((await caches.keys()).find((name) => name.startsWith("saccade-page ") && !name.endsWith(" models")));
      return (await shell.keys()).map(({ url }) => url).join(" ");
    });
  const schedule = (page) => page.locator(`[data-figure="schedule"]`).waitFor();

  test("chapters that were opened once compute without a network", async () => {
    const page = await opened();
    await page.goto(`${server.url}#batch`);
    await schedule(page);
    // Not by what the browser itself has kept.
    await eventually(async () => assert.match(await binaries(page), /saccade_graph_relaxed_bg/));
    server.unreachable(true);
    try {
      await page.reload();
      await schedule(page);
      assert.deepEqual(await page.locator("main .failed").allInnerTexts(), []);
    } finally {
      server.unreachable(false);
      await page.close();
    }
  });

  test("a version comes whole once the one before is closed, with the models that were made anew", async () => {
    const page = await opened();
    assert.equal((await labelsOfQuestions(page)).length, 6);
    deploy();
    const other = await opened();
    await eventually(async () => assert.ok(await other.evaluate(async () => (await navigator.serviceWorker.getRegistration()).waiting !== null)));
    // What is open goes on with its own parts.
    await page.getByRole("link", { name: "Train", exact: true }).first().click();
    await page.locator('[data-chapter="train"]').waitFor();
    assert.deepEqual(await page.locator("main .failed").allInnerTexts(), []);
    await page.close();
    await other.close();
    let next;
    await eventually(async () => {
      await next?.close();
      next = await opened();
      assert.match(await next.evaluate(() => [...document.scripts].map(({ src }) => src).join(" ")), /assets\/2index/);
    });
    assert.deepEqual(await labelsOfQuestions(next), ["negative", "positive"]);
    assert.deepEqual(await kept(next), { versions: 1, models: 1 });
    await next.close();
  });
});
