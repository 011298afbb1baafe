/** The chapter Predict: what it shows is what the package answers, by pointer and by keyboard, on a phone, and without what is on its way. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { load } from "../../js/tests/package.mjs";
import { root } from "../../scripts/steps.mjs";
import { pressedAsSoon } from "./browser.mjs";
import { choose, complaints, eventually, openAt, page, renew, server } from "./opened.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TEXT = "He took off his hat, and ate his umbrella.";
/** The engine here and the page's may be different builds. */
const BOUND = 0.02;
const models = {};

before(async () => {
  for (const name of ["novels-lm", "shakespeare-lstm"]) {
    models[name] = await load(readFileSync(join(root, "models", `${name}.safetensors`)), { task: "predict", cache: false });
  }
});
after(() => Object.values(models).forEach((model) => model.dispose()));

const address = (text, { scene = "", ...fields } = {}) => `#predict${scene && `/${scene}`}?${new URLSearchParams({ text, ...fields })}`;

async function open(text = TEXT, { fields, ...options } = {}) {
  await openAt(address(text, fields), options);
  await page.locator('[data-figure="so-far"]').waitFor();
}

const near = (a, b) => Math.abs(a - b) <= BOUND * Math.max(1, Math.abs(b));
const surprise = () => page.locator('[aria-labelledby="predict-surprise"]');
const bits = () => surprise().locator(".word").evaluateAll((all) => all.map(({ dataset }) => Number(dataset.bits)));
const nexts = () => page.locator("[data-next]").evaluateAll((all) => all.map(({ dataset }) => Number(dataset.id)));
/** The first of the next words that is none of those at present. */
const changed = (ids) => page.waitForFunction((ids) => [...document.querySelectorAll("[data-next]")].map(({ dataset }) => Number(dataset.id)).join() !== ids.join(), ids);

describe("surprise", { timeout: 600_000 }, () => {
  test("every word has the surprisal and the rank that the package gives it", async () => {
    await open();
    const { tokens, perplexity } = await models["novels-lm"].score(TEXT);
    const ours = await bits();
    assert.equal(ours.length, tokens.length);
    tokens.forEach((token, at) => assert.ok(near(ours[at], token.bits), `${token.text}: ${ours[at]}, ${token.bits}`));
    assert.ok((await page.locator('[data-figure="perplexity"]').innerText()).includes(perplexity.toFixed(0)));

    const umbrella = tokens.findIndex(({ text }) => text === "umbrella");
    await surprise().locator(`[data-index="${umbrella}"]`).click();
    const panel = page.locator('[data-figure="numbers"]');
    await panel.and(page.locator('[aria-label*="umbrella"]')).waitFor();
    const number = (name) => panel.locator(`[data-number="${name}"]`).innerText();
    assert.ok(near(Number.parseFloat(await number("bits")), tokens[umbrella].bits));
    assert.equal(Number(/^[\d,]+/.exec(await number("rank"))[0].replace(",", "")), tokens[umbrella].rank);
    assert.equal(Number((await number("rows")).split(" ")[0].replace(",", "")), tokens[umbrella].rowsComputed);
    assert.match(await number("cluster"), tokens[umbrella].cluster === 0 ? /head/ : new RegExp(`tail ${tokens[umbrella].cluster}`));
    // What was expected in its place is what the package expects there.
    await panel.locator('.instead[aria-busy="false"]').waitFor();
    const { words } = await models["novels-lm"].predict(TEXT.slice(0, tokens[umbrella - 1].end), { top: 5 });
    const [first] = await panel.locator(".instead li bdi").allInnerTexts();
    assert.equal(first, words[0].text);
    assert.deepEqual(complaints, []);
  });

  test("the arrow keys go from word to word, and each says its numbers", async () => {
    await open();
    const words = surprise().locator(".word");
    await words.nth(0).focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.activeElement.dataset.index === "1");
    assert.match(await words.nth(1).getAttribute("aria-label"), /^took: [\d.]+ bits, [\d,]+(st|nd|rd|th) on its list/);
    await page.locator('[data-figure="numbers"][aria-label*="took"]').waitFor();
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.activeElement.textContent.startsWith("."));
    assert.equal(await surprise().locator('.word[tabindex="0"]').count(), 1);
  });

  test("words that the model does not know say so, and odd texts break nothing", async () => {
    await open("A <b>xqzzy</b> & <script>alert(1)</script> <unk> <eos> 😀 \u202Eabc \u0000 e\u0301\n\nשלום");
    assert.ok((await surprise().locator('.word[data-known="false"]').count()) > 1);
    assert.match(await surprise().locator('.word[data-known="false"]').first().getAttribute("aria-label"), /a word that it does not know/);
    assert.equal(await page.locator("main script, main b:has-text('xqzzy')").count(), 0);
    assert.deepEqual(complaints, []);
  });

  test("an empty text has next words, and nothing to be surprised by", async () => {
    await open("");
    assert.equal(await surprise().locator(".word").count(), 0);
    const { words } = await models["novels-lm"].predict("", { top: 10 });
    assert.deepEqual(await nexts(), words.map(({ id }) => id));
  });

  test("10,000 words are read in pieces, say how far they are, can be stopped, and a part of them is shown", async () => {
    const long = Array.from({ length: 1250 }, () => "The old man looked at the door. ").join("");
    await open("The");
    await page.evaluate(() => {
      // Stopped as soon as it can be.
      new MutationObserver((_, observer) => {
        const stop = document.querySelector('[data-state="language-reading"] button');
        if (stop) observer.disconnect(), stop.click();
      }).observe(document.body, { subtree: true, childList: true });
    });
    await page.fill("#text", long);
    await page.locator('[data-state="language-stopped"]').waitFor();
    const focused = await page.locator('[data-state="language-stopped"] button').evaluate(async (button) => {
      button.focus();
      button.click();
      await new Promise((resolve) => setTimeout(resolve));
      return document.activeElement === button;
    });
    assert.ok(focused);
    await page.locator('[data-figure="window"]').waitFor();
    assert.ok((await surprise().locator(".word").count()) <= 240);
    assert.match(await page.locator('[data-figure="window"]').innerText(), /^1 to 240 of 10,000$/);
    await page.getByRole("button", { name: "Later" }).click();
    await page.waitForFunction(() => document.querySelector('[data-figure="window"]').textContent.startsWith("241"));
  });
});

