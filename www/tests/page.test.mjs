/** The built page in a real browser, held against the native program. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { agree, agreeUntilUndecided } from "./compare.mjs";
import { nativeReading } from "./native.mjs";
import { choose, complaints, eventually, fits, inPage, page, renew, server, type } from "./opened.mjs";

/** What the page opens with. */
const MODEL = "sst2-skim-lstm-small";
const recorded = JSON.parse(readFileSync(join(root, "www", "src", "study", "recorded.json"), "utf8"));
const SENTENCE = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";

describe("the page", { timeout: 600_000 }, () => {
  beforeEach(async () => {
    server.hidden.clear();
    await renew();
  });

  const open = (hash = "#read") => page.goto(server.url + hash);

  /** Waits for the model; when it failed instead, fails with what the page says. */
  async function ready() {
    await page.locator('#threshold:enabled, [data-state="failed"]').first().waitFor();
    const failed = page.locator('[data-state="failed"]');
    if ((await failed.count()) > 0) assert.fail(await failed.innerText());
  }

  const tokens = () => page.locator(".token[data-decision]");
  const shownText = () => page.locator(".text").textContent();

  /** The page's tokens as its elements show them. */
  const shown = () =>
    tokens().evaluateAll((elements) =>
      elements.map((element) => ({
        text: element.textContent,
        decision: element.dataset.decision,
        skimProbability: Number(element.dataset.skimProbability),
      })),
    );

  test("what is typed is read as the native program reads it", async () => {
    await open();
    await ready();
    await page.fill("#text", "");
    await page.locator("#text").pressSequentially(SENTENCE);
    await page.waitForFunction((text) => document.querySelector(".text")?.textContent === text, SENTENCE);

    const native = nativeReading(MODEL, SENTENCE);
    const threshold = Number(await page.locator("#threshold").inputValue());
    const compared = agreeUntilUndecided(await inPage(SENTENCE, {}), native, threshold);
    assert.ok(compared > 0, "the first token is undecided: choose another sentence");

    await page.waitForFunction(() => window.saccade.settled());
    const elements = await shown();
    assert.equal(elements.length, native.tokens.length);
    for (const [index, token] of native.tokens.slice(0, compared).entries()) {
      assert.equal(elements[index].text, SENTENCE.slice(token.start, token.end));
      assert.equal(elements[index].decision, token.decision);
      assert.ok(Math.abs(elements[index].skimProbability - token.skimProbability) <= 1e-4);
    }
    assert.deepEqual(complaints, []);
  });

  test("what is typed on is read from the first token that changed", async () => {
    await open();
    await ready();
    const text = Array.from({ length: 40 }, () => "I did not leave, and the light on the lake is wonderful.").join(" ");
    await type(text);
    // Before long the whole text is read once more, for its time: what counts is how each was read first.
    await page.evaluate(() => {
      window.computed = new Map();
      const look = () => {
        const reading = document.querySelector(".reading");
        const text = reading?.querySelector(".text").textContent;
        if (text !== undefined && !window.computed.has(text)) window.computed.set(text, Number(reading.dataset.computed));
      };
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    const computed = async (ending) => {
      await type(text + ending);
      return page.evaluate((text) => window.computed.get(text), text + ending);
    };
    const whole = await tokens().count();
    assert.ok(whole > 400);
    assert.equal(await computed(" Really"), 1);
    assert.equal(await computed(" Really not"), 1);
    assert.equal(await computed(" Rarely not!"), 3);
    const native = nativeReading(MODEL, `${text} Rarely not!`);
    for (const [index, { skimProbability }] of (await shown()).entries()) {
      assert.ok(Math.abs(skimProbability - native.tokens[index].skimProbability) <= 1e-4, `token ${index}`);
    }
  });

  test("under forced decisions every value is the native program's", async () => {
    await open();
    await ready();
    const { tokens } = nativeReading(MODEL, SENTENCE);
    const force = Object.fromEntries(tokens.map((_, index) => [index, index % 3 === 0 ? "read" : "skim"]));
    agree(await inPage(SENTENCE, { force }), nativeReading(MODEL, SENTENCE, force));
  });

  for (const [model, name] of [
    ["sst2-skim-lstm", "Sentences, all words"],
    ["imdb-skim-lstm", "Long reviews"],
  ]) {
    test(`the model ${model} can be chosen, and reads as natively`, async () => {
      await open();
      await ready();
      await choose(page.getByRole("radio", { name }));
      await page.locator('[data-state="loading"]').waitFor({ state: "detached" });
      await ready();
      await type(SENTENCE);
      const { tokens } = nativeReading(model, SENTENCE);
      const force = Object.fromEntries(tokens.map((_, index) => [index, index % 2 === 0 ? "read" : "skim"]));
      agree(await inPage(SENTENCE, { force }), nativeReading(model, SENTENCE, force));
      assert.deepEqual(complaints, []);
    });
  }

  test("the recorded reading is the model's own (npm run record makes it)", () => {
    assert.equal(recorded.model, MODEL);
    agree(recorded.reading, nativeReading(recorded.model, recorded.text));
  });

  test("a reading is seen before the model has come, and then made anew", async () => {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route(`**/${MODEL}.safetensors`, async (route) => {
      await held;
      await route.continue();
    });
    await open();
    await page.locator('[data-state="loading"]').waitFor();
    assert.equal(await shownText(), recorded.text);
    assert.equal(await page.locator('[data-figure="device"]').count(), 0);
    const before = await shown();
    release();
    await page.locator('[data-figure="device"]').waitFor();
    assert.deepEqual(
      (await shown()).map(({ text, decision }) => [text, decision]),
      before.map(({ text, decision }) => [text, decision]),
    );
    assert.equal(await page.locator('[data-state="loading"]').count(), 0);
  });

  test("pressing a word forces the other decision, pressing it again gives it back", async () => {
    await open();
    await ready();
    await type(SENTENCE);
    const first = tokens().first();
    const own = await first.getAttribute("data-decision");
    const other = own === "read" ? "skim" : "read";
    await first.click();
    await page.locator(`.token[data-index="0"][data-decision="${other}"][data-forced]`).waitFor();
    await first.click();
    await page.locator(`.token[data-index="0"][data-decision="${own}"]:not([data-forced])`).waitFor();
  });

  test("the button beside the figure overrules the word that it stands by, and a second press gives it back", async () => {
    await open();
    await ready();
    await type(SENTENCE);
    const button = page.getByRole("button", { name: /^(Skim|Read) it instead$/ });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.locator(".token[data-forced]").waitFor();
    // In focus it is still the same word, and so is the button.
    await page.getByText("You decided").first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => !document.querySelector(".token[data-forced]"));
  });

  test("the threshold acts at once: 0 skims all that can be skimmed, 1 reads all", async () => {
    await open();
    await ready();
    await type(SENTENCE);
    await page.fill("#threshold", "1");
    await page.waitForFunction(() => !document.querySelector('.token[data-decision="skim"]'));
    await page.fill("#threshold", "0");
    await page.waitForFunction(() => !document.querySelector('.token[data-decision="read"]'));
  });

  test("examples, predictions and figures are there", async () => {
    await open();
    await ready();
    await page.getByRole("button", { name: "A verdict" }).click();
    await page.waitForFunction(() => document.querySelector(".text")?.textContent.startsWith("What a waste"));
    const scores = await page.locator("[data-score]").count();
    assert.ok(scores >= 2);
    for (const figure of ["label", "reduction", "flops", "skim-rate", "time"]) {
      await eventually(async () => assert.match(await page.locator(`[data-figure="${figure}"]`).innerText(), /\w/, figure));
    }
    await page.waitForFunction(() => document.querySelector('[data-state="summary"]').textContent.includes("Read "));
  });

  test("a link brings back model, text and threshold", async () => {
    await open("#read?model=sst2-skim-lstm&threshold=0.25&text=Plain+and+kind");
    await ready();
    await page.locator(".token").first().waitFor();
    assert.equal(await shownText(), "Plain and kind");
    assert.equal(await page.locator("#threshold").inputValue(), "0.25");
  });

  test("HTML in the text is text", async () => {
    await open();
    await ready();
    const text = '<img src=x onerror="window.hacked = 1"> <b>bold</b> & <script>window.hacked = 1</script>';
    await type(text);
    assert.equal(await page.locator(".text img, .text b, .text script").count(), 0);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
  });

  for (const [name, text] of [
    ["emoji", "so good 👩‍👩‍👧 🎬🎬 ❤️"],
    ["right-to-left text", "סרט נפלא, really"],
    ["NUL bytes", "before\u0000after, and on"],
    ["many lines", "One line.\n\n\tAnother one.  "],
    ["one very long word", "a".repeat(5000)],
  ]) {
    test(`${name}: the text stands as typed, spans and values as natively`, async () => {
      await open();
      await ready();
      // A text field takes no NUL out, but gives no promise on it either: what it holds is what must be shown.
      await page.fill("#text", text);
      const held = await page.locator("#text").inputValue();
      await type(held);
      const native = nativeReading(MODEL, text);
      agreeUntilUndecided(await inPage(text, {}), native, Number(await page.locator("#threshold").inputValue()));
      assert.deepEqual(complaints, []);
    });
  }

  test("a lone surrogate is read as U+FFFD, in its place", async () => {
    await open();
    await ready();
    const reading = await page.evaluate(() => window.saccade.read("odd \ud800 film"));
    const replaced = await inPage("odd \ufffd film", {});
    assert.deepEqual(reading.tokens, replaced.tokens);
    const { start, end } = reading.tokens.at(-1);
    assert.equal("odd ? film".slice(start, end), "film");
  });

  for (const text of ["", "  \n\t "]) {
    test(`${JSON.stringify(text)} is nothing to read, and says so`, async () => {
      await open();
      await ready();
      await page.fill("#text", text);
      await page.locator('[data-state="empty"]').waitFor();
      await type("Then a word.");
      assert.deepEqual(complaints, []);
    });
  }

  test("100,000 tokens are read, and the page stays usable", async () => {
    await open();
    await ready();
    await page.fill("#text", "fine ".repeat(100_000));
    await page.getByText("of 100,000 words are shown").waitFor();
    await type("Short again.");
    assert.equal(await tokens().count(), 3);
    assert.deepEqual(complaints, []);
  });

  test("a long reading tells how far it is, and makes way for a short one", async () => {
    await open();
    await ready();
    const { heard, order, tokens, flops } = await page.evaluate(async () => {
      const heard = [];
      const order = [];
      const onProgress = (progress) => heard.push(progress);
      const long = window.saccade.read("fine ".repeat(100_000), { onProgress }).finally(() => order.push("long"));
      await window.saccade.read("a word").finally(() => order.push("short"));
      const { tokens, flops } = await long;
      return { heard, order, tokens: tokens.length, flops };
    });
    assert.deepEqual([order, tokens], [["short", "long"], 100_000]);
    assert.ok(flops.full > 2 ** 32, "more than 32 bits hold");
    assert.ok(heard.length > 100_000 / 8192);
    assert.ok(heard.every(({ done, total }, i) => total === 100_000 && done >= (heard[i - 1]?.done ?? 1)));
    assert.deepEqual(heard.at(-1), { done: 100_000, total: 100_000 });
    assert.deepEqual(complaints, []);
  });

  test("a reading can be stopped at its first piece, and before it", async () => {
    await open();
    await ready();
    const stopped = await page.evaluate(async () => {
      const text = "fine ".repeat(100_000);
      const early = await window.saccade.read(text, { signal: AbortSignal.abort() }).catch((error) => error);
      const stop = new AbortController();
      const heard = [];
      const onProgress = (progress) => stop.abort(heard.push(progress));
      const late = await window.saccade.read(text, { onProgress, signal: stop.signal }).catch((error) => error);
      return { codes: [early.code, late.code], message: late.message, heard: heard.at(-1) };
    });
    assert.deepEqual(stopped.codes, ["ABORTED", "ABORTED"]);
    assert.match(stopped.message, /stopped/);
    assert.ok(stopped.heard.done < 100_000);
    assert.equal((await inPage("a word", {})).tokens.length, 2);
    assert.deepEqual(complaints, []);
  });

  test("a truncated model is named as such, and another try mends it", async () => {
    let damaged = true;
    await page.route(`**/${MODEL}.safetensors`, async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      await route.fulfill({ response, body: damaged ? body.subarray(0, body.length >> 1) : body });
    });
    await open();
    const failed = page.locator('[data-state="failed"]');
    await failed.waitFor();
    assert.equal(await failed.getAttribute("data-code"), "MODEL_TRUNCATED");
    await page.fill("#text", "Typing goes on.");
    damaged = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForFunction(() => document.querySelector(".text")?.textContent === "Typing goes on.");
    assert.equal(await failed.count(), 0);
    assert.deepEqual(complaints, []);
  });

  test("a model that is not there is a visible failure", async () => {
    await page.route(`**/${MODEL}.safetensors`, (route) => route.fulfill({ status: 404 }));
    await open();
    const failed = page.locator('[data-state="failed"]');
    await failed.waitFor();
    assert.equal(await failed.getAttribute("data-code"), "DOWNLOAD_FAILED");
    assert.match(await failed.innerText(), /404/);
  });

  test("another try leaves all that the link said", async () => {
    let there = false;
    await page.route(`**/${MODEL}.safetensors`, (route) => (there ? route.continue() : route.fulfill({ status: 404 })));
    await open("#read?threshold=0.3&force=0r&at=1&text=a+dull+film");
    await page.locator('[data-state="failed"]').waitFor();
    await page.waitForURL(/model=/);
    const before = page.url();
    there = true;
    await page.getByRole("button", { name: "Try again" }).click();
    await ready();
    assert.equal(await page.inputValue("#threshold"), "0.3");
    await page.locator('.token[data-index="0"][data-decision="read"]').waitFor();
    // As long as the page waits before it writes another address, and longer.
    await page.waitForTimeout(1000);
    assert.equal(page.url(), before);
  });

  test("an engine that is not there is a visible failure, and another try mends it", async () => {
    server.hidden.add(".wasm");
    await open();
    const failed = page.locator('[data-state="failed"]');
    await failed.waitFor();
    assert.equal(await failed.getAttribute("data-code"), "ENGINE_FAILED");
    server.hidden.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("#threshold:enabled").waitFor();
  });

  test("an engine that dies is a visible failure, and another try starts it again", async () => {
    await open();
    await ready();
    await page.workers()[0].evaluate(() => setTimeout(() => { throw new Error("the end"); }));
    const failed = page.locator('[data-state="failed"][data-code="ENGINE_FAILED"]');
    // Every text is another question to the engine; one of them it cannot answer.
    for (let n = 1; (await failed.count()) === 0; n++) {
      await page.fill("#text", `Still there? I ask for the ${n}th time.`);
      await page.waitForTimeout(20);
    }
    await page.fill("#text", "Here again.");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForFunction(() => document.querySelector(".text")?.textContent === "Here again.");
  });

  test("the keys go through the text: one tab stop, arrows, Enter", async () => {
    await open();
    await ready();
    await type("One two three four.");
    assert.equal(await page.locator('.token[tabindex="0"]').count(), 1);
    await page.locator('.token[tabindex="0"]').focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.activeElement.textContent === "three");
    await page.keyboard.press("Enter");
    await page.locator('.token[data-index="2"][data-forced]').waitFor();
  });

  for (const width of [320, 1400]) {
    test(`at ${width} px nothing is wider than the window`, async () => {
      await page.setViewportSize({ width, height: 800 });
      await open();
      await ready();
      await type(`${SENTENCE} ${"unbreakable".repeat(30)}`);
      await fits();
    });
  }
});
