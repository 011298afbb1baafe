/** The chapter Train in Chromium: networks learn in the page, are held up, looked back at, and used in other chapters. */

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

async function open(hash = "#train", options = {}) {
  const { page, complaints } = await openPage(browser, options);
  const asked = [];
  page.context().on("request", (request) => asked.push(request.url()));
  await page.goto(`${server.url}${hash}`);
  const skim = page.locator('[data-figure="skim"]');
  await skim.waitFor();
  return { page, complaints, asked, skim, letters: page.locator('[data-figure="letters"]') };
}

const press = (figure, name) => figure.getByRole("button", { name, exact: true }).click();
/** Waits until a figure's run is there. */
const until = (page, figure, stage) => page.locator(`[data-figure="${figure}"][data-run="${stage}"]`).waitFor();
/** Opens another chapter, and this one again. */
async function leaveAndReturn(page) {
  await page.getByRole("link", { name: "Batch", exact: true }).click();
  await page.locator('[data-figure="schedule"]').waitFor();
  await page.getByRole("link", { name: "Train", exact: true }).click();
  await page.locator('[data-figure="skim"]').waitFor();
}
/** Waits until a run has been looked at so often. */
const looked = (page, times) => page.waitForFunction((times) => Number(document.querySelector('[data-figure="history"]').dataset.moments) >= times, times);
const share = async (figure, row) => Number.parseInt(await figure.locator(`[data-row="${row}"] dd`).innerText(), 10);
/** Words of the ten sentences that are skimmed. */
const skimmed = (figure) => figure.locator('[data-figure="sentences"] [data-decision="skim"]').count();

/** What a network learns soon: one word says it all. */
const rows = Array.from({ length: 120 }, (_, at) => `${at % 2 ? "yes" : "no"}\tthe number ${at} is ${at % 2 ? "fine" : "wrong"}`);
const file = (lines, name = "mine.tsv") => ({ name, mimeType: "text/plain", buffer: Buffer.from(lines.join("\n")) });

/** Has no file be read, as a folder is not, while `take` takes one. */
async function unread(page, take) {
  await page.evaluate(() => {
    window.text = Blob.prototype.text;
    Blob.prototype.text = () => Promise.reject(new DOMException("", "NotFoundError"));
  });
  await take();
  await page.getByRole("status").getByText("folder cannot be read.").waitFor();
  await page.evaluate(() => (Blob.prototype.text = window.text));
}