describe("next words", { timeout: 600_000 }, () => {
  test("they are the package's, and one that is pressed is what the text goes on with, for the price of one word", async () => {
    await open("There was a knock at the");
    const { words } = await models["novels-lm"].predict("There was a knock at the", { top: 10 });
    const before = await nexts();
    assert.deepEqual(before, words.map(({ id }) => id));
    await page.locator('[data-next="0"]').click();
    await changed(before);
    const text = await page.inputValue("#text");
    assert.equal(text, `There was a knock at the ${words[0].text}`);
    const { words: then } = await models["novels-lm"].predict(text, { top: 10 });
    assert.deepEqual(await nexts(), then.map(({ id }) => id));
    // The word before was being written, and so was a piece by itself.
    assert.ok(Number(await page.locator("[data-computed]").getAttribute("data-computed")) <= 2);
    await page.getByRole("button", { name: "Take it back" }).click();
    await page.waitForFunction(() => document.querySelector("#text").value === "There was a knock at the");
    assert.deepEqual(complaints, []);
  });

  test("by keyboard", async () => {
    await open("There was a knock at the");
    const before = await nexts();
    await page.locator('[data-next="0"]').focus();
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => document.activeElement.dataset.next === "1");
    const name = await page.locator('[data-next="1"] bdi').innerText();
    await page.keyboard.press("Enter");
    await changed(before);
    assert.ok((await page.inputValue("#text")).endsWith(` ${name}`));
  });
});

