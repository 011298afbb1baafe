/** Charts from a small phone to a wall: no label is clipped, none lies across another, and nothing leaves the screen unsaid. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { launch, openPage } from "./browser.mjs";
import { choose, eventually, openAt, page, renew, server, settled, stands } from "./opened.mjs";

const WIDTHS = [2560, 1440, 768, 390, 320];
/** Boxes of text are larger than its letters, by so many pixels where the page's type has 16. */
const SLACK = 2;

/** What is wrong with the labels of the page's figures: those of each drawing, and those laid out under columns. */
function faults(of16) {
  const found = [];
  const slack = (of16 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;
  const boxes = (elements) =>
    [...elements]
      .filter((element) => element.checkVisibility({ opacityProperty: true }) && element.textContent.trim() !== "")
      .map((element) => ({ text: element.textContent.trim(), box: element.getBoundingClientRect() }));
  const groups = [...document.querySelectorAll("main svg")].map((svg) => boxes(svg.querySelectorAll("text")));
  for (const names of document.querySelectorAll(".names")) groups.push(boxes(names.children));
  for (const labels of groups) {
    for (const [at, { text, box }] of labels.entries()) {
      if (box.left < -slack || box.right > innerWidth + slack) found.push(`${text} leaves the screen: ${box.left} to ${box.right}`);
      for (const other of labels.slice(at + 1)) {
        const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const tall = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (wide > slack && tall > slack) found.push(`${text} lies across ${other.text}`);
      }
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  // What is cut off to the side says so, by its edge, and is reached by keyboard.
  for (const element of document.querySelectorAll("main *")) {
    const { overflowX } = getComputedStyle(element);
    if (!["auto", "scroll"].includes(overflowX) || element.scrollWidth <= element.clientWidth + 1 || element.tagName === "TEXTAREA") continue;
    const reached = element.tabIndex === 0 || element.querySelector("button, input, a") !== null;
    if (!element.classList.contains("more") || !reached) found.push(`${[element.className, element.ariaLabel].filter(Boolean).join(" ")} scrolls and does not say so: ${element.scrollWidth} in ${element.clientWidth}`);
  }
  return found;
}

/** Looks at the page in each width until nothing is wrong there; a look waits for what the width before it laid out anew. */
async function inEveryWidth(look) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await eventually(async () => {
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await look(`at ${width} pixels`);
    });
  }
}

/** Nothing is wrong with the labels of the page in any width, once all that was asked of it has been laid out. */
async function inOrder(when) {
  await page.evaluate(() => document.fonts.ready);
  await settled();
  await inEveryWidth(async (where) => assert.deepEqual(await page.evaluate(faults, SLACK), [], `${when}, ${where}`));
}

/** The letters of the page's charts, by their size beside the page's own. */
const letters = () =>
  page.evaluate(() => {
    const own = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    return [...document.querySelectorAll("main svg text")]
      .filter((text) => text.checkVisibility())
      .map((text) => ({ text: text.textContent, size: (Number.parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a) / own }));
  });

/** Charts have letters of that size at least. */
const LEAST = 0.6;

async function legible() {
  await inEveryWidth(async (where) => {
    const all = await letters();
    assert.ok(all.length > 10, `${all.length} letters`);
    assert.deepEqual(all.filter(({ size }) => size < LEAST), [], where);
  });
}

test("what is wrong is found", { timeout: 600_000 }, async () => {
  await renew({ viewport: { width: 400, height: 400 } });
  await page.setContent(`<main>
    <svg width="380" height="90"><text x="10" y="20">one</text><text x="14" y="24">two</text><text x="360" y="70" style="font-size: 40px">three</text></svg>
    <svg width="90" height="30"><text x="10" y="20">apart</text></svg>
    <p class="row" style="overflow-x: auto; width: 50px; white-space: nowrap">one and two and three</p>
  </main>`);
  const found = await page.evaluate(faults, SLACK);
  assert.equal(found.length, 3, found.join("; "));
  assert.deepEqual([/^one lies across two/, /^three leaves the screen/, /^row scrolls/].map((fault, at) => fault.test(found[at])), [true, true, true]);
  await page.context().close();
});

test("on a phone set to type twice as large no label of Batch leaves the screen", { timeout: 600_000 }, async () => {
  const large = await launch({ type: 32 });
  try {
    const { page } = await openPage(large, { viewport: { width: 390, height: 800 } });
    await page.goto(`${server.url}#batch`);
    await page.locator('[data-figure="schedule"]').waitFor();
    await page.locator('[data-figure="code"]').getByRole("button", { name: "Run", exact: true }).click();
    await page.locator('[data-figure="code"][data-run="ended"]').waitFor();
    await page.locator('[data-figure="parsers"] .action').click();
    await page.locator('[data-figure="parsers"][data-stage="parsed"]').waitFor();
    await eventually(async () => assert.deepEqual(await page.evaluate(faults, SLACK), []));
  } finally {
    await large.close();
  }
});

describe("from 320 to 2,560 pixels", { timeout: 1_800_000 }, () => {
  test("Read, with all of its mathematics, at every end of the threshold", async () => {
    const maths = ["text", "cells", "memory", "threshold", "savings", "words", "eyes"].map((scene) => `read-${scene}`).join(".");
    await openAt(`#read?maths=${maths}`);
    await stands();
    await page.locator("#maths-read-eyes math").first().waitFor();
    for (const threshold of ["0", "0.5", "1"]) {
      await page.fill("#threshold", threshold);
      await inOrder(`threshold ${threshold}`);
    }
    await page.locator("[data-index]").first().focus();
    await inOrder("at the first word");
    await legible();
  });

  test("Predict, with all of its mathematics, as it opens and when it has written", async () => {
    const maths = ["surprise", "next", "field", "writing", "influence"].map((scene) => `predict-${scene}`).join(".");
    await openAt(`#predict?maths=${maths}&text=There+was+a+knock+at+the+door%2C+and+an+uncharacteristically+quiet+umbrella.`);
    await page.locator('[data-figure="so-far"]').waitFor();
    await page.locator("#maths-predict-influence math").first().waitFor();
    await inOrder("as it opens");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.locator('[aria-label="What it wrote, word by word"][aria-busy="false"]').waitFor();
    await page.locator('[data-token="7"]').click();
    await page.locator('.text[data-target="7"][aria-busy="false"]').waitFor();
    await page.getByRole("slider", { name: "Temperature" }).focus();
    await page.keyboard.press("End");
    await inOrder("when it has written");
    await choose(page.getByRole("radio", { name: "Shakespeare" }));
    await page.locator(".letters .word").first().waitFor();
    await inOrder("letter by letter");
    await legible();
  });

  test("Predict’s cut-offs at both ends, a text in one lane and in many, and three cells side by side", async () => {
    const maths = ["cutoffs", "truncation", "cells"].map((scene) => `predict-${scene}`).join(".");
    await openAt(`#predict/cutoffs?maths=${maths}&text=My+lord%2C+a+zebra+never+walks+alone+%E2%9C%93`);
    await page.locator("#maths-predict-cells math").first().waitFor();
    for (const key of ["Home", "End"]) {
      for (const cut of key === "Home" ? [0, 1] : [1, 0]) {
        await page.locator(`[role="slider"][data-cut="${cut}"]`).focus();
        await page.keyboard.press(key);
      }
      await inOrder(`cuts at ${key}`);
    }
    for (const lanes of ["1", "8"]) {
      await page.fill('[data-slider="lanes"]', lanes);
      for (const key of ["Home", "End"]) {
        await page.locator('[data-slider="steps"]').focus();
        await page.keyboard.press(key);
        await inOrder(`${lanes} lanes, chunks at ${key}`);
      }
    }
    await page.getByRole("button", { name: "Load the three networks" }).click();
    await page.locator('[data-written="sru"]').waitFor();
    await inOrder("with three cells");
    await legible();
  });

  test("Batch, by every schedule, and with a chain of long words", async () => {
    await openAt("#batch?maths=batch-score");
    await page.locator("#maths-batch-score math").first().waitFor();
    for (const schedule of ["unbatched", "depth", "agenda", "padded", "buckets", "levels"]) {
      await choose(page.locator(`input[value="${schedule}"]`));
      await inOrder(schedule);
    }
    await page.getByLabel("Your sentences, one a line").fill(`${"incomprehensibility ".repeat(4)}\na`);
    await page.locator('[data-figure="schedule"]:not([data-launches="19"])').waitFor();
    await inOrder("long words");
    await legible();
  });

  test("Train, with all of its mathematics, before a run and after", async () => {
    await openAt("#train?maths=train-skim.train-letters.train-far");
    await page.locator("#maths-train-far math").first().waitFor();
    await inOrder("before");
    await page.getByRole("button", { name: "Learn", exact: true }).click();
    await page.locator('[data-figure="skim"][data-run="ended"]').waitFor();
    await page.getByRole("button", { name: "Learn the text" }).click();
    await page.waitForFunction(() => Number(document.querySelector('[data-figure="letters"]').dataset.moments) >= 2);
    await page.locator('[data-figure="letters"]').getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Let them learn" }).click();
    await page.waitForFunction(() => document.querySelectorAll("[data-arrives]").length === 3);
    await page.locator('[data-figure="far"]').getByRole("button", { name: "Pause" }).click();
    await inOrder("after");
    await legible();
  });

  test("Race, with all of its mathematics and gates held shut", async () => {
    const maths = ["sprint", "gates", "chain", "both", "length", "batch"].map((scene) => `race-${scene}`).join(".");
    await openAt(`#race?maths=${maths}`);
    await stands();
    await page.locator("#maths-race-batch math").first().waitFor();
    await inOrder("as it opens");
    for (const valve of await page.locator(".valve").all()) await valve.click();
    await page.locator('[data-lane="lstm"]').scrollIntoViewIfNeeded();
    await page.getByRole("button", { name: "One worker" }).click();
    await inOrder("with all gates shut");
    await legible();
  });
});