describe("learning to skim", { timeout: 1_800_000 }, () => {
  test("the engine comes with the first press; a network learns, words fade, and the history is gone through by keyboard", async () => {
    const { page, complaints, asked, skim } = await open();
    assert.ok(!asked.some((url) => /train(_relaxed)?_bg/.test(url)));
    assert.equal(await skim.locator('[data-figure="sentences"] li').count(), 10);
    assert.equal(await skim.getByRole("button", { name: "Use it in Read" }).count(), 0);
    // Until then a recorded run stands there, in which one can go back.
    const recorded = await skimmed(skim);
    await skim.getByRole("slider", { name: "Back through the history" }).fill("8");
    assert.ok((await skimmed(skim)) !== recorded);
    assert.equal(await skim.locator('[data-said="recorded"]').count(), 1);
    await press(skim, "Learn");
    await skim.locator('[data-said="recorded"]').waitFor({ state: "detached" });
    await until(page, "skim", "ended");
    assert.equal(asked.filter((url) => /train(_relaxed)?_bg/.test(url)).length, 1);
    assert.ok((await share(skim, "accuracy")) >= 90);
    assert.ok((await share(skim, "skimmed")) >= 50);
    const faded = await skimmed(skim);
    assert.ok(faded > 20, `${faded}`);
    assert.ok((await skim.locator('li > [data-right="true"]').count()) >= 9);
    // Each says in words what it looks like.
    assert.match(await skim.locator('[data-figure="sentences"] li').first().innerText(), /reads: .+says (good|bad)/s);
    assert.match(await skim.getByRole("status").last().innerText(), /It has learned/);

    const slider = skim.getByRole("slider", { name: "Back through the history" });
    await slider.focus();
    await page.keyboard.press("Home");
    assert.match(await slider.getAttribute("aria-valuetext"), /^after 0\.5 passes/);
    assert.match(await skim.locator('[data-said="moment"]').innerText(), /^After 0\.5 passes/);
    assert.notEqual(await skimmed(skim), faded);
    await page.keyboard.press("End");
    assert.equal(await skimmed(skim), faded);
    assert.deepEqual(complaints, []);
  });

  test("the same seed gives the same run, another one another, and a link begins one", async () => {
    const found = [];
    for (const hash of ["#train?run=0.1_0.005_7", "#train?run=0.1_0.005_7", "#train?run=0.1_0.005_8"]) {
      const { page, skim } = await open(hash);
      assert.equal(await skim.locator('[data-knob="gamma"]').inputValue(), "0.1");
      await press(skim, "Learn");
      await looked(page, 4);
      await press(skim, "Pause");
      await skim.getByRole("slider", { name: "Back through the history" }).fill("2");
      found.push(await skim.locator("svg[aria-label]").first().getAttribute("aria-label"));
      assert.match(page.url(), /run=0\.1_0\.005_[78]/);
      await page.context().close();
    }
    assert.equal(found[0], found[1]);
    assert.notEqual(found[0], found[2]);
  });

  test("it is held up, goes on, waits while another chapter is open, and ends when asked to", async () => {
    const { page, complaints, skim } = await open();
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    await skim.getByRole("button", { name: "Learn", exact: true }).focus();
    await page.keyboard.press("Enter");
    await looked(page, 2);
    assert.equal(await focused(), "Pause");
    await page.keyboard.press("Enter");
    await until(page, "skim", "paused");
    assert.equal(await focused(), "Go on");
    const moments = async () => Number(await skim.locator('[data-figure="history"]').getAttribute("data-moments"));
    const step = () => skim.locator('[data-row="step"] dd').innerText();
    // Once what was under way when it was held up is done, nothing moves.
    const held = await eventually(async () => {
      const held = [await moments(), await step()];
      await page.waitForTimeout(500);
      assert.deepEqual([await moments(), await step()], held);
      return held;
    });
    await press(skim, "Go on");
    await looked(page, held[0] + 1);
    await leaveAndReturn(page);
    await until(page, "skim", "paused");
    await press(skim, "Stop");
    await until(page, "skim", "ended");
    assert.equal(await focused(), "Learn again");
    assert.ok((await moments()) > held[0]);
    await skim.getByRole("button", { name: "another seed" }).focus();
    await page.keyboard.press("Enter");
    await until(page, "skim", "running");
    assert.equal(await focused(), "Pause");
    assert.deepEqual(complaints, []);
  });

  test("a knob that is turned acts at once, and the history knows when", async () => {
    const { page, complaints, skim } = await open("#train?run=0_0.005_1");
    // By then it reads what helps it, and skims no more than it began with.
    await pressedAsSoon(page, "Pause", { within: '[data-figure="skim"]', moments: 20 }, () => press(skim, "Learn"));
    await until(page, "skim", "paused");
    const before = await share(skim, "skimmed");
    const temperature = skim.locator('[data-knob="temperature"]');
    assert.equal(await temperature.getAttribute("aria-valuetext"), "falls by itself");
    await temperature.fill("0.6");
    await page.getByRole("button", { name: "Turn it up" }).click();
    assert.equal(await skim.locator('[data-knob="gamma"]').inputValue(), "0.2");
    await press(skim, "Go on");
    await temperature.focus();
    await until(page, "skim", "ended");
    // Who stands there as the run ends still does, and turns nothing.
    await page.keyboard.press("ArrowRight");
    assert.deepEqual(await page.evaluate(() => [document.activeElement.dataset.knob, document.activeElement.value]), ["temperature", "0.6"]);
    assert.equal(await temperature.getAttribute("aria-valuetext"), "0.6");
    assert.ok((await share(skim, "skimmed")) > before + 20);
    assert.equal(await skim.locator("line.turned").count(), 1);
    assert.match(await skim.locator('[data-said="moment"]').innerText(), /γ 0\.2, a learning rate of 0\.005 and a temperature of 0\.6/);
    await skim.getByRole("slider", { name: "Back through the history" }).fill("1");
    assert.match(await skim.locator('[data-said="moment"]').innerText(), /γ 0 and/);
    // Another run begins as its link says.
    assert.ok(await temperature.isDisabled());
    const why = await temperature.evaluate((slider) => document.getElementById(slider.getAttribute("aria-describedby")).innerText);
    assert.match(why, /you can while the network learns/);
    await press(skim, "Learn again");
    await looked(page, 1);
    assert.equal(await temperature.getAttribute("aria-valuetext"), "falls by itself");
    assert.deepEqual(complaints, []);
  });

  test("two learners go side by side, are told apart, and a link begins them again", async () => {
    const { page, complaints, skim } = await open();
    await choose(page.getByRole("radio", { name: "two values of γ" }));
    await skim.locator('[data-knob="second"]').fill("0.2");
    await press(skim, "Learn");
    const beside = skim.locator('[data-figure="beside"]');
    await page.waitForFunction(() => Number(document.querySelector('[data-figure="beside"]')?.dataset.moments) >= 16);
    // Both learn in a worker: the page's own thread, whose frames are drawn meanwhile, has no engine to learn by.
    const engines = (thread) => thread.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => /train(_relaxed)?_bg/.test(name)).length);
    assert.equal(await engines(page), 0);
    assert.deepEqual((await Promise.all(page.workers().map(engines))).filter((count) => count > 0), [1]);
    await press(skim, "Pause");
    await until(page, "skim", "paused");
    assert.match(page.url(), /run=0\.03_0\.005_1_0_0\.2/);
    const said = await beside.locator("li").allInnerTexts();
    assert.match(said[0], /^γ 0\.03: \d+% right/);
    assert.match(said[1], /^γ 0\.2: \d+% right/);
    assert.notEqual(said[0].replace(/^γ \S+/, ""), said[1].replace(/^γ \S+/, ""));
    // The large figures of both, each under its name; those of the moment that is looked at.
    for (const [n, learner] of ["first", "second"].entries()) {
      const figures = skim.locator(`:scope > [data-learner="${learner}"]`);
      const [, name, right, skimmed] = /^(γ \S+): (\d+% right), (\d+% skimmed)/.exec(said[n]);
      assert.ok((await figures.textContent()).replace(/\s+/g, " ").trim().startsWith(`${name}:`));
      assert.equal(`${await share(figures, "accuracy")}% right`, right);
      assert.equal(`${await share(figures, "skimmed")}% skimmed`, skimmed);
    }
    // Each sentence stands there as both read it, in the colours of one alone, under the name of each, with what each says of it.
    const ten = skim.locator('[data-figure="sentences"] > li');
    assert.equal(await ten.count(), 10);
    const readings = (learner) => ten.locator(`[data-learner="${learner}"]`);
    const decisions = (learner) => readings(learner).evaluateAll((all) => all.map((one) => [...one.querySelectorAll("[data-decision]")].map(({ dataset }) => dataset.decision).join(" ")));
    for (const [learner, name] of [
      ["first", "γ 0.03"],
      ["second", "γ 0.2"],
    ]) {
      const spoken = (await readings(learner).allTextContents()).map((text) => text.replace(/\s+/g, " ").trim());
      assert.equal(spoken.length, 10);
      for (const text of spoken) assert.match(text, new RegExp(`^${name}: .+ reads.+ says (good|bad)`));
      assert.equal(await readings(learner).locator('svg[aria-hidden="true"]').count(), 10);
    }
    const skims = (all) => all.join(" ").split(" ").filter((decision) => decision === "skim").length;
    const [reads, otherReads] = [await decisions("first"), await decisions("second")];
    assert.ok(skims(otherReads) > skims(reads), `γ 0.2 skims ${skims(otherReads)} words, γ 0.03 ${skims(reads)}`);
    // The same words, so that one stands below the other.
    const lengths = (all) => all.map((one) => one.split(" ").length);
    assert.deepEqual(lengths(otherReads), lengths(reads));
    for (const name of ["opinion", "denial", "other"]) {
      const counts = await skim.locator(`[data-class="${name}"] dd`).allTextContents();
      assert.deepEqual(counts.map((text) => /γ\s+(\S+):/.exec(text)[1]), ["0.03", "0.2"]);
    }
    // Other dashes and another mark, not only another place.
    assert.ok((await skim.locator("path.second").count()) >= 3);
    assert.ok((await skim.locator("path.diamond").count()) >= 3);
    await skim.getByRole("slider", { name: "Back through the history" }).fill("3");
    const early = await beside.locator("li").allInnerTexts();
    assert.notDeepEqual(early, said);
    assert.notDeepEqual(await decisions("first"), reads);
    assert.notDeepEqual(await decisions("second"), otherReads);
    // The first is the same as without a second.
    const lone = await open("#train?run=0.03_0.005_1");
    await press(lone.skim, "Learn");
    await looked(lone.page, 4);
    await press(lone.skim, "Pause");
    await lone.skim.getByRole("slider", { name: "Back through the history" }).fill("3");
    const [, right] = /(\d+%) right/.exec(early[0]);
    assert.match(await lone.skim.locator("svg[aria-label]").first().getAttribute("aria-label"), new RegExp(`${right} right`));

    const again = await open(new URL(page.url()).hash);
    assert.ok(await again.page.getByRole("radio", { name: "two values of γ" }).isChecked());
    assert.equal(await again.skim.locator('[data-knob="second"]').inputValue(), "0.2");
    await choose(page.getByRole("radio", { name: "one learner" }));
    await beside.waitFor({ state: "detached" });
    assert.equal(await ten.locator("[data-learner]").count(), 10);
    assert.equal(await ten.getByText("γ").count(), 0);
    await press(skim, "Stop");
    await until(page, "skim", "ended");
    assert.deepEqual(complaints, []);
  });

  test("what it has learned is read with in Read, also after that page was loaded again, and can be saved", async () => {
    const { page, complaints, skim } = await open();
    await press(skim, "Learn");
    await until(page, "skim", "ended");
    const [download] = await Promise.all([page.waitForEvent("download"), press(skim, "Save the model")]);
    assert.equal(download.suggestedFilename(), "learned-here.safetensors");
    assert.match(readFileSync(await download.path(), "latin1").slice(8, 4000), /"saccade"/);
    const sentence = await skim.locator('[data-figure="sentences"] li .visually-hidden').first().innerText();
    await press(skim, "Use it in Read");
    await page.locator('[data-score="good"]').waitFor();
    const text = await page.inputValue("#text");
    assert.ok(sentence.startsWith(text), `${text} is not of ${sentence}`);
    assert.ok(await page.getByRole("radio", { name: "learned-here.safetensors" }).isChecked());
    assert.ok((await page.locator('.token[data-decision="skim"]').count()) > 0);
    await page.locator('[data-keeping="kept"]').waitFor();
    await page.reload();
    await page.locator('[data-score="good"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("a way leads back from what is read with it, to the text and the model from before", async () => {
    const { page, complaints, skim } = await open("#train?text=mine");
    await pressedAsSoon(page, "Stop", { within: '[data-figure="skim"]', moments: 1 }, () => press(skim, "Learn"));
    await until(page, "skim", "ended");
    await press(skim, "Use it in Read");
    await page.getByRole("button", { name: "Back to your text" }).click();
    assert.equal(await page.inputValue("#text"), "mine");
    assert.equal(await page.locator('input[name="model"]:checked').inputValue(), "sst2-skim-lstm-small");
    await page.locator('[data-score="positive"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("a file of the visitor's is learned from; what is wrong with one is said", async () => {
    const { page, complaints, skim } = await open();
    const input = page.getByLabel("A file of texts with labels");
    const learn = skim.getByRole("button", { name: "Learn", exact: true });
    for (const [lines, said] of [
      [rows.map((row, at) => (at === 6 ? "nothing" : row)), /^Line 7: expected a label, a tab and a text\./],
      [rows.slice(0, 10), /at least 40 lines/],
      [rows.map((row) => row.replace(/^\w+/, "yes")), /the same label/],
    ]) {
      await input.setInputFiles(file(lines));
      await page.locator("[data-refused]", { hasText: said }).waitFor();
      // The same file is another one once it was mended.
      assert.equal(await input.inputValue(), "");
      assert.ok(await learn.isDisabled());
    }
    await unread(page, () => input.setInputFiles(file(rows, "folder")));
    await input.setInputFiles({ name: "wide.tsv", mimeType: "text/plain", buffer: Buffer.from(rows.join("\n"), "utf16le") });
    await page.locator("[data-refused]", { hasText: "wide.tsv is no text in UTF-8." }).waitFor();
    assert.ok(await learn.isDisabled());
    await input.setInputFiles(file(rows));
    await page.getByText("mine.tsv: 120 texts, 2 labels.").waitFor();
    // It may be dropped as well, and is no model.
    await skim.evaluate((figure, lines) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([lines], "dropped.tsv"));
      for (const type of ["dragover", "drop"]) figure.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }, rows.slice(0, 100).join("\n"));
    await page.getByText("dropped.tsv: 100 texts, 2 labels.").waitFor();
    assert.equal(await page.locator('[data-stage="failed"], .drop').count(), 0);
    await learn.click();
    await until(page, "skim", "ended");
    assert.equal(await share(skim, "accuracy"), 100);
    assert.match(await skim.locator('[data-figure="sentences"] li').first().innerText(), /says (yes|no)/);
    // The classes are those of the page's own words.
    assert.equal(await skim.locator('[data-figure="classes"]').count(), 0);
    // What was learned stands until something else is.
    const moments = await skim.locator('[data-figure="history"]').getAttribute("data-moments");
    const stands = async () => {
      assert.equal(await skim.getAttribute("data-run"), "ended");
      assert.equal(await skim.locator('[data-figure="history"]').getAttribute("data-moments"), moments);
      assert.match(await skim.locator('[data-figure="sentences"] li').first().innerText(), /says (yes|no)/);
      assert.ok(await skim.getByRole("button", { name: "Use it in Read" }).isEnabled());
    };
    await input.setInputFiles(file(["nothing", "at all"], "bad.txt"));
    await page.locator("[data-refused]").waitFor();
    await stands();
    await page.getByRole("radio", { name: "Our sentences" }).focus();
    await page.keyboard.press("Space");
    await page.locator("[data-refused]").waitFor({ state: "detached" });
    await stands();
    assert.ok(!page.url().includes("run="));
    await press(skim, "Learn again");
    await looked(page, 1);
    await skim.locator('[data-figure="classes"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("what is learned from is still chosen when the chapter is opened again", async () => {
    const { page, complaints, skim } = await open();
    await pressedAsSoon(page, "Stop", { within: '[data-figure="skim"]', moments: 1 }, () => press(skim, "Learn"));
    await until(page, "skim", "ended");
    await skim.locator('[data-figure="classes"]').waitFor();
    await leaveAndReturn(page);
    await until(page, "skim", "ended");
    assert.equal(await skim.locator('[data-figure="classes"]').count(), 1);
    await page.getByLabel("A file of texts with labels").setInputFiles(file(rows));
    await page.getByText("mine.tsv: 120 texts, 2 labels.").waitFor();
    await pressedAsSoon(page, "Stop", { within: '[data-figure="skim"]', moments: 1 }, () => press(skim, "Learn again"));
    await until(page, "skim", "ended");
    await leaveAndReturn(page);
    assert.ok(await page.getByRole("radio", { name: "mine.tsv" }).isChecked());
    await page.getByText("mine.tsv: 120 texts, 2 labels.").waitFor();
    await pressedAsSoon(page, "Stop", { within: '[data-figure="skim"]', moments: 1 }, () => press(skim, "Learn again"));
    await until(page, "skim", "ended");
    assert.match(await skim.locator('[data-figure="sentences"] li').first().innerText(), /says (yes|no)/);
    assert.deepEqual(complaints, []);
  });

  test("an engine that does not come says so, and may come the next time", async () => {
    const { page, skim } = await open();
    server.hidden.add(".wasm");
    await press(skim, "Learn");
    await page.locator('[data-state="train-failed"]').waitFor();
    server.hidden.clear();
    await press(skim, "Learn");
    await looked(page, 1);
  });
});

