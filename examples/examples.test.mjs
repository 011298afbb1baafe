/** Each example, built or run, and what it shows; the pages in a real browser. Wants the package: `npm run package`. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { build } from "vite";
import { linkPackage, settings } from "../scripts/example.mjs";
import { root } from "../scripts/steps.mjs";
import { launch, newPage, serve } from "../www/tests/browser.mjs";

const here = import.meta.dirname;

describe("an example", { timeout: 600_000 }, () => {
  let folder, browser;

  before(async () => {
    assert.ok(existsSync(join(root, "js", "dist", "index.js")), "js/dist is missing: npm run package makes it");
    linkPackage();
    folder = mkdtempSync(join(tmpdir(), "saccade-examples-"));
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Builds an example, opens its page and has `use` look at it, which may also close the server. */
  async function look(name, use) {
    const common = settings(name);
    const outDir = join(folder, name);
    await build({ ...common, build: { ...common.build, outDir }, logLevel: "error" });
    const server = await serve(outDir);
    const page = await newPage(browser);
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    try {
      await page.goto(server.url);
      await use(page, server);
      assert.deepEqual(complaints, []);
    } finally {
      await page.close();
      server.close();
    }
  }

  /** The text of an element, once it fits. */
  async function shown(page, selector, pattern) {
    const found = page.locator(selector).filter({ hasText: pattern });
    await found.waitFor();
    return found.innerText();
  }

  test("sentiment-as-you-type", () =>
    look("sentiment-as-you-type", async (page) => {
      await shown(page, "#verdict", /^positive, [\d.]+ % sure; [\d.]+ % skimmed, 1\d steps computed$/);
      const classes = await page.locator("#reading span").evaluateAll((spans) => spans.map(({ className }) => className));
      assert.deepEqual([...new Set(classes)].sort(), ["read", "skim"]);
      const text = "Dull 🎬, loud and far too long";
      await page.fill("#text", text);
      await shown(page, "#verdict", /^negative/);
      assert.equal(await page.locator("#reading").textContent(), text);
      // The state of all words before is kept.
      await page.locator("#text").press("End");
      await page.keyboard.type(".");
      await shown(page, "#verdict", /, [1-3] steps computed$/);
    }));

  test("pytorch-lstm", () =>
    look("pytorch-lstm", async (page) => {
      const difference = await shown(page, "#difference", /over 96 steps: \d/);
      assert.ok(Number(difference.match(/[\d.e-]+$/)[0]) < 1e-5, difference);
      const own = (await page.locator("#own").getAttribute("points")).split(" ").map((point) => Number(point.split(",")[1]));
      // From the last point of the wave on.
      assert.equal(own.length, 97);
      // A network that has learned the wave goes on swinging.
      assert.ok(Math.max(...own) > 0.2 && Math.min(...own) < -0.2, `${own}`);
    }));

  test("service-worker", () =>
    look("service-worker", async (page, server) => {
      await shown(page, "output", /^Ready/);
      // As Shift and Reload do: past the service worker, which is there already.
      const chromium = await page.context().newCDPSession(page);
      const loaded = page.waitForEvent("load");
      await chromium.send("Page.reload", { ignoreCache: true });
      await loaded;
      await shown(page, "output", /^Ready/);
      // Nothing answers at the address from here on.
      server.close();
      await page.context().setOffline(true);
      await page.reload();
      await shown(page, "output", /^Ready/);
      await page.click("button");
      await shown(page, "output", /^positive$/);
      await page.fill("#text", "The jokes are old and the pace is slow.");
      await page.click("button");
      await shown(page, "output", /^negative$/);
    }));

  test("classify-node", () => {
    const reviews = join(here, "classify-node", "reviews.txt");
    const program = join(here, "classify-node", "classify.mjs");
    const fromFile = spawnSync(process.execPath, [program, reviews], { encoding: "utf8" });
    assert.equal(fromFile.status, 0, fromFile.stderr);
    const rows = fromFile.stdout.trimEnd().split("\n").map((row) => row.split("\t"));
    const texts = readFileSync(reviews, "utf8").trimEnd().split("\n");
    assert.deepEqual(rows.map(([, , text]) => text), texts);
    assert.deepEqual(rows.map(([label]) => label), ["positive", "negative", "negative", "positive", "positive"]);
    assert.ok(rows.every(([, probability]) => Number(probability) >= 0.5 && Number(probability) <= 1));
    const input = readFileSync(reviews, "utf8").replaceAll("\n", "\r\n\r\n");
    const fromInput = spawnSync(process.execPath, [program], { input, encoding: "utf8" });
    assert.equal(fromInput.stdout, fromFile.stdout);
    assert.match(fromInput.stderr, /^5 texts/);
  });

  test("classify-node on all cores, by the lines of shell in it, as often as one likes", (t) => {
    if (spawnSync("split", ["--version"]).status !== 0) return t.skip("there is no GNU split");
    const program = join(here, "classify-node", "classify.mjs");
    const lines = readFileSync(program, "utf8").match(/(?<=^ \*     )(split|ls|cat) .*$/gm);
    assert.equal(lines?.length, 3);
    const script = lines.join("\n").replaceAll("classify.mjs", program).replaceAll("$(nproc)", "2");
    const cwd = mkdtempSync(join(folder, "many-"));
    cpSync(join(here, "classify-node", "reviews.txt"), join(cwd, "reviews.txt"));
    const ran = [1, 2].map(() => {
      const { status, stderr } = spawnSync("sh", ["-e", "-c", script], { cwd, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      return readFileSync(join(cwd, "reviews.tsv"), "utf8");
    });
    assert.equal(ran[0].split("\n").length, 6);
    assert.equal(ran[1], ran[0]);
  });
});
