/** What other programs, and people in a hurry, do to the page: a translator, an undo, another script, a book in the clipboard. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { complaints, notices, page, settled, type, openAt } from "./opened.mjs";

async function open(hash = "#read", options = {}) {
  await openAt(hash, options);
  await page.locator("#threshold:enabled").waitFor();
}

/**
 * Translates every text of the page, and every one that comes later, as browsers do: its letters are turned to capitals, in
 * two nested `<font>`. `how` is where the original goes; `rude` also translates what asks not to be.
 */
function translate([how, rude]) {
  const put = {
    replaced: (text, font) => text.replaceWith(font),
    "removed after": (text, font) => {
      text.parentNode.insertBefore(font, text);
      text.remove();
    },
    "taken along": (text, font, inner) => {
      const translation = inner.firstChild;
      text.parentNode.insertBefore(font, text);
      inner.replaceChildren(text);
      text.data = translation.data;
    },
  }[how];
  const translated = (text) => {
    if (text.data.trim() === "" || text.parentElement?.closest("font, script, style")) return;
    if (!rude && text.parentElement?.closest('[translate="no"]')) return;
    const [font, inner] = [document.createElement("font"), document.createElement("font")];
    inner.append(text.data.toUpperCase());
    font.append(inner);
    put(text, font, inner);
  };
  const all = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return translated(node);
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    texts.forEach(translated);
  };
  all(document.body);
  new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "characterData" && target.isConnected) translated(target);
      for (const node of addedNodes) if (node.isConnected) all(node);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}

/** What the page says of its reading, whatever the letters. */
const shown = () =>
  page.evaluate(() => {
    const text = (selector) => document.querySelector(selector)?.textContent.toLowerCase();
    return {
      field: document.querySelector("#text").value,
      sentence: text(".text"),
      decisions: [...document.querySelectorAll(".token")].map(({ dataset }) => [dataset.decision, dataset.skimProbability]),
      label: text('[data-figure="label"]'),
      scores: [...document.querySelectorAll("[data-score]")].map(({ textContent }) => textContent.toLowerCase()),
      skimmed: text('[data-figure="skim-rate"]'),
      work: text('[data-figure="reduction"]'),
    };
  });

const SENTENCES = ["A dull, terrible, boring mess.", "A warm and funny film that I would gladly see again!", "No.", "A dull, terrible, boring mess."];