describe("the field", { timeout: 600_000 }, () => {
  const sum = () => page.locator('[data-figure="computed"]');
  const rows = async () => {
    await page.waitForFunction(() => {
      const { rows, lit } = document.querySelector('[data-figure="computed"]').dataset;
      return rows !== "" && rows === lit;
    });
    return Number(await sum().getAttribute("data-rows"));
  };

  test("lights as many dots as logits were computed, in each way", async () => {
    const text = "There was a knock at the";
    await open(text, { fields: { scene: "field" } });
    for (const [way, top] of [["first", 1], ["ten", 10], ["every", 44_000]]) {
      await choose(page.locator(`input[name="way"][value="${way}"]`));
      const { rowsComputed, clustersOpened } = await models["novels-lm"].predict(text, { top });
      await page.waitForFunction((rows) => document.querySelector('[data-figure="computed"]').dataset.lit === String(rows), rowsComputed);
      assert.equal(await rows(), rowsComputed);
      assert.deepEqual(await page.locator('[data-open="true"]').evaluateAll((all) => all.map(({ dataset }) => Number(dataset.cluster))), [0, ...clustersOpened.toSorted()]);
    }
    assert.equal(await rows(), 44_002);
    assert.deepEqual(complaints, []);
  });

  test("a dot says its word, by keyboard and by pointer", async () => {
    await open("There was a knock at the", { fields: { scene: "field" } });
    await rows();
    const slider = page.locator(".walk input");
    await slider.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    assert.match(await slider.getAttribute("aria-valuetext"), /^“the”, number 3, in the head: /);
    await page.keyboard.press("End");
    assert.match(await slider.getAttribute("aria-valuetext"), /^“.+”, number 44,000, in tail 2: /);
    await page.locator("canvas").hover({ position: { x: 3, y: 3 } });
    await page.waitForFunction(() => document.querySelector('[data-figure="dot"]').dataset.word === "0");
    const canvas = page.locator("canvas");
    const rings = () =>
      eventually(async () => {
        const to = 0.8 * (await canvas.boundingBox()).width;
        await canvas.hover({ position: { x: to, y: 10 } });
        const [field, ring] = [await canvas.boundingBox(), await page.locator(".ring").boundingBox()];
        assert.ok(Math.hypot(ring.x + ring.width / 2 - field.x - to, ring.y + ring.height / 2 - field.y - 10) < ring.width);
      });
    // A lecture enlarges the field, and with it what the pointer is at.
    await page.evaluate(() => (document.documentElement.dataset.lecture = ""));
    assert.ok(await page.evaluate(() => document.querySelector("main").currentCSSZoom > 1));
    await rings();
    // A translator may turn the page.
    await page.evaluate(() => (document.documentElement.dir = "rtl"));
    await rings();
  });

  test("what it takes is measured on demand, or is said not to be told", async () => {
    await open("There was a knock at the", { fields: { scene: "field" } });
    const times = page.locator('[data-figure="softmax-times"]');
    await times.getByRole("button", { name: "Measure it here" }).click();
    await times.and(page.locator('[data-state="measured"]')).waitFor();
    for (const time of await times.locator(".time").allInnerTexts()) assert.match(time, /(µs|ms|too busy to tell)/);
    assert.match(await times.locator(".said").innerText(), /(Every word takes [\d.]+×|too busy to tell)/);
    assert.deepEqual(complaints, []);
  });

  test("it is measured after whatever network the model has", async () => {
    await renew();
    await page.route("**/novels-lm.safetensors", (route) => route.fulfill({ path: join(root, "models", "novels-lstm.safetensors") }));
    await page.goto(server.url + address("There was a knock at the", { scene: "field" }));
    await page.locator('[data-figure="so-far"]').waitFor();
    const times = page.locator('[data-figure="softmax-times"]');
    await times.getByRole("button", { name: "Measure it here" }).click();
    await times.and(page.locator('[data-state="measured"]')).waitFor();
    assert.deepEqual(complaints, []);
  });
});

