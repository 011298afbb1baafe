/** The chapter Batch in Chromium: schedules of what a visitor writes, from the engine in the page. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { choose, eventually, launch, openPage, pressedAsSoon, serve } from "./browser.mjs";

let server, browser;
before(async () => {
  server = await serve();
  browser = await launch();
});
after(async () => {
  await browser.close();
  server.close();
});

async function open(hash = "#batch", options = {}) {
  const { page, complaints } = await openPage(browser, options);
  await page.goto(`${server.url}${hash}`);
  const figure = page.locator('[data-figure="schedule"]');
  await figure.waitFor();
  return { page, complaints, figure, launches: async () => Number(await figure.getAttribute("data-launches")) };
}

describe("schedules", { timeout: 1_800_000 }, () => {
  test("are six, of which Levels meets the bound without a cell wasted; what is written has its own, and mistakes are said by their line", async () => {
    const { page, complaints, figure, launches } = await open();
    const bound = Number(await figure.getAttribute("data-bound"));
    assert.equal(await launches(), bound);
    const counts = {};
    for (const name of ["unbatched", "depth", "agenda", "padded", "buckets", "levels"]) {
      await page.locator(`input[value="${name}"]`).focus();
      await page.keyboard.press("Space");
      await page.locator(`input[value="${name}"]:checked`).waitFor({ state: "attached" });
      counts[name] = [await launches(), Number(await figure.getAttribute("data-wasted"))];
      assert.equal(await figure.locator("path.crossed").count(), counts[name][1] + (counts[name][1] > 0 ? 1 : 0));
    }
    const { padded, buckets, ...schedules } = counts;
    assert.deepEqual(schedules, { unbatched: [129, 0], depth: [35, 0], agenda: [27, 0], levels: [19, 0] });
    assert.equal(padded[0], bound);
    assert.ok(buckets[0] > bound && padded[1] > buckets[1] && buckets[1] > 0, JSON.stringify(counts));
    const text = page.getByLabel("Your sentences, one a line");
    // Two chains of two words: look-ups, words, a join, guesses.
    await text.fill("a b\nc d\n(e");
    await page.locator('[data-figure="schedule"][data-launches="4"]').waitFor();
    await page.getByText("Line 3: a bracket is not closed.").waitFor();
    await text.fill("");
    await figure.waitFor({ state: "detached" });
    await page.getByText("There is nothing to batch yet.").waitFor();
    await page.getByRole("button", { name: "Back to the first sentences" }).click();
    await page.locator('[data-figure="schedule"][data-launches="19"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("that the engine was not there for are made when somebody tries again", async () => {
    const { page } = await openPage(browser);
    server.hidden.add(".wasm");
    try {
      await page.goto(`${server.url}#batch`);
      const failed = page.locator('[data-state="schedules-failed"][data-code="ENGINE_FAILED"]');
      await failed.waitFor();
      server.hidden.delete(".wasm");
      await failed.getByRole("button", { name: "Try again" }).click();
      await page.locator('[data-figure="schedule"][data-launches="19"]').waitFor();
      assert.equal(await failed.count(), 0);
    } finally {
      server.hidden.delete(".wasm");
      await page.context().close();
    }
  });

  test("are those of the visitor's sentences again when the page is loaded anew, and behind the first ones", async () => {
    const { page, complaints } = await open();
    const text = page.getByLabel("Your sentences, one a line");
    await text.fill("a b\nc d");
    await page.reload();
    await page.locator('[data-figure="schedule"][data-launches="4"]').waitFor();
    assert.equal(await text.inputValue(), "a b\nc d");
    await page.getByRole("button", { name: "Back to the first sentences" }).click();
    await page.locator('[data-figure="schedule"][data-launches="19"]').waitFor();
    await page.getByRole("button", { name: "Back to your sentences" }).click();
    assert.equal(await text.inputValue(), "a b\nc d");
    await page.getByRole("button", { name: "Back to the first sentences" }).click();
    await text.pressSequentially("x");
    await page.getByRole("button", { name: "Back to your sentences" }).click();
    assert.equal(await text.inputValue(), "a b\nc d");
    // What a link opens begins with the first ones.
    await page.goto("about:blank");
    await page.goto(`${server.url}#batch`);
    await page.locator('[data-figure="schedule"][data-launches="19"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("are gone through by keyboard, and a node pointed at says who ran with it", async () => {
    const { page, complaints, figure } = await open();
    const slider = figure.getByRole("slider", { name: "Launch" });
    const said = figure.locator("[data-said]");
    await slider.focus();
    await page.keyboard.press("Home");
    assert.match(await said.innerText(), /Nothing has run yet/);
    await page.keyboard.press("ArrowRight");
    assert.equal(await slider.getAttribute("aria-valuetext"), "launch 1 of 19");
    assert.match(await said.innerText(), /Launch 1 of 19: 40 look-ups of 4 sentences/);
    await page.keyboard.press("ArrowRight");
    assert.match(await said.innerText(), /Launch 2 of 19: 2 letters\b.*first launch of its kind/s);
    await page.keyboard.press("ArrowRight");
    assert.match(await said.innerText(), /Every node of it needs one of the launch before/);
    const join = figure.locator("g.mark.join").first();
    await join.hover();
    assert.match(await said.innerText(), /joins? of \d sentences.*“the film”/s);
    assert.ok((await figure.locator("g.with").count()) > 1);
    // Read aloud once it has stayed.
    const spoken = figure.locator('[data-spoken][role="status"][aria-live="polite"]');
    await spoken.getByText("“the film”").waitFor({ state: "attached" });
    assert.equal(await spoken.textContent(), await said.textContent());
    assert.deepEqual(complaints, []);
  });

  test("a node that was tapped is spoken of until the launches, or the sentences, are gone on with", async () => {
    const { page, figure } = await open("#batch", { viewport: { width: 390, height: 800 }, hasTouch: true });
    const said = figure.locator("[data-said]");
    const tap = async () => {
      await figure.locator("g.mark.join").first().tap();
      assert.match(await said.innerText(), /“the film”/);
      assert.equal(await figure.locator("g.pointed").count(), 1);
    };
    await tap();
    // As a finger moves it, without the focus.
    await figure.getByRole("slider", { name: "Launch" }).evaluate((slider) => {
      slider.value = "1";
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await said.getByText("Launch 1 of 19: 40 look-ups").waitFor();
    await tap();
    await figure.getByRole("button", { name: "Play" }).evaluate((button) => button.click());
    await said.getByText("Launch 19 of 19").waitFor();
    await tap();
    await page.getByLabel("Your sentences, one a line").evaluate((area) => {
      area.value = "the film is very good today";
      area.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await eventually(async () => assert.equal(await figure.locator("g.pointed").count(), 0));
    assert.equal(await figure.locator("text.word").count(), 6);
  });

  test("a launch of one node says why it is alone, pointed at or by keyboard, and no other launch does", async () => {
    const { page, complaints, figure, launches } = await open();
    // A chain of letters, and one join; words that wait for each other, or in the schedule by depth do not.
    await page.getByLabel("Your sentences, one a line").fill("extraordinary film");
    await page.locator('[data-figure="schedule"][data-launches="16"]').waitFor();
    const only = "It is alone, because there is no other node of its kind.";
    const notReady = "It is alone, because no other node of its kind was ready with it.";
    const chosen = "This schedule takes every node alone.";
    const said = figure.locator("[data-said]");
    const slider = figure.getByRole("slider", { name: "Launch" });
    const ways = {
      levels: { look: "", letter: notReady, word: "", guess: "", join: only },
      depth: { look: "", letter: notReady, word: notReady, guess: notReady, join: only },
      unbatched: { look: chosen, letter: chosen, word: chosen, guess: chosen, join: chosen },
    };
    for (const [way, reasons] of Object.entries(ways)) {
      await choose(page.locator(`input[value="${way}"]`));
      await page.locator(`input[value="${way}"]:checked`).waitFor({ state: "attached" });
      /** Looks at what is said of a launch; whether it is of one node. */
      const check = async (kind) => {
        const text = await said.innerText();
        const [, nodes, named] = text.match(/^Launch \d+ of \d+: (\d+) (look|letter|word|guess|join)/);
        const found = text.match(/It is alone[^.]*\.|This schedule takes every node alone\./g) ?? [];
        assert.equal(named, kind ?? named, text);
        assert.deepEqual(found, reasons[named] ? [reasons[named]] : [], `${way}: ${text}`);
        assert.equal(nodes === "1", reasons[named] !== "", text);
        assert.equal(await figure.locator("g.mark.with").count(), Number(nodes), text);
        return text;
      };
      for (const kind of Object.keys(reasons)) {
        const marks = figure.locator(`g.mark.${kind}[data-step]`);
        for (const mark of [marks.first(), marks.last()]) {
          await mark.hover();
          await check(kind);
        }
      }
      await page.mouse.move(0, 0);
      await slider.focus();
      await page.keyboard.press("Home");
      const texts = new Set();
      for (let launch = await launches(); launch > 0; launch--) {
        await page.keyboard.press("ArrowRight");
        texts.add(await check());
      }
      assert.equal(texts.size, await launches());
    }
    assert.deepEqual(complaints, []);
  });

  test("are timed by turns when somebody asks, or it is said that the machine is too busy; without a GPU, why", async () => {
    const { page, complaints } = await open();
    const table = page.locator('[data-figure="ways"]');
    assert.equal(await table.getAttribute("data-state"), "none");
    await page.getByRole("button", { name: "Measure the times" }).click();
    await page.locator('[data-figure="ways"][data-state="measured"]').waitFor();
    for (const way of ["unbatched", "depth", "agenda", "levels", "padded", "buckets"]) {
      const [cpu, gpu] = await table.locator(`[data-way="${way}"] .time`).allInnerTexts();
      assert.match(cpu, /^[\d.,]+ (µs|ms|s)\s+[\d.,]+( to [\d.,]+)? (µs|ms|s)$|too busy/);
      assert.equal(gpu, "–");
    }
    assert.match(await table.innerText(), /Not measured: .*WebGPU/);
    await page.getByLabel("Your sentences, one a line").fill("a b");
    await table.getByText("The sentences have changed since.").waitFor();
    // The browser's own words, in its console, of a machine without a GPU.
    assert.deepEqual(complaints.filter((complaint) => complaint !== "No available adapters."), []);
  });

  test("a measurement can be stopped, and leaves nothing", async () => {
    const { page } = await open();
    await pressedAsSoon(page, "Stop", { within: '[data-figure="ways"]' }, () => page.getByRole("button", { name: "Measure the times" }).click());
    await page.locator('[data-figure="ways"][data-state="none"]').waitFor();
  });

  test("without motion all launches have run when it is played, and with it they run one by one", async () => {
    const still = await open();
    await still.figure.getByRole("button", { name: "Play" }).click();
    assert.equal(await still.figure.getByRole("slider").inputValue(), "19");
    const moving = await open("#batch", { reducedMotion: "no-preference" });
    await pressedAsSoon(moving.page, "Pause", { within: '[data-figure="schedule"]' }, () => moving.figure.getByRole("button", { name: "Play" }).click());
    const slider = moving.figure.getByRole("slider");
    assert.ok(Number(await slider.inputValue()) < 19);
    // What has run to its end has run to the end of another way too.
    const to = async (way, launches) => {
      await choose(moving.page.locator(`input[value="${way}"]`));
      await eventually(async () => assert.equal(await slider.getAttribute("aria-valuetext"), `launch ${launches} of ${launches}`));
    };
    // In a hurry, and not by a clock that the test holds: one that stands still hangs whatever the page measures meanwhile.
    await moving.page.evaluate(() => {
      const { setInterval } = globalThis;
      globalThis.setInterval = (step, ms) => setInterval(step, ms / 100);
    });
    await moving.figure.getByRole("button", { name: "Play" }).click();
    await eventually(async () => assert.equal(await slider.getAttribute("aria-valuetext"), "launch 19 of 19"));
    await to("unbatched", 129);
    await to("levels", 19);
    await slider.press("Home");
    await slider.press("End");
    await to("unbatched", 129);
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds nothing serious, ${colorScheme}, with the mathematics open`, async () => {
      const { page } = await open("#batch?maths=batch-score", { colorScheme });
      await page.locator("#maths-batch-score math").first().waitFor();
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
      const { violations } = await page.evaluate(() => globalThis.axe.run(document));
      assert.deepEqual(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
    });
  }

  test("nothing scrolls sideways from 320 to 2,560 pixels", async () => {
    for (const width of [320, 390, 768, 1440, 2560]) {
      const { page, figure } = await open("#batch", { viewport: { width, height: 900 } });
      for (const name of ["unbatched", "padded", "levels"]) {
        await choose(page.locator(`input[value="${name}"]`));
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} ${name}`);
      }
      assert.ok(await figure.isVisible());
      await page.context().close();
    }
  });

  test("the second binary comes with the chapter and not before", async () => {
    const { page } = await openPage(browser);
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(server.url);
    await page.locator('[data-stage="ready"]').waitFor();
    await page.locator("nav[aria-labelledby] svg").last().waitFor({ state: "attached" });
    assert.ok(!asked.some((url) => /graph(_relaxed)?_bg/.test(url)));
    await page.goto(`${server.url}#batch`);
    await page.locator('[data-figure="schedule"]').waitFor();
    assert.ok(asked.some((url) => /graph(_relaxed)?_bg/.test(url)));
  });
});