describe("a text of one's own", { timeout: 600_000 }, () => {
  const text = "The cat sat on the mat, and the dog sat by the door.\n".repeat(60);

  test("is learned letter by letter; samples are gone through by keyboard, and the model guesses in Predict", async () => {
    const { page, complaints, letters } = await open("#train/letters");
    await choose(page.getByRole("radio", { name: "My text" }));
    const learn = letters.getByRole("button", { name: "Learn the text" });
    assert.ok(await learn.isDisabled());
    await page.getByLabel("Your text to learn").fill(text);
    await choose(page.getByRole("radio", { name: "GRU" }));
    await learn.click();
    await until(page, "letters", "ended");
    const bits = () => letters.locator('[data-row="bits"] dd').innerText();
    assert.ok(Number(await bits()) < 1, await bits());
    const sample = letters.locator('[data-figure="sample"]');
    const last = await sample.innerText();
    assert.match(last, /the (cat|mat|dog|door)/);
    const slider = letters.getByRole("slider", { name: "Back through the samples" });
    await slider.focus();
    await page.keyboard.press("Home");
    assert.match(await slider.getAttribute("aria-valuetext"), /^after 1 pass:/);
    assert.notEqual(await sample.innerText(), last);
    assert.ok(Number(await bits()) > 1);

    await press(letters, "Use it in Predict");
    await page.locator('[data-next="0"]').waitFor();
    assert.ok(text.startsWith(await page.inputValue("#text")));
    assert.ok(await page.getByRole("radio", { name: "my-gru.safetensors" }).isChecked());
    // The models stay under the pointer that goes from one to the other.
    const place = () =>
      page.evaluate(() => {
        const [text, radio] = ["#text", 'input[name="language"]'].map((one) => document.querySelector(one).getBoundingClientRect().top);
        return Math.round(radio - text);
      });
    const before = await place();
    await choose(page.getByRole("radio", { name: "Shakespeare" }));
    assert.equal(await place(), before);
    await choose(page.getByRole("radio", { name: "my-gru.safetensors" }));
    assert.equal(await place(), before);
    await page.locator('[data-next="0"]').waitFor();
    // It guesses again when the page was loaded anew, until it is forgotten.
    await page.locator('[data-keeping="kept"]').waitFor();
    await page.waitForURL(/language=own/);
    await page.reload();
    await page.locator('[data-next="0"]').waitFor();
    assert.ok(await page.getByRole("radio", { name: "my-gru.safetensors" }).isChecked());
    const forget = page.getByRole("button", { name: "Forget it" });
    assert.equal(await forget.evaluate((button) => getComputedStyle(button).borderStyle), "none");
    await forget.click();
    await page.locator('[data-keeping="forgotten"]').waitFor();
    // To choose it again keeps nothing.
    for (const name of ["Novels", "my-gru.safetensors"]) {
      await page.getByRole("radio", { name }).dispatchEvent("click");
      await page.locator('[data-next="0"]').waitFor();
    }
    await page.locator('[data-keeping="forgotten"]').waitFor();
    await page.reload();
    await page.locator('[data-next="0"]').waitFor();
    assert.ok(await page.getByRole("radio", { name: "Novels" }).isChecked());
    assert.deepEqual(complaints, []);
  });

  test("is still there when the chapter is opened again", async () => {
    const { page, complaints, letters } = await open("#train/letters?run=letters_sru_shakespeare_5");
    await choose(page.getByRole("radio", { name: "My text" }));
    await page.getByLabel("Your text to learn").fill(text);
    // Also what a link says otherwise, which has been taken.
    await leaveAndReturn(page);
    assert.ok(await page.getByRole("radio", { name: "My text" }).isChecked());
    await pressedAsSoon(page, "Stop", { within: '[data-figure="letters"]', moments: 1 }, () => press(letters, "Learn the text"));
    await until(page, "letters", "ended");
    // The file has the name of the cell that learned, whichever is chosen for the next run.
    await choose(page.getByRole("radio", { name: "GRU" }));
    const [download] = await Promise.all([page.waitForEvent("download"), press(letters, "Save the model")]);
    assert.equal(download.suggestedFilename(), "my-sru.safetensors");
    await leaveAndReturn(page);
    assert.ok(await page.getByRole("radio", { name: "My text" }).isChecked());
    assert.equal(await page.getByLabel("Your text to learn").inputValue(), text);
    await until(page, "letters", "ended");
    assert.deepEqual(complaints, []);
  });

  test("may be too short for another run by the time that one is stopped, and who stopped it still has a place", async () => {
    const { page, complaints, letters } = await open("#train/letters");
    await choose(page.getByRole("radio", { name: "My text" }));
    await page.getByLabel("Your text to learn").fill(text);
    await pressedAsSoon(page, "Pause", { within: '[data-figure="letters"]', moments: 1 }, () => press(letters, "Learn the text"));
    await until(page, "letters", "paused");
    await page.getByLabel("Your text to learn").fill("too short");
    await letters.getByRole("button", { name: "Stop" }).focus();
    await page.keyboard.press("Enter");
    await until(page, "letters", "ended");
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
    await eventually(async () => assert.equal(await focused(), "Learn again"));
    // Which begins nothing.
    await page.keyboard.press("Enter");
    await until(page, "letters", "ended");
    assert.equal(await focused(), "Learn again");
    assert.deepEqual(complaints, []);
  });

  test("guesses in Predict also where the browser has no room to keep it, and the page says so", async () => {
    const { page, complaints, letters } = await open("#train/letters");
    await page.evaluate(() => {
      Cache.prototype.put = () => Promise.reject(new DOMException("no room", "QuotaExceededError"));
    });
    await choose(page.getByRole("radio", { name: "My text" }));
    await page.getByLabel("Your text to learn").fill(text);
    await pressedAsSoon(page, "Stop", { within: '[data-figure="letters"]', moments: 1 }, () => press(letters, "Learn the text"));
    await until(page, "letters", "ended");
    await press(letters, "Use it in Predict");
    await page.locator('[data-keeping="refused"]', { hasText: "no room" }).waitFor();
    await page.locator('[data-next="0"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("may be a file; each cell learns; Shakespeare is there to begin with", async () => {
    const { page, complaints, letters } = await open("#train/letters");
    const input = page.getByLabel("A text file");
    await input.setInputFiles(file([text], "diary.txt"));
    assert.equal((await page.inputValue("textarea")).trim(), text.trim());
    assert.equal(await input.inputValue(), "");
    // What is none takes no text's place.
    await input.setInputFiles({ name: "icon.png", mimeType: "image/png", buffer: readFileSync(new URL("../public/icon-512.png", import.meta.url)) });
    await page.getByRole("status").getByText("icon.png is no text").waitFor();
    assert.equal((await page.inputValue("textarea")).trim(), text.trim());
    await unread(page, () => input.setInputFiles(file([text], "folder")));
    await input.setInputFiles(file([text], "diary.txt"));
    await page.getByText("folder cannot be read.").waitFor({ state: "detached" });
    await page.getByLabel("Your text to learn").fill("");
    await input.setInputFiles(file(["é".repeat(2_000_000)], "long.txt"));
    await page.getByText("Only the first 1,000,000 letters are learned.").waitFor();
    assert.equal((await page.inputValue("textarea")).length, 1_000_001);
    await input.setInputFiles(file([text], "diary.txt"));
    await page.getByText("Only the first").waitFor({ state: "detached" });
    for (const cell of ["LSTM", "SRU", "Elman"]) {
      await choose(page.getByRole("radio", { name: cell, exact: true }));
      await pressedAsSoon(page, "Stop", { within: '[data-figure="letters"]', moments: 2 }, () => letters.locator(".action").click());
      await until(page, "letters", "ended");
    }
    await choose(page.getByRole("radio", { name: "Shakespeare" }));
    await letters.locator(".action").click();
    await page.waitForFunction(() => Number(document.querySelector('[data-figure="letters"]').dataset.moments) >= 1);
    await letters.getByText("knows nothing: 5.9").waitFor();
    await press(letters, "Pause");
    assert.deepEqual(complaints, []);
  });
});

for (const [scene, data, begin] of [
  ["letters", "shakespeare", "Learn the text"],
  ["name", "sounds", "Learn to say it"],
]) {
  test(`${scene}: nothing is learned in another chapter from data that was on its way when this one was left`, { timeout: 600_000 }, async () => {
    const { page, complaints, asked } = await open(`#train/${scene}`);
    const figure = page.locator(`[data-figure="${scene}"]`);
    let [fetches, release] = [0, undefined];
    const held = new Promise((resolve) => (release = resolve));
    await page.route(new RegExp(`/${data}[^/]*\\.txt`), async (route) => {
      fetches += 1;
      await held;
      await route.continue();
    });
    await press(figure, begin);
    await until(page, scene, "starting");
    // A second press begins nothing.
    await figure.locator(".action").click({ force: true });
    await page.getByRole("link", { name: "Batch", exact: true }).click();
    await page.locator('[data-figure="schedule"]').waitFor();
    const came = page.waitForResponse((response) => response.url().includes(data));
    release();
    await (await came).finished();
    await page.getByRole("link", { name: "Train", exact: true }).click();
    await until(page, scene, "idle");
    assert.equal(fetches, 1);
    assert.ok(!asked.some((url) => /train(_relaxed)?_bg/.test(url)));
    await press(figure, begin);
    await figure.locator(".action", { hasText: "Pause" }).waitFor();
    assert.deepEqual(complaints, []);
  });
}

describe("how far back", { timeout: 600_000 }, () => {
  test("an LSTM and an SRU learn to remember, and an Elman network whose gradient dies does not", async () => {
    const { page, complaints, asked } = await open("#train/far");
    const far = page.locator('[data-figure="far"]');
    assert.ok(!asked.some((url) => /graph(_relaxed)?_bg/.test(url)));
    await press(far, "Let them learn");
    await page.waitForFunction(() => document.querySelectorAll('[data-figure="far"] [data-arrives]').length === 3);
    const arrives = async (cell) => Number(await far.locator(`[data-cell="${cell}"]`).getAttribute("data-arrives"));
    assert.ok((await arrives("elman")) < 1e-6);
    assert.ok((await arrives("sru")) > 0.01);
    await press(far, "Pause");
    await until(page, "far", "paused");
    await press(far, "Go on");
    await until(page, "far", "ended");
    const right = async (cell) => Number(await far.locator(`[data-cell="${cell}"]`).getAttribute("data-right"));
    assert.deepEqual([await right("lstm"), await right("sru")], [1, 1]);
    assert.ok((await right("elman")) < 0.8);
    assert.match(await far.locator('p[role="status"]').innerText(), /LSTM 100%, SRU 100%/);
    assert.deepEqual(complaints, []);
  });

  test("a gradient that is cut is drawn so at once; fewer letters, and large weights, are a new beginning", async () => {
    const { page, complaints } = await open("#train/far");
    const far = page.locator('[data-figure="far"]');
    await far.locator('[data-knob="length"]').focus();
    await page.keyboard.press("Home");
    await page.getByRole("button", { name: "Cut the gradient short" }).click();
    assert.equal(await far.locator('[data-knob="reach"]').inputValue(), "4");
    // As many as there may be: their steps take long enough to turn a knob between them.
    await far.locator('[data-knob="length"]').focus();
    await page.keyboard.press("End");
    await press(far, "Let them learn");
    await far.locator('[data-cell="sru"][data-arrives="0"]').waitFor();
    await far.getByText("Nothing of it arrives").first().waitFor();
    await page.getByRole("button", { name: "Cut the gradient short" }).click();
    await far.locator('[data-cell="sru"]:not([data-arrives="0"])').waitFor();
    await page.getByRole("button", { name: "fewer letters" }).click();
    await far.locator('[data-knob="length"][aria-valuetext^="20"]').waitFor();
    await far.getByLabel("Elman begins with weights").check();
    // Both at one moment: the gradient becomes smaller as the network learns.
    await page.waitForFunction(() => {
      const elman = document.querySelector('[data-cell="elman"]');
      return Number(elman.dataset.arrives) >= 2 && /times as large as at the end/.test(elman.textContent);
    });
    assert.deepEqual(complaints, []);
  });
});

test("a link begins a run of each scene as it was", { timeout: 600_000 }, async () => {
  const { page, complaints, letters } = await open("#train/letters?run=letters_sru_own_5");
  assert.ok(await page.getByRole("radio", { name: "SRU" }).isChecked());
  await page.locator('[data-linked="own"]').waitFor();
  await page.getByLabel("Your text to learn").fill("one two three four five. ".repeat(100));
  await pressedAsSoon(page, "Pause", { within: '[data-figure="letters"]' }, () => press(letters, "Learn the text"));
  await page.locator('[data-linked="own"]').waitFor({ state: "detached" });
  assert.match(page.url(), /run=letters_sru_own_5/);
  const far = await open("#train/far?run=far_40_10_0_4_1");
  const figure = far.page.locator('[data-figure="far"]');
  assert.deepEqual([await figure.locator('[data-knob="length"]').inputValue(), await figure.locator('[data-knob="reach"]').inputValue()], ["40", "10"]);
  assert.ok(!(await figure.getByLabel("Clip gradients").isChecked()));
  assert.ok(await figure.getByLabel("Elman begins with weights").isChecked());
  await press(figure, "Let them learn");
  await until(far.page, "far", "running");
  await figure.locator('[data-knob="reach"]').fill("20");
  // The same run begins by the same link, whatever was turned since.
  await figure.locator("label b").getByText("20 letters", { exact: true }).waitFor();
  assert.match(far.page.url(), /run=far_40_10_0_4_1/);
  assert.deepEqual([...complaints, ...far.complaints], []);
});

describe("a name", { timeout: 600_000 }, () => {
  const looks = (page, times) => page.waitForFunction((times) => Number(document.querySelector('[data-figure="name"]').dataset.moments) >= times, times);

  test("is said letter by letter by a network that learns, and was said otherwise before", async () => {
    const { page, complaints, asked } = await open("#train/name");
    const name = page.locator('[data-figure="name"]');
    const field = name.getByLabel("A name");
    await field.fill("Maxine");
    assert.equal(await name.locator("[data-letter]").count(), 6);
    assert.ok(!asked.some((url) => /sounds[^/]*\.txt|train_bg/.test(url)));
    await press(name, "Learn to say it");
    await until(page, "name", "ended");
    assert.equal(asked.filter((url) => /sounds[^/]*\.txt/.test(url)).length, 1);
    assert.ok((await share(name, "sounds")) >= 80);
    assert.ok((await share(name, "words")) >= 40);
    assert.equal(await name.locator('[data-letter="x"]').getAttribute("data-sounds"), "K S");
    assert.match(await name.locator('[data-letter="m"]').innerText(), /m: m, .+% sure/);
    assert.match(await name.locator("[data-said]").innerText(), /^It says \/m.+ks/);
    assert.match(await name.getByRole("status").innerText(), /It has learned/);

    const slider = name.getByRole("slider", { name: "Back through what it has learned" });
    await slider.focus();
    await page.keyboard.press("Home");
    assert.match(await slider.getAttribute("aria-valuetext"), /^after 0\.3 passes/);
    assert.equal(await name.locator("[data-sounds]").count(), 6);
    // Whoever asks after the run is answered by the network as it is then.
    await page.keyboard.press("End");
    await field.fill("Zoë-Anne");
    await name.locator('[data-letter="z"][data-sounds="Z"]').waitFor();
    assert.equal(await name.locator("ol").count(), 2);
    await slider.focus();
    await page.keyboard.press("Home");
    await name.getByText("was first asked for later").waitFor();
    // What every object has is a name like others.
    await page.keyboard.press("End");
    await field.fill("constructor");
    await name.locator('[data-letter="c"][data-sounds="K"]').first().waitFor();
    await field.fill("李");
    await name.getByText("Type a name in the letters A to Z.").waitFor();
    assert.deepEqual(complaints, []);
  });

  test("may be asked for while the run is held up, or stopped; words that do not come are told of", async () => {
    const { page, complaints } = await open("#train/name");
    const name = page.locator('[data-figure="name"]');
    server.hidden.add(".txt");
    await press(name, "Learn to say it");
    await name.getByText("The words did not load.").waitFor();
    await until(page, "name", "idle");
    server.hidden.clear();
    complaints.length = 0;
    await press(name, "Learn to say it");
    await looks(page, 1);
    await press(name, "Pause");
    await until(page, "name", "paused");
    await press(name, "Kate");
    await name.locator('[data-letter="k"][data-sounds]').waitFor();
    await press(name, "Stop");
    await until(page, "name", "ended");
    await press(name, "Xavier");
    await name.locator('[data-letter="x"][data-sounds]').waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), press(name, "Save the model")]);
    assert.equal(download.suggestedFilename(), "my-speller.safetensors");
    assert.deepEqual(complaints, []);
  });
});

