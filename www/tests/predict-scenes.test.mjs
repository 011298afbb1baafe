/** Three scenes of Predict as people use them: cut-offs, truncated back-propagation, three cells side by side. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { pressedAsSoon } from "./browser.mjs";
import { complaints, eventually, openAt, page } from "./opened.mjs";

const { places, below } = JSON.parse(readFileSync(join(root, "www", "data", "shares-novels-lm.json"), "utf8"));
/** The place so many after another. */
const placeAfter = (place, by) => places[places.indexOf(place) + by];
const percentOf = (share) => `${Math.round(100 * share)}%`;

/** Opens a scene whose places matter, once those above it, which grow as the model arrives and answers, stand. */
async function openStill(hash) {
  await openAt(hash);
  await page.locator('[data-figure="so-far"]').waitFor();
  await page.locator('[data-figure="computed"]').waitFor({ state: "attached" });
  // The field answers only near the window, so that there may be no answer to wait for.
  let before;
  await eventually(async () => {
    await page.waitForTimeout(400);
    const [last, height] = [before, await page.evaluate(() => document.documentElement.scrollHeight)];
    before = height;
    assert.equal(height, last);
  });
}

describe("cut-offs", { timeout: 600_000 }, () => {
  const handle = (which) => page.locator(`[data-figure="cutoffs"] [role="slider"][data-cut="${which}"]`);
  const at = async (which) => Number(await handle(which).getAttribute("aria-valuenow"));
  const ms = async (row) => Number((await page.locator(`[data-row="${row}"]`).getAttribute("data-ms")).split(" ")[1]);
  const cutOf = async (row) => (await page.locator(`[data-row="${row}"]`).getAttribute("data-cut")).split(" ").map(Number);
  const becomes = (which, place) => page.locator(`[role="slider"][data-cut="${which}"][aria-valuenow="${place}"]`).waitFor();

  test("are moved by keyboard, and the figures with them", async () => {
    await openAt("#predict/cutoffs");
    await handle(0).focus();
    assert.deepEqual([await at(0), await at(1)], [2000, 10_000]);
    assert.equal(await ms("yours"), await ms("own"));
    await page.keyboard.press("ArrowRight");
    await becomes(0, placeAfter(2000, 1));
    await page.keyboard.press("PageUp");
    await becomes(0, placeAfter(2000, 11));
    assert.equal(await page.locator('[data-share="0"]').innerText(), percentOf(below[places.indexOf(placeAfter(2000, 11))]));
    assert.match(await handle(0).getAttribute("aria-valuetext"), new RegExp(`after ${placeAfter(2000, 11).toLocaleString("en")} words; the head holds \\d+%`));
    // A larger head costs more at every word.
    assert.ok((await ms("yours")) > (await ms("own")));
    // It goes no further than the other.
    await page.keyboard.press("End");
    await becomes(0, placeAfter(10_000, -1));
    await handle(1).focus();
    await page.keyboard.press("Home");
    await becomes(1, 10_000);
    await page.getByRole("button", { name: "cheapest one" }).click();
    await eventually(async () => {
      assert.deepEqual([await at(0), await at(1)], await cutOf("best"));
      assert.equal(await ms("yours"), await ms("best"));
    });
    await page.getByRole("button", { name: "model’s own cut" }).click();
    await becomes(0, 2000);
    assert.ok((await ms("best")) <= (await ms("own")));
    assert.deepEqual(complaints, []);
  });

  test("the cheapest leaves as much in the head as it must", async () => {
    await openAt("#predict/cutoffs");
    const coverage = page.getByRole("slider", { name: /The head must hold/ });
    for (const share of [0.6, 0.93]) {
      await coverage.fill(String(share));
      await eventually(async () => {
        const [first] = await cutOf("best");
        assert.ok(below[places.indexOf(first)] >= share, `${first} words`);
      });
    }
  });

  test("follow the pointer", async () => {
    await openStill("#predict/cutoffs");
    await handle(1).scrollIntoViewIfNeeded();
    const box = await handle(1).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x - 40, box.y, { steps: 4 });
    await page.mouse.up();
    await eventually(async () => {
      assert.ok((await at(1)) < 10_000 && (await at(1)) > 2000);
      assert.equal(await at(0), 2000);
    });
  });

  test("are measured here, which can be stopped, and the cuts as wholes", async () => {
    await openAt("#predict/cutoffs");
    const figure = page.locator('[data-figure="cutoffs"]');
    const start = page.getByRole("button", { name: "Measure this device" });
    await pressedAsSoon(page, "Stop", { within: '[aria-labelledby="predict-cutoffs"]' }, () => start.click());
    await start.waitFor();
    assert.equal(await figure.getAttribute("data-measured"), "false");
    assert.match(await figure.innerText(), /come from another machine/);
    await start.click();
    await page.locator('[data-figure="cutoffs"][data-measured="true"]').waitFor();
    const times = await page.locator('[data-figure="times"] td[data-ms]').evaluateAll((cells) => cells.map((cell) => cell.dataset.ms.split(" ").map(Number)));
    assert.equal(times.length, 8 + 2 * 6);
    for (const each of times) assert.deepEqual(each, [...each].sort((a, b) => a - b));
    // A tail's times are differences, which a busy machine may put on either side of 0.
    const said = await page.locator('[data-figure="times"] td[data-ms]').evaluateAll((cells) => cells.map((cell) => [cell.dataset.told, cell.textContent]));
    for (const [told, text] of said) assert.match(text, told === "true" ? /^[\d.,]+ (µs|ms|s) / : /^too little to tell$/);
    // The clock shows tenths of a millisecond: the few runs that a busy machine puts into one round may seem to take none.
    const heads = await page.locator('[data-figure="times"] tbody td:nth-of-type(1)[data-ms]').evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.ms.split(" ")[2])));
    for (const median of heads) assert.ok(median >= 0);
    // A pass of the largest takes more than a tick.
    assert.ok(heads.at(-1) > 0);
    assert.doesNotMatch(await figure.innerText(), /come from another machine/);
    await page.getByRole("button", { name: "Measure these cuts" }).click();
    const held = page.locator("[data-held]");
    await held.first().waitFor();
    const different = new Set(await Promise.all(["yours", "own", "best"].map(async (row) => (await cutOf(row)).join())));
    assert.equal(await held.count(), different.size);
    assert.deepEqual(complaints, []);
  });
});

