/** Each chapter of the page, gone through by keyboard alone. */

import assert from "node:assert/strict";

/** Presses Tab until the focus is on an element that matches, or on one with this text. */
async function tabTo(page, wanted) {
  for (let presses = 0; presses < 150; presses++) {
    await page.press("Tab");
    const there = await page.evaluate((wanted) => {
      const element = document.activeElement;
      return wanted.text ? element.textContent.trim() === wanted.text : element.matches(wanted.selector);
    }, wanted);
    if (there) return;
  }
  assert.fail(`${JSON.stringify(wanted)} is not reached by Tab`);
}

const shown = (page, selector) => page.until((selector) => document.querySelector(selector) !== null, selector);
const value = (page, selector) => page.evaluate((selector) => document.querySelector(selector).value, selector);

/** The chapters: where each begins, what stands when it has come, and what the keys do in it. */
export const chapters = {
  read: {
    hash: "#read",
    stands: "#read-eyes",
    async walk(page) {
      await tabTo(page, { selector: "#text" });
      await page.press("Control+A");
      await page.type("One dull film.");
      await page.until(() => document.querySelector(".text")?.textContent === "One dull film.");
      await tabTo(page, { selector: ".token" });
      await page.press("Home");
      await page.press("ArrowRight");
      await shown(page, '.inspector[aria-label*="dull"]');
      await page.press("Enter");
      await shown(page, '.token[data-index="1"][data-forced]');
      await tabTo(page, { selector: "#threshold" });
      await page.press("End");
      await page.until(() => document.querySelectorAll('.token[data-decision="skim"]:not([data-forced])').length === 0);
    },
  },
  race: {
    hash: "#race?text=a+dull+film",
    stands: "#race-batch",
    async walk(page) {
      // The button waits for the text to have been read.
      await page.until(() => /read 3 words/.test(document.querySelector("main").innerText));
      await tabTo(page, { text: "Start the race" });
      await page.press("Enter");
      await page.until(() => document.querySelectorAll('[data-figure="results"] tbody tr').length >= 10);
      await page.until(() => [...document.querySelectorAll("button")].some(({ textContent }) => textContent.trim() === "Start the race"));
      const devices = await page.evaluate(async () => {
        const said = document.querySelector('section[aria-label="WebGPU"]').innerText;
        return { said, gpu: Boolean(await navigator.gpu?.requestAdapter()) };
      });
      assert.equal(/no WebGPU/.test(devices.said), !devices.gpu, devices.said);
    },
  },
  predict: {
    hash: "#predict?text=There+was+a+knock+at+the",
    stands: '[data-figure="so-far"]',
    async walk(page) {
      await shown(page, '[data-next="0"]');
      await tabTo(page, { selector: '[data-next="0"]' });
      await page.press("ArrowDown");
      await page.until(() => document.activeElement.dataset.next === "1");
      const word = await page.evaluate(() => document.activeElement.querySelector("bdi").innerText);
      await page.press("Enter");
      await page.until((word) => document.querySelector("#text").value.endsWith(` ${word}`), word);
    },
  },
  batch: {
    hash: "#batch",
    stands: '[data-figure="schedule"]',
    async walk(page) {
      const slider = '[data-figure="schedule"] input[type="range"]';
      await tabTo(page, { selector: slider });
      await page.press("Home");
      await page.until(() => /Nothing has run yet/.test(document.querySelector("[data-said]").innerText));
      const first = await value(page, slider);
      await page.press("ArrowRight");
      await page.until(() => /Launch 1 of \d+: \d+ look-ups/.test(document.querySelector("[data-said]").innerText));
      assert.notEqual(await value(page, slider), first);
    },
  },
  train: {
    hash: "#train",
    stands: '[data-figure="skim"]',
    async walk(page) {
      await tabTo(page, { text: "Learn" });
      await page.press("Enter");
      await shown(page, '[data-figure="skim"][data-run="ended"]');
      const faded = () => document.querySelectorAll('[data-figure="sentences"] [data-decision="skim"]').length;
      const last = await page.evaluate(faded);
      assert.ok(last > 20, `${last} words are skimmed`);
      await tabTo(page, { selector: '[data-figure="history"] input[type="range"]' });
      await page.press("Home");
      await page.until(() => /^After 0\.5 passes/.test(document.querySelector('[data-said="moment"]').innerText));
      assert.notEqual(await page.evaluate(faded), last);
    },
  },
};
