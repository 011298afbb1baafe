/** The first view: what it says by itself, and what a first touch of it does. */

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { complaints, eventually, page, openAt, settled } from "./opened.mjs";

async function open(hash = "", options = {}) {
  await openAt(hash, options);
  await page.locator('[data-stage="ready"]').waitFor();
}

const summary = () => page.locator('[data-figure="summary"]');
const token = (index) => page.locator(`.token[data-index="${index}"]`);

describe("the first view", { timeout: 600_000 }, () => {
  test("one line joins decision, saving and time, or says that there is no telling", async () => {
    await open();
    assert.match(await summary().innerText(), /^Skimmed \d+ of \d+ words: [\d.]+× (less|more) arithmetic/);
    await page.waitForFunction(() => window.saccade.measured());
    // A reading made anew is measured anew.
    await eventually(async () => assert.match(await summary().innerText(), /arithmetic(, [\d.]+× (less|more) time on this CPU \(just now: [\d.,]+( to [\d.,]+)? (µs|ms), with every word read [\d.,]+( to [\d.,]+)? (µs|ms)\)|; in time, this machine is too busy to tell)\./));
    assert.deepEqual(complaints, []);
  });

  test("stands on a page that was not fetched securely, and so do programs", async () => {
    await open("", { prepare: () => delete Crypto.prototype.randomUUID });
    await summary().waitFor();
    await page.getByRole("link", { name: "Batch", exact: true }).click();
    await page.getByRole("textbox", { name: "The program" }).fill("return 3;");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    assert.equal(await page.locator("[data-gave]").innerText(), "3");
    assert.deepEqual(complaints, []);
  });

  test("with motion the reading is played once by itself, says how much it is slowed, and a key ends it", async () => {
    // The key is pressed in the page as soon as that is shown: a busy machine may play to the end meanwhile.
    const prepare = () => {
      window.furthest = 0;
      new MutationObserver(() => {
        window.furthest = Math.max(window.furthest, document.querySelector(".token.here")?.dataset.index ?? 0);
        if (window.played || !document.querySelector('.dock [aria-label="Pause"]')) return;
        if (!/slowed [\d,]+×/.test(document.querySelector(".dock .now").textContent)) return;
        window.played = true;
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Shift", bubbles: true }));
      }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    };
    await openAt("", { reducedMotion: "no-preference", prepare });
    await page.waitForFunction(() => window.played);
    await page.locator('.dock [aria-label="Play the reading"]').waitFor();
    assert.ok((await page.evaluate(() => window.furthest)) < (await page.locator(".token").count()) - 1);
    assert.equal(await page.locator(".token.ahead").count(), 0);
  });

  test("its own button holds it up where it is", async () => {
    // Pressed in the page, as soon as there is something to hold up.
    const prepare = () => {
      new MutationObserver((_, observer) => {
        const pause = document.querySelector('.dock [aria-label="Pause"]');
        const at = Number(document.querySelector(".token.here")?.dataset.index ?? 0);
        if (!pause || at < 2) return;
        observer.disconnect();
        pause.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
        pause.click();
        window.pressed = at;
      }).observe(document, { subtree: true, childList: true, attributes: true });
    };
    await openAt("", { reducedMotion: "no-preference", prepare });
    const at = await (await page.waitForFunction(() => window.pressed)).jsonValue();
    await page.locator('.dock [aria-label="Play the reading"]').waitFor();
    assert.equal(await page.locator(".token.here").getAttribute("data-index"), String(at));
  });

  test("without motion, and from a link that shows something else, nothing plays", async () => {
    await open();
    assert.equal(await page.locator('.dock [aria-label="Pause"]').count(), 0);
    await page.context().close();
    await open("#read?text=a+dull+film", { reducedMotion: "no-preference" });
    assert.equal(await page.locator('.dock [aria-label="Pause"]').count(), 0);
  });

  test("the inspector opens in words; logits lie one level deeper", async () => {
    await open("#read?text=a+dull+film");
    await token(1).hover();
    await page.locator('.inspector[aria-label*="dull"]').waitFor();
    assert.match(await page.locator('[data-figure="sure"]').innerText(), /^The network was [\d.<> ]+% sure that it (should be read|can be skimmed)\.$/);
    const logit = page.getByText("logit, read");
    await logit.waitFor({ state: "attached" });
    assert.ok(!(await logit.isVisible()));
    await page.getByText("The numbers behind it").click();
    await logit.waitFor();
  });

  test("a word overruled shows at once what that does to the verdict", async () => {
    await open("#read?text=a+dull+film");
    await settled();
    const share = page.locator('[data-share="negative"]');
    const before = (await share.innerText()).trim();
    await token(1).click();
    await token(1).and(page.locator("[data-forced]")).waitFor();
    await settled();
    const [from, to] = (await share.innerText()).split("→").map((part) => part.trim());
    assert.equal(from, before);
    assert.match(to, /%$/);
    assert.equal(await token(1).getAttribute("aria-pressed"), "true");
    await page.getByRole("button", { name: "Let the network decide", exact: true }).click();
    await page.waitForFunction(() => !document.querySelector("[data-share]").textContent.includes("→"));
    await token(1).click();
    await page.getByRole("button", { name: "Let the network decide every word" }).press("Enter");
    // The button is gone.
    await page.waitForFunction(() => document.activeElement?.id === "read-text");
  });

  test("the dock calls a part of the text by its last word, and only the whole the whole", async () => {
    await open("#read?text=a+dull+film");
    const now = page.locator(".dock .word");
    assert.equal(await now.innerText(), "the whole text");
    await token(1).hover();
    await page.waitForFunction(() => document.querySelector(".dock .word").textContent === "dull");
    await eventually(async () => assert.match(await page.locator(".dock .so").innerText(), /^so far /));
  });

  test("a finger opens a word, and a button overrules it", async () => {
    await open("#read?text=a+dull+film", { hasTouch: true, viewport: { width: 390, height: 800 } });
    for (const [index, word] of [[2, "film"], [0, "a"]]) {
      await token(index).tap();
      await page.locator(`.inspector[aria-label="The word “${word}”"]`).waitFor();
      assert.equal(await token(index).and(page.locator("[data-forced]")).count(), 0);
      await page.locator(".inspector .chip").tap();
      await token(index).and(page.locator("[data-forced]")).waitFor();
    }
  });

  test("a text that the network does not know is read with a warning", async () => {
    await open("#read?text=asdf+qwer+zxcv");
    const warning = page.locator('[data-figure="strange"]');
    await eventually(async () => assert.match(await warning.innerText(), /does not know any of these words/));
    await page.fill("#text", "Der Film war leider sehr langweilig und viel zu lang.");
    await page.waitForFunction(() => /(any|most) of these words/.test(document.querySelector('[data-figure="strange"]')?.textContent ?? ""));
    await page.fill("#text", "The film was dull and much too long.");
    await warning.waitFor({ state: "detached" });
  });

  test("the reading can be saved as a picture", async () => {
    await open();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as a picture" }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), "saccade.png");
    assert.ok(statSync(await file.path()).size > 5000);
  });

  test("the link can be shared", async () => {
    await open("#read?text=a+dull+film");
    await page.evaluate(() => Object.defineProperty(navigator, "share", { value: async (what) => (window.given = what) }));
    await page.getByRole("button", { name: "Share this reading" }).click();
    assert.match(await page.evaluate(() => window.given.url), /#read\?.*text=a\+dull\+film/);
  });

  test("a link restores what it can, and what it leaves out is said", async () => {
    const prepare = () => {
      Object.defineProperty(navigator, "share", { value: undefined });
      Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => (window.given = text) } });
    };
    await open("#read?threshold=0.3&text=a+dull+film", { prepare });
    const share = async () => {
      await page.getByRole("button", { name: "Share this reading" }).click();
      return new URLSearchParams((await page.evaluate(() => window.given)).split("#read?")[1]);
    };
    const said = page.locator(".share [role=status]");
    // The address does not follow every key.
    await page.fill("#text", "a fine film");
    assert.deepEqual([...(await share())], [["model", "sst2-skim-lstm-small"], ["threshold", "0.3"], ["text", "a fine film"]]);
    assert.equal(await said.innerText(), "Link copied.");
    await page.fill("#text", "a finer film");
    await eventually(async () => assert.equal(await said.innerText(), ""));
    await page.fill("#text", "a fine film");
    await page.locator('input[type="file"]').setInputFiles(join(root, "models", "trec-skim-lstm.safetensors"));
    await page.locator('[data-score="location"]').waitFor();
    await page.locator(".token").first().click();
    await page.getByRole("button", { name: "Let the network decide every word" }).waitFor();
    assert.deepEqual([...(await share())], [["text", "a fine film"]]);
    assert.equal(await said.innerText(), "Link copied, without your model.");
    await page.fill("#text", "a fine film ".repeat(200));
    assert.deepEqual([...(await share())], []);
    assert.equal(await said.innerText(), "Link copied, without your model and without the text, which is too long.");
    assert.deepEqual(complaints, []);
  });

  test("at 320 x 640 every control can be brought out from under the dock", async () => {
    await open("", { viewport: { width: 320, height: 640 } });
    const hidden = await page.evaluate(() => {
      const dock = document.querySelector(".dock");
      const hidden = [];
      for (const control of document.querySelectorAll("[data-chapter] :is(button, input, textarea, summary, a)")) {
        if (dock.contains(control) || control.closest(".visually-hidden, details:not([open]) > :not(summary)")) continue;
        control.scrollIntoView({ block: "nearest", behavior: "instant" });
        const [box, bar] = [control.getBoundingClientRect(), dock.getBoundingClientRect()];
        if (box.height > 0 && box.top < bar.bottom && box.bottom > bar.top + 1) hidden.push(control.outerHTML.slice(0, 90));
      }
      return hidden;
    });
    assert.deepEqual(hidden, []);
  });
});
