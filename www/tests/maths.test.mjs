/** The mathematics, gates and draws as people come to them: by a switch, a link, the keyboard, by ear, and without colour. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { complaints, eventually, page, renew, server, settled, stands } from "./opened.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let asked;

async function open(hash, options = {}) {
  await renew(options);
  asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname.split("/").at(-1)));
  await page.goto(server.url + hash);
  await stands();
}

const inViolation = async () => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
};
const fromMaths = (name) => /^(Panel|stix)/.test(name);

describe("the mathematics", { timeout: 600_000 }, () => {
  test("is hidden and not fetched until its switch is pressed, which the link remembers", async () => {
    await open("#read");
    assert.equal(await page.locator("math").count(), 0);
    assert.deepEqual(asked.filter(fromMaths), []);
    const toggle = page.locator('[data-maths="read-savings"]');
    assert.equal(await toggle.getAttribute("aria-expanded"), "false");
    await toggle.focus();
    await page.keyboard.press("Enter");
    const panel = page.locator("#maths-read-savings");
    await panel.locator("math").first().waitFor();
    assert.equal(await toggle.getAttribute("aria-expanded"), "true");
    await page.waitForURL(/maths=read-savings/);
    // What the formula comes to is what the engine counted.
    await settled();
    const { flops } = await page.evaluate(() => window.saccade.read(document.querySelector("#text").value));
    await eventually(async () => {
      const live = await panel.locator(".live").allTextContents();
      for (const count of [flops.spent, flops.full]) assert.ok(live.includes(count.toLocaleString("en")), `${count} among ${live}`);
    });

    await page.reload();
    await page.locator("#maths-read-savings math").first().waitFor();
    assert.equal(await page.locator("#maths-read-words math").count(), 0);
    await page.locator('[data-maths="read-savings"]').click();
    await page.locator("#maths-read-savings").waitFor({ state: "hidden" });
    await page.waitForURL((url) => !url.hash.includes("maths"));
    assert.deepEqual(complaints, []);
  });

  test("is at every scene of both chapters, and follows the word in focus and the threshold", async () => {
    await open("#read?maths=read-cells.read-threshold");
    assert.deepEqual(
      await page.locator("section.scene").evaluateAll((scenes) => scenes.filter((scene) => !scene.querySelector("[data-maths]")).map((scene) => scene.getAttribute("aria-labelledby"))),
      [],
    );
    const cells = page.locator("#maths-read-cells");
    await cells.locator("math").first().waitFor();
    await page.locator('[data-index="3"]').focus();
    await page.waitForFunction(() => document.querySelector("#maths-read-cells").textContent.includes("At “thin”"));
    await page.fill("#threshold", "0.8");
    await page.waitForFunction(() => document.querySelector("#maths-read-threshold").textContent.includes("0.80"));
    // The address says so when nothing has moved for a while; it is not to be written over the next one.
    await page.waitForURL(/threshold=0\.8/);
    await page.goto(`${server.url}#race`);
    await page.locator("#race-batch").waitFor();
    await stands();
    assert.deepEqual(
      await page.locator("section.scene").evaluateAll((scenes) => scenes.filter((scene) => !scene.querySelector("[data-maths]")).map((scene) => scene.getAttribute("aria-labelledby"))),
      [],
    );
  });

  test("has draws that harden as the temperature falls", async () => {
    await open("#read?maths=read-words");
    const slider = page.locator("#maths-read-words input").first();
    await slider.waitFor();
    const sure = async (temperature) => {
      await slider.fill(temperature);
      return Number(/^\d+/.exec(await page.locator('[data-figure="gumbel"]').textContent())[0]);
    };
    const [warm, cool, cold] = [await sure("3"), await sure("0.5"), await sure("0")];
    assert.ok(warm < cool && cool < cold, `${warm}, ${cool}, ${cold}`);
    assert.equal(cold, 100);
    assert.equal(await page.locator("#maths-read-words .mixed").count(), 0);
    assert.equal(await slider.getAttribute("aria-valuetext"), "0, a hard choice");
  });

  test("that does not come says so, and its switch stays off", async () => {
    await open("#read");
    await page.route("**/Panel-*.js", (route) => route.abort());
    await page.locator('[data-maths="read-eyes"]').click();
    await page.locator(".mathematics [role=alert]").waitFor();
    assert.equal(await page.locator('[data-maths="read-eyes"]').getAttribute("aria-expanded"), "false");
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds no violation in it, ${colorScheme}`, async () => {
      await open("#read?maths=read-cells.read-threshold.read-savings.read-words.read-eyes", { colorScheme, viewport: { width: 390, height: 800 } });
      await page.locator("#maths-read-eyes math").first().waitFor();
      assert.deepEqual(await inViolation(), []);
      await page.context().close();
      await open("#race?maths=race-gates.race-chain.race-both", { colorScheme });
      await page.locator("#maths-race-both math").first().waitFor();
      await page.locator('[data-gate="lstm forget"]').click();
      assert.deepEqual(await inViolation(), []);
    });
  }
});

describe("gates", { timeout: 600_000 }, () => {
  const states = () => page.locator('[data-cell="lstm"] [role="status"]').textContent();

  test("are held shut by keyboard, and say what became of the state", async () => {
    await open("#race");
    const gate = page.locator('[data-gate="lstm forget"]');
    assert.match(await gate.getAttribute("aria-label"), /^Hold the Forget gate of the LSTM shut: 0\.\d+ open at “dull”/);
    const before = await states();
    await gate.focus();
    await page.keyboard.press("Space");
    assert.equal(await gate.getAttribute("aria-pressed"), "true");
    assert.match(await gate.getAttribute("aria-label"), /: 0 open at “dull”/);
    // Not by colour alone: its number is crossed out.
    assert.equal(await gate.textContent(), "✕");
    assert.match(await states(), /Nothing is kept.* with no gate held shut it is/);
    assert.notEqual(await states(), before);
    await page.getByRole("button", { name: "Open all gates" }).click();
    assert.equal(await states(), before);
  });

  test("follow the word that the slider is at", async () => {
    await open("#race");
    const slider = page.locator(".at input");
    const gate = page.locator('[data-gate="lstm input"]');
    const atDull = await gate.textContent();
    await slider.focus();
    await page.keyboard.press("End");
    assert.equal(await slider.getAttribute("aria-valuetext"), "“shine”, word 8 of 8");
    await slider.press("Home");
    assert.equal(await slider.getAttribute("aria-valuetext"), "“The”, word 1 of 8");
    assert.notEqual(await gate.textContent(), atDull);
  });
});

describe("what waits and who knows", { timeout: 600_000 }, () => {
  test("one worker takes longer than many, most of all for SRU", async () => {
    await open("#race");
    const ends = () =>
      page.locator("[data-lane]").evaluateAll((lanes) =>
        lanes.map((lane) => Math.max(...[...lane.querySelectorAll("rect")].map((rect) => Number(rect.getAttribute("x")) + Number(rect.getAttribute("width"))))),
      );
    const [lstm, , sru] = await ends();
    assert.ok(sru < lstm / 5, `${sru} of ${lstm}`);
    await page.getByRole("button", { name: "One worker" }).click();
    const [alone, , sruAlone] = await ends();
    assert.ok(sruAlone > alone / 5 && sruAlone < alone, `${sruAlone} of ${alone}`);
  });

  test("forward states know of a word from there on, backward ones up to there", async () => {
    await open("#race");
    const slider = page.locator('figure input[type="range"]').last();
    await slider.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    const touched = (direction) => page.locator(`[data-direction="${direction}"] li`).evaluateAll((all) => all.map((one) => one.classList.contains("touched")));
    const [forward, backward] = [await touched("forward"), await touched("backward")];
    assert.deepEqual(forward, forward.map((_, at) => at >= 1));
    assert.deepEqual(backward, backward.map((_, at) => at <= 1));
  });
});