describe("truncated back-propagation", { timeout: 600_000 }, () => {
  const row = (name) => page.locator(`[data-figure="truncation"] [data-row="${name}"] dd`).innerText();
  const how = (kind) => page.locator(`[data-figure="truncation"] [data-how="${kind}"]`).evaluateAll((words) => words.map((word) => Number(word.dataset.word)));

  test("the error of a word reaches back to the border, and the figures say what that takes", async () => {
    const text = Array.from({ length: 43 }, (_, at) => `w${at}`).join(" ");
    await openAt(`#predict/truncation?${new URLSearchParams({ text })}`);
    await page.getByRole("button", { name: "Your text" }).click();
    await page.locator('[data-word="0"]', { hasText: "w0" }).waitFor();
    await page.fill('[data-slider="lanes"]', "3");
    await page.fill('[data-slider="steps"]', "4");
    // 42 words have one that follows them: 14 in each lane, in chunks of 4, 4, 4 and 2.
    await eventually(async () => assert.deepEqual(await Promise.all(["updates", "together", "left", "most"].map(row)), ["4", "12", "0", "4"]));
    assert.equal(await row("mean"), ((3 * 10 + 3) / 14).toFixed(1));
    assert.equal(await row("kept"), "73.7 kB");
    await page.locator('[data-word="21"]').click();
    // Lane 2 begins at 14, its second chunk at 18.
    await eventually(async () => assert.deepEqual([await how("picked"), await how("taught"), await how("carried")], [[21], [18, 19, 20], [14, 15, 16, 17]]));
    await page.keyboard.press("ArrowRight");
    await eventually(async () => assert.deepEqual([await how("picked"), await how("taught"), (await how("carried")).length], [[22], [], 8]));
    await page.keyboard.press("ArrowDown");
    await eventually(async () => assert.deepEqual(await how("picked"), [36]));
    await page.fill('[data-slider="lanes"]', "4");
    // 10 words in each lane, and two left over.
    await eventually(async () => assert.deepEqual(await Promise.all(["updates", "left"].map(row)), ["3", "2"]));
    await page.getByRole("button", { name: "One chunk for all" }).click();
    await eventually(async () => assert.deepEqual(await Promise.all(["updates", "most"].map(row)), ["1", "10"]));
    assert.equal((await how("carried")).length, 0);
    assert.deepEqual(complaints, []);
  });

  test("a border follows the pointer, and a cell of the picture is a word", async () => {
    await openStill("#predict/truncation");
    const knob = page.locator('[data-figure="truncation"] .knob');
    await knob.scrollIntoViewIfNeeded();
    const picked = await how("picked");
    const measure = () => page.locator('[data-figure="truncation"] .picture').boundingBox();
    const at = await knob.boundingBox();
    const picture = await measure();
    await page.mouse.move(at.x + at.width / 2, at.y + 5);
    await page.mouse.down();
    await page.mouse.move(picture.x + (10 / 21) * picture.width, at.y + 60, { steps: 4 });
    await page.mouse.up();
    // Of the 21 words in each of four lanes, ten are in the first chunk, ten in the second.
    await eventually(async () => assert.deepEqual(await Promise.all(["updates", "most"].map(row)), ["3", "10"]));
    // What is said above it may take another line by now.
    const now = await measure();
    await page.mouse.click(now.x + now.width - 5, now.y + now.height - 25);
    await eventually(async () => assert.deepEqual([picked.length, await how("picked")], [1, [83]]));
  });

  test("a short text of one's own is not cut", async () => {
    await openAt("#predict/truncation?text=a+few+words");
    await page.locator('[data-figure="truncation"] [data-word="0"]').waitFor();
    assert.equal(await page.getByRole("button", { name: "Your text", exact: true }).count(), 0);
  });
});