describe("under a translator", { timeout: 600_000 }, () => {
  /** Goes through sentences, a word overruled, the playback and another model; gives what was shown at each. */
  async function visit(hurt) {
    await open();
    await page.locator("#read-words").waitFor();
    if (hurt) {
      await page.evaluate(translate, hurt);
      await page.locator("font").first().waitFor({ state: "attached" });
    }
    const seen = [];
    const look = async () => {
      await settled();
      seen.push(await shown());
    };
    for (const sentence of SENTENCES) {
      await page.fill("#text", sentence);
      await page.waitForFunction((text) => document.querySelector(".text")?.textContent.toLowerCase() === text, sentence.toLowerCase());
      await look();
    }
    await page.locator('.token[data-index="1"]').click();
    await page.locator('.token[data-index="1"][data-forced]').waitFor();
    await look();
    await page.locator('.dock input[type="range"]').fill("2");
    await look();
    const reading = await page.evaluate(() => window.saccade.read(document.querySelector("#text").value));
    seen.push({ label: reading.label, tokens: reading.tokens });
    assert.deepEqual(complaints, []);
    await page.context().close();
    return seen;
  }

  let plain;
  before(async () => {
    plain = await visit(null);
    assert.deepEqual(plain.slice(0, 2).map(({ label }) => label), ["negative", "positive"]);
  });

  for (const how of ["replaced", "removed after", "taken along"]) {
    for (const rude of [false, true]) {
      test(`every text ${how}${rude ? ", even what asks to be left alone" : ""}: the readings are the same`, async () => {
        assert.deepEqual(await visit([how, rude]), plain);
      });
    }
  }

  test("no translation outlives its text", async () => {
    await open();
    await page.evaluate(translate, ["replaced", true]);
    for (let n = 0; n < 3; n++) {
      await type("One dull film.".toUpperCase());
      await type("One funny and warm film, and another.".toUpperCase());
    }
    const words = await page.locator(".text").textContent();
    assert.equal(words, "ONE FUNNY AND WARM FILM, AND ANOTHER.");
    assert.equal(await page.locator(".token").count(), 9);
    assert.equal(await page.locator(".token font font").count(), 9);
  });

  test("the original can be shown again", async () => {
    await openAt("");
    await page.locator('[data-stage="ready"]').waitFor();
    await page.evaluate(() => {
      const lede = document.querySelector(".lede strong");
      const [original] = lede.childNodes;
      const font = document.createElement("font");
      font.append("ÜBERSETZT");
      original.replaceWith(font);
      window.original = original;
    });
    await page.waitForTimeout(50);
    assert.equal(await page.locator(".lede strong").textContent(), "ÜBERSETZT");
    await page.evaluate(() => document.querySelector(".lede font").replaceWith(window.original));
    await page.waitForFunction(() => document.querySelector(".lede strong").textContent === "it reads what matters");
  });

  test("what the network read, and numbers, ask not to be translated", async () => {
    await open("#read?text=a+dull+film");
    for (const selector of ["#text", ".text", '[data-figure="label"]', '[data-figure="skim-rate"]', ".dock", ".inspector"]) {
      assert.ok(await page.evaluate((selector) => document.querySelector(selector).closest('[translate="no"]') !== null, selector), selector);
    }
  });
});

describe("undo", { timeout: 600_000 }, () => {
  const field = () => page.locator("#text").inputValue();
  const MINE = "I wrote this myself, and it took me an hour.";

  test("after examples, Ctrl+Z brings back what the person wrote, and the model", async () => {
    await open();
    await type(MINE);
    await page.getByRole("button", { name: "A question", exact: true }).click();
    await page.getByRole("button", { name: "A verdict" }).click();
    assert.match(await field(), /^What a waste/);
    await page.focus("#text");
    await page.keyboard.press("Control+Z");
    assert.equal(await field(), MINE);
    await page.waitForFunction((text) => document.querySelector(".text")?.textContent === text, MINE);
    await settled();
    assert.ok(await page.getByRole("radio", { name: "Sentences", exact: true }).isChecked());
    assert.deepEqual(complaints, []);
  });

  test("a button does so too, and goes when it has nothing to bring back", async () => {
    await open();
    const back = page.getByRole("button", { name: "Back to your text" });
    await page.getByRole("button", { name: "Irony" }).click();
    assert.equal(await back.count(), 0, "an example before it was nobody's text");
    await type(MINE);
    await page.getByRole("button", { name: "Irony" }).click();
    await back.click();
    assert.equal(await field(), MINE);
    assert.equal(await back.count(), 0);
    assert.ok(await page.evaluate(() => document.activeElement !== document.body));
  });

  test("what is typed into an example is undone by the browser first", async () => {
    await open();
    await type(MINE);
    await page.getByRole("button", { name: "Irony" }).click();
    const example = await field();
    await page.focus("#text");
    await page.keyboard.press("Control+End");
    await page.keyboard.type("!");
    assert.equal(await field(), `${example}!`);
    await page.keyboard.press("Control+Z");
    assert.equal(await field(), example);
    await page.keyboard.press("Control+Z");
    assert.equal(await field(), MINE);
  });

  test("what is typed into another field is undone there", async () => {
    await open();
    await type(MINE);
    await page.getByRole("button", { name: "Irony" }).click();
    await page.locator("header").getByRole("link", { name: "Predict", exact: true }).click();
    const seed = page.getByLabel("Seed");
    await seed.fill("");
    await seed.pressSequentially("7");
    const example = await field();
    await page.keyboard.press("Control+Z");
    assert.notEqual(await seed.inputValue(), "7");
    assert.equal(await field(), example);
    // Nothing is typed into these.
    await page.getByLabel("Keep the likeliest").press("Control+Z");
    assert.equal(await field(), MINE);
  });
});

