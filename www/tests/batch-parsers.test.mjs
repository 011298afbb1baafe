/** The parser in the chapter Batch, in Chromium: trees that it grows, and sixteen of it at once. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { launch, openPage, serve } from "./browser.mjs";

let server, browser;
before(async () => {
  server = await serve();
  browser = await launch();
});
after(async () => {
  await browser.close();
  server.close();
});

async function open(hash = "#batch/parsers", options = {}, before = async () => {}) {
  const { page, complaints } = await openPage(browser, options);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await before(page);
  await page.goto(`${server.url}${hash}`);
  await page.locator('[data-figure="schedule"]').waitFor();
  const figure = page.locator('[data-figure="parsers"]');
  const run = async () => {
    await figure.getByRole("button", { name: "Parse 16 sentences at once" }).click();
    await page.locator('[data-figure="parsers"][data-stage="parsed"]').waitFor();
  };
  return { page, complaints, figure, run, asked };
}
const grown = (page) => page.getByRole("checkbox", { name: "Trees grown by our parser, whatever the brackets" });
const refused = (page) => page.route("**/ewt-parser.safetensors", (route) => route.fulfill({ status: 503 }));

describe("the parser", { timeout: 600_000 }, () => {
  test("grows the trees of what is written when somebody asks, and is not fetched before", async () => {
    const { page, complaints, asked } = await open("#batch");
    assert.ok(!asked.some((url) => /ewt-parser|structure_bg/.test(url)));
    const text = page.getByLabel("Your sentences, one a line");
    await text.fill("the old man sleeps");
    await grown(page).check();
    await page.locator('[data-trees="parser"]').waitFor();
    assert.ok(asked.some((url) => /structure_bg/.test(url)));
    // As the parser has it the words are joined by their heads, and not from the left.
    await page.waitForFunction(() => [...document.querySelectorAll('[data-figure="schedule"] text.word')].length === 4);
    await text.fill("(the film is good\nshe saw him");
    await page.locator('[data-trees="parser"]').waitFor();
    assert.equal(await page.getByText("a bracket is not closed").count(), 0);
    await grown(page).uncheck();
    await page.getByText("Line 1: a bracket is not closed.").waitFor();
    await page.locator('[data-trees="brackets"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("that does not come leaves the trees as they were, and comes when it can", async () => {
    const { page, figure, run } = await open("#batch", {}, refused);
    await grown(page).click();
    await page.getByText("The parser did not come, so brackets hold").waitFor();
    assert.equal(await grown(page).isChecked(), false);
    assert.equal(await page.locator('[data-figure="schedule"]').getAttribute("data-launches"), "19");
    await figure.getByRole("button", { name: "Parse 16 sentences at once" }).click();
    await figure.getByRole("alert").waitFor();
    await page.unroute("**/ewt-parser.safetensors");
    await run();
    assert.equal(await figure.getByRole("alert").count(), 0);
  });

  test("parses sixteen sentences at once, which stop at the same await; all is gone through by keyboard", async () => {
    const { page, complaints, figure, run } = await open();
    await run();
    const awaits = Number(await figure.locator(".awaits").getAttribute("data-awaits"));
    assert.ok(awaits > 20);
    const said = figure.locator("[data-said]");
    assert.match(await said.innerText(), new RegExp(`^Await 1 of ${awaits} joins 16 parsers`));
    await figure.getByRole("slider", { name: "Await" }).focus();
    await page.keyboard.press("End");
    assert.match(await said.innerText(), new RegExp(`^Await ${awaits} of ${awaits} joins 1 parser:.* 15 are done\\.$`));
    assert.match(await figure.locator("[data-one] i").innerText(), /^(shifts “.+”|draws a (left|right) arc: “.*” is the head of “.+”)/);
    await figure.getByRole("slider", { name: "Sentence" }).focus();
    await page.keyboard.press("Home");
    assert.match(await figure.locator("[data-one]").innerText(), /^Birds sing \. is done$/);
    await figure.locator("svg").first().hover({ position: { x: 300, y: 30 } });
    assert.match(await figure.locator("[data-one]").innerText(), /^The film is very good/);
    assert.deepEqual(complaints, []);
  });

  test("what one sentence does is read aloud once it has stayed, and not what is passed on the way there", async () => {
    const { page, complaints, figure, run } = await open();
    await run();
    const one = figure.locator("[data-one]");
    const spoken = figure.locator('[data-one] + [data-spoken][role="status"][aria-live="polite"]');
    assert.equal(await spoken.textContent(), "");
    const sentence = figure.getByRole("slider", { name: "Sentence" });
    await sentence.focus();
    const passed = await spoken.evaluate(async (spoken) => {
      globalThis.heard = [];
      new MutationObserver(() => globalThis.heard.push(spoken.textContent)).observe(spoken, { childList: true, characterData: true, subtree: true });
      const passed = [];
      for (const value of [3, 2, 1, 0]) {
        document.activeElement.value = value;
        document.activeElement.dispatchEvent(new Event("input", { bubbles: true }));
        // The page draws it; no time passes.
        for (let turn = 0; turn < 100; turn++) await null;
        passed.push(spoken.previousElementSibling.innerText.trim());
      }
      return passed;
    });
    assert.equal(new Set(passed).size, 4);
    assert.equal((await one.innerText()).trim(), passed.at(-1));
    await spoken.getByText("Birds sing .").waitFor({ state: "attached" });
    assert.equal(await spoken.textContent(), passed.at(-1));
    assert.deepEqual(await page.evaluate(() => globalThis.heard), passed.slice(-1));
    await figure.getByRole("slider", { name: "Await" }).focus();
    await page.keyboard.press("End");
    await spoken.getByText("Birds sing . is done", { exact: true }).waitFor({ state: "attached" });
    assert.deepEqual(complaints, []);
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`has nothing that axe finds serious, ${colorScheme}`, async () => {
      const { page, run } = await open("#batch/parsers", { colorScheme });
      await run();
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
      const { violations } = await page.evaluate(() => globalThis.axe.run(document));
      assert.deepEqual(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
    });
  }

  test("fits a phone", async () => {
    for (const width of [320, 390]) {
      const { page, run } = await open("#batch/parsers", { viewport: { width, height: 640 } });
      await run();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), String(width));
      await page.context().close();
    }
  });
});