describe("writing", { timeout: 600_000 }, () => {
  const ids = () => page.locator("[data-written]").evaluateAll((all) => all.map(({ dataset }) => Number(dataset.id)));
  const done = () => page.locator('[aria-label^="What it wrote, "][aria-busy="false"]').waitFor();

  test("is what the package writes with that seed, the same twice, and another with another", async () => {
    const prompt = "There was a knock at the";
    await open(prompt, { fields: { scene: "writing" } });
    const write = page.getByRole("button", { name: "Write", exact: true });
    await write.click();
    await done();
    const first = await ids();
    const expected = [];
    for await (const { id } of models["novels-lm"].generate(prompt, { temperature: 0.7, topP: 1, seed: 1, maxTokens: 60 })) expected.push(id);
    assert.deepEqual(first.slice(0, 10), expected.slice(0, 10));
    assert.ok(first.length > 0 && first.length <= 60);
    await write.click();
    await done();
    assert.deepEqual(await ids(), first);
    await page.getByRole("button", { name: "Again, with another seed" }).click();
    await page.waitForFunction(() => document.querySelector(".text[data-seed]")?.dataset.seed !== "1");
    await done();
    assert.notDeepEqual(await ids(), first);
    assert.match(await page.locator('[data-figure="openings"]').innerText(), /tail 1 was opened .* tail 2 was opened .* of 44,002 logits/);
    await page.locator("[data-written]").first().click();
    assert.match(await page.locator('[data-figure="written"]').innerText(), /had a probability of (1 in .+|[\d.]+%|> 99\.9%)\. .* logits\.$/);
    assert.deepEqual(complaints, []);
  });

  test("takes whole seeds, says so of others, and draws one in their place", async () => {
    await open("There was", { fields: { scene: "writing" } });
    const seed = page.getByLabel("Seed");
    const write = page.getByRole("button", { name: "Write", exact: true });
    for (const wrong of ["1.5", "-1", "4294967296", ""]) {
      await seed.fill(wrong);
      assert.ok(await write.isDisabled(), wrong);
      await page.getByText("A seed is a whole number from 0 to 4,294,967,295.").waitFor();
      await page.getByRole("button", { name: "Again, with another seed" }).click();
      await done();
      assert.match(await seed.inputValue(), /^\d{1,4}$/);
      assert.equal(await page.locator(".text[data-seed]").getAttribute("data-seed"), await seed.inputValue());
    }
    await seed.fill("4294967295");
    await write.click();
    await page.locator('.text[data-seed="4294967295"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("becomes the visitor's text as it is shown, and leaves a way back where it takes another's place", async () => {
    const prompt = "There was a knock at the";
    const text = () => page.inputValue("#text");
    await open(prompt, { fields: { scene: "writing" } });
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await done();
    const shown = await page.locator("[data-written]").allTextContents();
    const take = page.getByRole("button", { name: "Make it my text" });
    const back = page.getByRole("button", { name: "Back to the text before" });
    await take.click();
    await page.waitForFunction((prompt) => document.querySelector("#text").value.length > prompt.length, prompt);
    const whole = await text();
    assert.ok(whole.startsWith(prompt), whole);
    // Where words have spaces between them is told by a test of its own.
    const bare = (text) => text.replace(/\s/g, "");
    assert.ok(bare(whole.slice(prompt.length)).startsWith(bare(shown.slice(0, 5).join(""))), `${whole}: ${shown.join("")}`);
    assert.equal(await back.count(), 0);
    const own = "My own text is another one now.";
    await page.fill("#text", own);
    await take.click();
    await back.waitFor();
    assert.equal(await text(), whole);
    await back.click();
    assert.equal(await text(), own);
    assert.deepEqual(complaints, []);
  });

  test("stops when it is told to, with what it has", async () => {
    await open("There was", { fields: { scene: "writing" }, reducedMotion: "no-preference" });
    await page.evaluate(() => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector("[data-written]")) return;
        observer.disconnect();
        [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Stop").click();
      }).observe(document.body, { subtree: true, childList: true });
    });
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    await page.getByRole("button", { name: "Write", exact: true }).focus();
    await page.keyboard.press("Enter");
    await done();
    assert.ok((await ids()).length < 60);
    assert.ok((await ids()).length > 0);
    assert.equal(await focused(), "Write");
    // One that goes away leaves the focus to the one that stays.
    await page.getByRole("button", { name: "Again, with another seed" }).focus();
    await page.keyboard.press("Enter");
    assert.match(await focused(), /^(Stop|Write)$/);
  });

  test("begins with an empty page", async () => {
    await open("There was", { fields: { scene: "writing" } });
    await page.getByLabel("Begin with an empty page").check();
    await page.getByRole("button", { name: "Write", exact: true }).click();
    const expected = [];
    for await (const { id } of models["novels-lm"].generate("", { temperature: 0.7, topP: 1, seed: 1, maxTokens: 60 })) expected.push(id);
    await eventually(async () => assert.deepEqual((await ids()).slice(0, 10), expected.slice(0, 10)));
  });

  test("the wheel is turned by keyboard and says what it is at", async () => {
    await open("There was", { fields: { scene: "writing" } });
    const wheel = page.getByRole("slider", { name: "Temperature" });
    await wheel.focus();
    assert.equal(await wheel.getAttribute("aria-valuetext"), "0.70, a little cautious");
    await page.keyboard.press("ArrowUp");
    assert.match(await wheel.getAttribute("aria-valuetext"), /^0\.75/);
    await page.keyboard.press("Home");
    assert.equal(await wheel.getAttribute("aria-valuetext"), "0.00, always the likeliest");
    await page.keyboard.press("End");
    assert.match(await wheel.getAttribute("aria-valuetext"), /^2\.00/);
    const box = await wheel.boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + 0.1 * box.height);
    assert.match(await wheel.getAttribute("aria-valuetext"), /^1\.00/);
  });

  test("goes letter by letter with the other model, which the link keeps", async () => {
    await open("To be, or not to be: that is the qu");
    await choose(page.getByRole("radio", { name: "Shakespeare" }));
    await page.waitForURL(/language=shakespeare-lstm/);
    const next = await models["shakespeare-lstm"].predict("To be, or not to be: that is the qu", { top: 10 });
    await page.waitForFunction((ids) => [...document.querySelectorAll("[data-next]")].map(({ dataset }) => Number(dataset.id)).join() === ids, next.words.map(({ id }) => id).join());
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await done();
    const letters = await page.locator('[data-figure="letters"]').textContent();
    assert.ok(letters.length > 0);
    await page.getByRole("group", { name: "letter by letter" }).first().waitFor();
    assert.equal(await page.getByText(/word by word/).count(), 1, "only the way to the other model");

    // What each model wrote, and how, and what the visitor did, is there when the model is chosen again.
    await choose(page.getByRole("radio", { name: "Novels" }));
    await page.getByRole("group", { name: "word by word" }).first().waitFor();
    const controls = [page.getByLabel("Seed"), page.getByLabel("Keep the likeliest"), page.getByLabel("Begin with an empty page")];
    const wheel = page.getByRole("slider", { name: "Temperature" });
    const set = async () => [await wheel.getAttribute("aria-valuenow"), ...(await Promise.all(controls.slice(0, 2).map((each) => each.inputValue()))), await controls[2].isChecked()];
    await controls[0].fill("7");
    await controls[1].fill("0.5");
    await controls[2].check();
    await wheel.press("End");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await done();
    const words = await ids();
    const shown = {
      Shakespeare: async () => assert.deepEqual([await page.locator('[data-figure="letters"]').textContent(), await set()], [letters, ["0.7", "1", "1", false]]),
      Novels: async () => assert.deepEqual([await ids(), await set()], [words, ["2", "7", "0.5", true]]),
    };
    for (const name of ["Shakespeare", "Novels"]) {
      await choose(page.getByRole("radio", { name }));
      await eventually(shown[name]);
      assert.equal(await page.inputValue("#text"), "To be, or not to be: that is the qu");
    }
    await page.locator("header").getByRole("link", { name: "Read", exact: true }).click();
    await page.locator('[data-chapter="read"]').waitFor();
    await page.locator("header").getByRole("link", { name: "Predict", exact: true }).click();
    await eventually(shown.Novels);
    assert.deepEqual(complaints, []);
  });
});