describe("for everybody", { timeout: 600_000 }, () => {
  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds nothing, ${colorScheme}, with a run under way, its mathematics open, and before`, async () => {
      const { page, skim } = await open("#train?maths=train-skim.train-letters.train-far.train-name", { colorScheme });
      await page.locator("#maths-train-name math").first().waitFor();
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
      const found = async () => {
        const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
      };
      assert.deepEqual(await found(), []);
      await choose(page.getByRole("radio", { name: "two learning rates" }));
      await press(skim, "Learn");
      await page.waitForFunction(() => Number(document.querySelector('[data-figure="beside"]')?.dataset.moments) >= 4);
      await press(skim, "Stop");
      await until(page, "skim", "ended");
      const name = page.locator('[data-figure="name"]');
      await press(name, "Learn to say it");
      await name.locator("[data-sounds]").first().waitFor();
      await press(name, "Pause");
      await name.locator("summary").click();
      assert.deepEqual(await found(), []);
    });
  }

  test("nothing scrolls sideways from 320 to 2,560 pixels", async () => {
    for (const width of [320, 390, 768, 1440, 2560]) {
      const { page, skim } = await open("#train", { viewport: { width, height: 900 } });
      await choose(page.getByRole("radio", { name: "two values of γ" }));
      await press(skim, "Learn");
      await looked(page, 2);
      await page.locator('[data-figure="beside"]').waitFor();
      await page.getByLabel("A name").fill("Wolfeschlegelsteinhause");
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}`);
      await page.context().close();
    }
  });

  test("the engine that learns comes to nobody who does not learn", async () => {
    const { page } = await openPage(browser);
    const asked = [];
    page.context().on("request", (request) => asked.push(request.url()));
    await page.goto(server.url);
    await page.locator('[data-stage="ready"]').waitFor();
    await page.locator("nav[aria-labelledby] svg").last().waitFor({ state: "attached" });
    assert.ok(!asked.some((url) => /train_bg|(shakespeare|sounds)[^/]*\.txt/.test(url)));
  });
});