describe("right-to-left text", { timeout: 600_000 }, () => {
  const HEBREW = "סרט נפלא, really, שלא אשכח";

  test("stands and is walked through from the right; the rest of the page does not turn", async () => {
    await open();
    await type(HEBREW);
    const direction = (selector) => page.evaluate((selector) => getComputedStyle(document.querySelector(selector)).direction, selector);
    assert.equal(await direction("#text"), "rtl");
    assert.equal(await direction(".text"), "rtl");
    assert.equal(await direction(".dock"), "ltr");
    const left = (index) => page.evaluate((index) => document.querySelector(`[data-index="${index}"]`).getBoundingClientRect().x, index);
    assert.ok((await left(0)) > (await left(1)));
    await page.locator('.token[data-index="0"]').focus();
    await page.keyboard.press("ArrowLeft");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.index), "1");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.index), "0");
    await type("A film, שלא אשכח");
    assert.equal(await direction(".text"), "ltr");
  });

  test("the lines under words begin at the right, and the arcs join words", async () => {
    await open();
    await type(`${HEBREW} ${HEBREW}`);
    await page.fill("#threshold", "1");
    await page.waitForFunction(() => !document.querySelector('.token[data-decision="skim"]'));
    assert.match(await page.evaluate(() => getComputedStyle(document.querySelector(".token")).backgroundPosition), /^100% 100%/);
    const drawn = await page.waitForFunction(() => document.querySelector(".text path").getAttribute("d"));
    const path = await drawn.jsonValue();
    const [, from, to] = /^M([\d.]+) .* ([\d.]+) [\d.]+/.exec(path.split("M").slice(0, 2).join("M"));
    assert.ok(Number(to) < Number(from), path);
  });
});

describe("a book in the clipboard", { timeout: 600_000 }, () => {
  const words = "It was a dull film, and I did not like the light on the lake. ";
  const BOOK = words.repeat(Math.ceil(2e6 / words.length));

  const paste = (text) =>
    page.evaluate((text) => {
      const field = document.querySelector("#text");
      field.focus();
      field.select();
      field.setRangeText(text, 0, field.value.length, "end");
      field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
    }, text);

  test("2 MB: it says how far it is, can be stopped, and the page goes on", async () => {
    // Every word read: that takes many times as long as a press, on any machine.
    await open("#read?threshold=1");
    await paste(BOOK);
    const progress = page.locator('[data-state="reading"] progress');
    await progress.waitFor();
    const first = Number(await progress.getAttribute("value"));
    await page.waitForFunction((first) => Number(document.querySelector('[data-state="reading"] progress')?.value) > first, first);
    assert.ok(Number(await progress.getAttribute("max")) > 400_000);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator('[data-state="stopped"]').waitFor();
    await type("Short again.");
    assert.deepEqual(complaints, []);
  });

  test("2 MB: it is read to its end, and the page can be used", async () => {
    await open();
    await paste(BOOK);
    await page.getByText("words are shown").waitFor();
    assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) < 10_000);
    await type("Short again.");
    assert.deepEqual(complaints, []);
  });

  test("what is read once more, to time it and to choose a device, does not say so", async () => {
    await open();
    const shown = await notices();
    await paste(BOOK.slice(0, 21_000));
    await page.getByText("words are shown").waitFor();
    await page.locator('[data-figure="device"]', { hasText: "the browser offers none" }).waitFor();
    assert.ok((await shown.evaluate(({ size }) => size)) <= 1);
    assert.deepEqual(complaints, []);
  });
});