describe("influence", { timeout: 600_000 }, () => {
  test("of letters fits a phone, however long their word", async () => {
    await open("O, honorificabilitudinity!", { fields: { language: "shakespeare-lstm", scene: "influence" }, viewport: { width: 320, height: 640 } });
    const text = page.locator('[aria-labelledby="predict-influence"] .text');
    await text.locator('[data-token="25"]').click();
    await text.and(page.locator('[data-target="25"][aria-busy="false"]')).waitFor();
    const over = await text.evaluate((element) => Math.max(...[...element.querySelectorAll(".word")].map((word) => word.getBoundingClientRect().right)) - element.getBoundingClientRect().right);
    assert.ok(over < 1, `${over} px too wide`);
  });

  test("that cannot be told, since the text is cut otherwise without a word, is said to be so", async () => {
    await open("He lived at No. 5 and said, 'I am here.'", { fields: { scene: "influence" } });
    const scene = page.locator('[aria-labelledby="predict-influence"]');
    const told = async (at, what) => {
      await scene.locator(`[data-token="${at}"]`).click();
      // What is pointed at has its own effect told.
      await page.mouse.move(0, 0);
      await page.evaluate(() => document.activeElement.blur());
      await scene.locator(`[data-target="${at}"][aria-busy="false"]`).waitFor();
      assert.match(await scene.locator(".told").innerText(), what);
    };
    // A quote that opens is one that closes where the text ends.
    await told(8, /^What the guess of “'” hung on cannot be told/);
    // Without the number, “No.” is two words.
    await told(5, /“and”.* What one word did cannot be told/s);
    assert.deepEqual(complaints, []);
  });

  test("is the difference that scoring the text without a word makes", async () => {
    await open(TEXT, { fields: { scene: "influence" } });
    const { tokens } = await models["novels-lm"].score(TEXT);
    const target = tokens.findIndex(({ text }) => text === "umbrella");
    const scene = page.locator('[aria-labelledby="predict-influence"]');
    await scene.locator('.text[aria-busy="false"]').waitFor();
    // What was stopped begins again when its word is pressed again.
    const hat = tokens.findIndex(({ text }) => text === "hat");
    await pressedAsSoon(page, "Stop", { within: '[aria-labelledby="predict-influence"]' }, () => scene.locator(`[data-token="${hat}"]`).click());
    await scene.getByText(`of ${hat}.`).waitFor();
    await scene.locator(`[data-token="${hat}"]`).click();
    await eventually(async () => assert.equal(await scene.locator("[data-effect]").count(), hat));
    await scene.locator(`[data-token="${target}"]`).click();
    await scene.locator(`.text[data-target="${target}"][aria-busy="false"]`).waitFor();
    const found = await scene.locator("[data-effect]").evaluateAll((all) => Object.fromEntries(all.map(({ dataset }) => [dataset.token, Number(dataset.effect)])));
    assert.equal(Object.keys(found).length, target);
    for (const [out, effect] of Object.entries(found)) {
      const { start, end } = tokens[out];
      const left = (TEXT.slice(0, start) + TEXT.slice(end, tokens[target].end).trimStart()).trim();
      const { tokens: without } = await models["novels-lm"].score(tokens[out].text === "," ? TEXT.slice(0, start) + TEXT.slice(end, tokens[target].end) : left);
      assert.ok(near(effect, without.at(-1).bits - tokens[target].bits), `${tokens[out].text}: ${effect}, ${without.at(-1).bits - tokens[target].bits}`);
    }
    // The sign is not told by colour alone.
    const signs = await scene.locator("[data-sign]").evaluateAll((all) => all.map(({ dataset, textContent }) => [dataset.sign, textContent]));
    assert.ok(signs.length > 0);
    for (const [sign, text] of signs) assert.match(text, sign === "more" ? /\+\d/ : /−\d/);
    assert.deepEqual(complaints, []);
  });
});

describe("what is on its way", { timeout: 600_000 }, () => {
  test("nothing of the chapter is fetched before it is opened but its thumbnail, and only its model then", async () => {
    await renew();
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname.split("/").at(-1)));
    await page.goto(server.url);
    await page.locator('[data-stage="ready"]').waitFor();
    await page.locator(".thumbnail .bars").waitFor();
    const models = () => asked.filter((name) => name.endsWith(".safetensors"));
    assert.deepEqual(models(), ["sst2-skim-lstm-small.safetensors"]);
    const before = asked.length;
    await page.getByRole("link", { name: "Predict", exact: true }).click();
    await page.locator('[data-figure="so-far"]').waitFor();
    assert.deepEqual(models().slice(1), ["novels-lm.safetensors"]);
    assert.ok(asked.slice(before).some((name) => /^Chapter-.*\.js$/.test(name)));
    assert.deepEqual(complaints, []);
  });

  test("a model that does not come says so, and another try brings it", async () => {
    await renew();
    await page.route("**/novels-lm.safetensors", (route) => route.abort());
    await page.goto(server.url + address(TEXT));
    const failed = page.locator('[data-state="language-failed"]');
    await failed.waitFor();
    assert.match(await failed.innerText(), /novels-lm/);
    await page.unroute("**/novels-lm.safetensors");
    await failed.getByRole("button", { name: "Try again" }).click();
    await page.locator('[data-figure="so-far"]').waitFor();
  });

  test("what was opened once is there without a network", async () => {
    await openAt("", { serviceWorkers: "allow" });
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await page.getByRole("link", { name: "Predict", exact: true }).click();
    await page.locator('[data-figure="so-far"]').waitFor();
    // Kept once all of it has come.
    await eventually(async () => assert.ok(await page.evaluate(() => caches.match("models/novels-lm.safetensors", { ignoreSearch: true }).then(Boolean))));
    server.unreachable(true);
    try {
      await page.reload();
      await page.locator('[data-figure="so-far"]').waitFor();
      assert.equal((await nexts()).length, 10);
    } finally {
      server.unreachable(false);
    }
  });

  test("of a text that is too long to be read as a whole the last part is read, and that is said", async () => {
    await open("The");
    const text = "The old man looked at the door. ".repeat(4000);
    const cut = (characters) => page.locator('[data-figure="cut"]', { hasText: `only its last ${characters} characters` }).waitFor();
    await page.fill("#text", text);
    await cut("77,997");
    // While it is typed on it begins where it did, so that the rest need not be read again.
    await page.fill("#text", `${text}Then`);
    await cut("78,001");
    await eventually(async () => assert.ok(Number(await page.locator("[data-computed]").getAttribute("data-computed")) <= 2));
  });

  test("a text that is typed meanwhile is the one that is read", async () => {
    await open("The");
    await page.evaluate((text) => {
      window.seen = { meanwhile: false, long: false };
      new MutationObserver(() => {
        if (document.querySelector('[data-figure="window"]')) window.seen.long = true;
        if (window.seen.meanwhile || !document.querySelector('[data-state="language-reading"]')) return;
        window.seen.meanwhile = true;
        const field = document.querySelector("#text");
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }).observe(document.body, { subtree: true, childList: true });
    }, TEXT);
    await page.fill("#text", "The old man looked at the door. ".repeat(1250));
    const { tokens } = await models["novels-lm"].score(TEXT);
    await eventually(async () => {
      const ours = await bits();
      assert.equal(ours.length, tokens.length);
      tokens.forEach((token, at) => assert.ok(near(ours[at], token.bits), `${token.text}: ${ours[at]}, ${token.bits}`));
    });
    assert.deepEqual(await page.evaluate(() => window.seen), { meanwhile: true, long: false });
  });
});

describe("for everybody", { timeout: 600_000 }, () => {
  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds no violation, ${colorScheme}`, async () => {
      const maths = ["surprise", "next", "field", "writing", "influence"].map((scene) => `predict-${scene}`).join(".");
      await open(TEXT, { fields: { maths }, colorScheme, viewport: { width: 390, height: 800 } });
      await page.locator("#maths-predict-influence math").first().waitFor();
      await page.getByRole("button", { name: "Write", exact: true }).click();
      await page.locator("[data-written]").first().waitFor();
      await page.locator('[aria-label="What it wrote, word by word"][aria-busy="false"]').waitFor();
      await page.locator('[data-token="3"]').click();
      await page.locator('.text[data-target="3"][aria-busy="false"]').waitFor();
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      assert.ok(passes.some(({ id }) => id === "color-contrast"), "nothing was looked at");
      assert.deepEqual(violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ target }) => target).join(" | ")}`), []);
    });
  }
});