describe("three cells side by side", { timeout: 600_000 }, () => {
  const text = "First Citizen:\nBefore we proceed any further, hear me speak. Résumé ✓";
  const ready = () => page.locator('[data-figure="cells"]').waitFor();

  test("their bits are those of the package, and each goes on with the text", async () => {
    await openAt(`#predict/cells?${new URLSearchParams({ text })}`);
    await page.getByRole("button", { name: "Load the three networks" }).click();
    await ready();
    assert.equal(await page.evaluate(() => document.activeElement.id), "predict-cells", "the button is gone");
    const { load } = await import("../../js/dist/node.js");
    const all = [];
    for (const id of ["elman", "lstm", "sru"]) {
      const model = await load(readFileSync(join(root, "models", `shakespeare-${id}.safetensors`)), { task: "predict" });
      const scoring = await model.score(text);
      model.dispose();
      all.push(scoring.tokens.map(({ bits }) => bits));
      const bits = Number(await page.locator(`[data-network="${id}"]`).getAttribute("data-bits"));
      // By another binary, which may multiply and add at once.
      assert.ok(Math.abs(bits - scoring.bits) < 1e-3 * scoring.bits, `${id}: ${bits}, ${scoring.bits}`);
      await page.locator(`[data-written="${id}"]`).waitFor();
      assert.ok((await page.locator(`[data-written="${id}"]`).textContent()).length >= 100);
    }
    const apart = all[0].map((_, at) => Math.max(...all.map((bits) => bits[at])) - Math.min(...all.map((bits) => bits[at])));
    const shown = page.locator('[data-figure="trio"] [data-at]');
    assert.ok(Math.abs(Number(await shown.getAttribute("data-apart")) - Math.max(...apart)) < 1e-2);
    assert.match(await shown.innerText(), /Here they differ most/);
    await page.getByRole("slider", { name: "The character" }).fill("0");
    assert.match(await shown.innerText(), /^At “F”/);
    const written = await page.locator('[data-written="lstm"]').textContent();
    await page.getByRole("button", { name: "Another seed", exact: true }).click();
    await page.waitForFunction((before) => ![null, undefined, before].includes(document.querySelector('[data-written="lstm"]')?.textContent), written);
    assert.deepEqual(complaints, []);
  });

  test("they are timed in turns, which can be stopped, and read what is typed", async () => {
    await openAt(`#predict/cells?${new URLSearchParams({ text })}`);
    await page.getByRole("button", { name: "Load the three networks" }).click();
    await ready();
    const start = page.getByRole("button", { name: "Measure the time" });
    await pressedAsSoon(page, "Stop", { within: '[data-figure="trio"]' }, () => start.click());
    await start.waitFor();
    await start.click();
    await page.getByRole("button", { name: "Measure it again" }).waitFor();
    const cells = await page.locator('[data-figure="cells"] tbody td:last-child').allInnerTexts();
    for (const cell of cells) assert.match(cell, /\d (µs|ms)|too busy to tell/);
    const before = await page.locator('[data-network="sru"]').getAttribute("data-bits");
    await page.fill("#text", "");
    await page.getByText("There is nothing to read yet. Type something above.").waitFor();
    await page.fill("#text", "O Romeo");
    await page.waitForFunction((before) => ![null, undefined, before].includes(document.querySelector('[data-network="sru"]')?.dataset.bits), before);
    assert.deepEqual(complaints, []);
  });

  test("a model that does not come can be asked for again", async () => {
    await openAt("#predict/cells");
    await page.route("**/shakespeare-sru.safetensors", (route) => route.fulfill({ status: 503 }));
    await page.getByRole("button", { name: "Load the three networks" }).click();
    const alert = page.locator('[data-figure="trio"] [role="alert"]');
    await alert.waitFor();
    assert.match(await alert.innerText(), /did not load[\s\S]*503/);
    await page.unroute("**/shakespeare-sru.safetensors");
    await alert.getByRole("button", { name: "Try again" }).click();
    await ready();
  });
});
