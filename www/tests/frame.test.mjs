/** The frame around the chapters: links to chapters and scenes, what they share, the menu of a phone, and lectures. */

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { complaints, eventually, openAt, page, server, settled, stands, type } from "./opened.mjs";

/** Opens a view and waits until all of it stands. */
async function open(hash = "#read", options = {}) {
  await openAt(hash, options);
  await stands();
}

afterEach(() => server.hidden.clear());

const focused = (id) => page.waitForFunction((id) => document.activeElement?.id === id, id);
/** The scenes that can be seen. */
const scenes = () => page.locator("section.scene:visible h2").evaluateAll((all) => all.map(({ id }) => id));
/** A scene is seen, and no other. */
const alone = (id) => eventually(async () => assert.deepEqual(await scenes(), [id]));

describe("links", { timeout: 600_000 }, () => {
  test("a link to a chapter opens that chapter alone, and the address, the focus and the title follow the reader", async () => {
    await open("#race?text=a+dull+film");
    assert.ok(await page.locator("#race-title").isVisible());
    assert.equal(await page.locator("#read-title, #text, .dock").count(), 0);
    await page.getByRole("link", { name: "Read", exact: true }).click();
    await page.waitForURL(/#read\?.*text=a\+dull\+film/);
    await page.waitForFunction(() => document.activeElement.id === "read-title");
    assert.equal(await page.locator("#race-title").count(), 0);
    assert.match(await page.title(), /^How a network skims/);
    assert.equal(await page.locator('[data-state="place"]').innerText(), "Read: How a network skims");
    assert.equal(await page.locator('nav [aria-current="page"]').innerText(), "Read");
    assert.deepEqual(complaints, []);
  });

  test("a link to a chapter opens at its top, and the browser knows nothing else by its name", async () => {
    for (const hash of ["", "#read", "#race", "#batch", "#predict", "#train"]) {
      await open(hash);
      assert.deepEqual(await page.evaluate(() => [scrollY, document.querySelector(":target")]), [0, null], hash);
    }
  });

  test("a scene link opens at its scene, and the address follows the scene in view", async () => {
    for (const [hash, id] of [["#read/savings", "read-savings"], ["#read/eyes?text=a+dull+film", "read-eyes"], ["#race/batch", "race-batch"]]) {
      await open(hash);
      await page.waitForFunction((id) => {
        const { top, bottom } = document.querySelector(`#${id}`).getBoundingClientRect();
        return top >= 0 && bottom < innerHeight && document.activeElement.id === id;
      }, id);
      await page.waitForURL(new RegExp(`${hash.split("?")[0]}\\?`));
      await page.context().close();
    }
    await open();
    // What arrives above it moves it away again.
    await page.waitForFunction(() => {
      document.querySelector("#read-threshold").closest("section").scrollIntoView({ block: "center" });
      return location.hash.startsWith("#read/threshold?");
    });
  });

  test("a scene that comes when the visitor has gone elsewhere takes neither the page nor the focus there", async () => {
    await open("#race/results");
    const measure = page.getByRole("button", { name: "Measure all lengths" });
    await measure.focus();
    // As assistive technology presses it, which no key or pointer is heard of.
    await measure.evaluate((button) => button.click());
    await page.locator("#race-results").waitFor({ state: "attached" });
    // A scene that is gone to has the focus two frames later.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Stop");
  });

  test("an address that is written while the page is about to write its own is opened", async () => {
    const prepare = () => {
      const later = window.setTimeout;
      window.soon = [];
      window.setTimeout = (call, ms, ...values) => {
        window.soon.push(call);
        return later.call(window, call, ms, ...values);
      };
    };
    await open("#read", { prepare });
    await page.evaluate(() => {
      window.soon.length = 0;
      const threshold = document.querySelector("#threshold");
      threshold.value = "0.75";
      threshold.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await page.waitForFunction(() => window.soon.length > 0);
    await page.evaluate(() => {
      location.hash = "#race";
      // As a busy machine has it: timers that are due go before the event that tells of the address.
      for (const call of window.soon) call();
    });
    await page.locator("#race-batch").waitFor();
  });

  test("from chapter to chapter there is one text and one model, and the way back leads to the chapter before", async () => {
    let models = 0;
    const count = (request) => (models += request.url().endsWith(".safetensors") ? 1 : 0);
    await open("");
    page.on("request", count);
    await type("One text for all.");
    await page.getByRole("link", { name: /Which words/ }).click();
    await page.locator("#threshold:enabled").waitFor();
    assert.equal(await page.locator(".text").textContent(), "One text for all.");
    await page.fill("#threshold", "1");
    await page.getByRole("link", { name: "Race", exact: true }).click();
    await page.locator("#race-sprint ~ p", { hasText: /read 4 words of your text.* 0% of these words/ }).waitFor();
    // Not by `goBack`, which waits for an event of its own.
    await page.evaluate(() => history.back());
    await page.locator("#threshold:enabled").waitFor();
    assert.equal(await page.locator("#threshold").inputValue(), "1");
    assert.equal(await page.locator(".text").textContent(), "One text for all.");
    await page.getByRole("link", { name: "Saccade" }).click();
    await page.locator("#doors").waitFor();
    assert.equal(await page.locator("#text").inputValue(), "One text for all.");
    // The file of the plain network that is measured beside it is made of the same bytes, from the cache.
    assert.ok(models <= 1, `${models} requests`);
    assert.equal((await page.workers()).length, 1);
    assert.deepEqual(complaints, []);
  });

  test("the view that the history leads to is said, and has the focus if nothing else has it", async () => {
    await open("");
    const said = page.locator('[data-state="place"]');
    const go = (way) => page.evaluate((way) => history[way](), way);
    const is = (words) => eventually(async () => assert.match(await said.innerText(), words));
    for (const name of ["Race", "Batch"]) await page.getByRole("link", { name, exact: true }).click();
    await focused("batch-title");
    await go("back");
    await focused("race-title");
    await is(/^Race: /);
    await go("back");
    await focused("start-title");
    await go("forward");
    await focused("race-title");
    await is(/^Race: /);
    await page.getByRole("link", { name: "Read", exact: true }).focus();
    await go("forward");
    await is(/^Batch: /);
    assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Read");
  });

  test("while a chapter is on its way the address is that chapter's, and the way back leads to the one before", async () => {
    await open("#read?text=a+dull+film");
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route("**/*.js", async (route) => {
      await held;
      await route.continue();
    });
    await page.fill("#threshold", "1");
    await page.getByRole("link", { name: "Race", exact: true }).click();
    // Longer than the page waits before it writes its address.
    await page.waitForTimeout(1500);
    assert.match(page.url(), /#race\?/);
    release();
    await page.locator("#race-batch").waitFor();
    await page.waitForURL(/#race\?.*threshold=1/);
    await page.evaluate(() => history.back());
    await page.locator("#threshold:enabled").waitFor();
    assert.equal(await page.locator("#race-title").count(), 0);
  });

  const LONG = "I did not leave, and the light on the lake is wonderful. ".repeat(60);
  const holds = (text) => page.waitForFunction((text) => document.querySelector("#text")?.value === text, text);

  test("a chapter that does not come says so, and another try brings it, with the text however long", async () => {
    await open("");
    await type(LONG);
    server.hidden.add(".js");
    await page.getByRole("link", { name: "Race", exact: true }).click();
    await page.getByRole("alert").waitFor();
    assert.match(await page.getByRole("alert").innerText(), /Race/);
    assert.ok(await page.locator("#text").isVisible());
    server.hidden.delete(".js");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("#race-batch").waitFor();
    await page.getByRole("link", { name: "Read", exact: true }).click();
    await holds(LONG);
  });

  test("of a chapter that does not come, the scene that was asked for stays in the address and is where another try leads", async () => {
    await open("");
    server.hidden.add(".js");
    await page.evaluate(() => (location.hash = "#race/batch"));
    await page.getByRole("alert").waitFor();
    // As the page writes it, with the text.
    await page.waitForURL(/#race\/batch\?/);
    server.hidden.delete(".js");
    await page.getByRole("button", { name: "Try again" }).click();
    await focused("race-batch");
    await page.waitForURL(/#race\/batch\?/);
  });

  test("without a server the page stays, and says again that a chapter does not come", async () => {
    await open("");
    await type(LONG);
    server.unreachable(true);
    try {
      await page.getByRole("link", { name: "Race", exact: true }).click();
      await page.getByRole("alert").waitFor();
      await page.evaluate(() => (window.same = true));
      // Whether there is a server is asked when the other try has failed.
      const unanswered = page.waitForEvent("requestfailed", (request) => request.method() === "HEAD");
      await page.getByRole("button", { name: "Try again" }).click();
      await unanswered;
      // To load the page anew would take a moment to begin.
      await page.waitForTimeout(500);
      await page.getByRole("alert").waitFor();
      await holds(LONG);
      assert.equal(await page.evaluate(() => window.same), true);
    } finally {
      server.unreachable(false);
    }
  });

  test("a text too long for the address outlives the page's being loaded anew, but is not what another link opens", async () => {
    await open();
    await type(LONG);
    await page.waitForFunction(() => !location.hash.includes("text="));
    await page.reload();
    await holds(LONG);
    await page.goto("about:blank");
    await page.goto(`${server.url}#read`);
    await stands();
    assert.notEqual(await page.inputValue("#text"), LONG);
  });

  test("it is there on the way back after that, and behind a text of another address", async () => {
    await open("");
    await type(LONG);
    await page.getByRole("link", { name: "Read", exact: true }).click();
    await page.locator("#threshold:enabled").waitFor();
    await page.reload();
    await holds(LONG);
    await page.evaluate(() => history.back());
    await page.locator("#doors").waitFor();
    await holds(LONG);
    await page.evaluate(() => (location.hash = "#read?text=a+dull+film"));
    await page.locator("#threshold:enabled").waitFor();
    await holds("a dull film");
    await page.getByRole("button", { name: "Back to your text" }).click();
    await holds(LONG);
  });

  test("a text and a program of just now outlive the page's being loaded anew, though the address has yet to say them", async () => {
    const again = (field, value) =>
      page.locator(field).evaluate((area, value) => {
        area.value = value;
        area.dispatchEvent(new Event("input", { bubbles: true }));
        location.reload();
      }, value);
    await open("#read?text=a+dull+film");
    await again("#text", "My own sentence.");
    await holds("My own sentence.");
    await again("#text", LONG);
    await holds(LONG);
    await open("#batch/code?code=return+1%3B");
    await again("textarea[aria-describedby=batch-code-keys]", "return 2;");
    await page.waitForFunction(() => document.querySelector("textarea[aria-describedby=batch-code-keys]")?.value === "return 2;");
    assert.deepEqual(complaints, []);
  });

  test("an address of somebody else's takes the place of a text, to which the way back and a button lead", async () => {
    const [own, link] = ["My own sentence.", "a dull film"];
    await open();
    await type(own);
    await page.waitForURL(/text=My\+own\+sentence/);
    await page.evaluate(() => (location.hash = "#read?text=a+dull+film"));
    await holds(link);
    // The page has written its own address there.
    await page.waitForURL(/model=.*text=a\+dull\+film/);
    const back = page.getByRole("button", { name: "Back to your text" });
    await back.waitFor();
    await page.evaluate(() => history.back());
    await holds(own);
    assert.equal(await back.count(), 0);
    await page.evaluate(() => history.forward());
    await holds(link);
    await back.click();
    await holds(own);
    // What the way back has led to is the visitor's, whatever was written meanwhile.
    await type("Another sentence.");
    await page.waitForURL(/text=Another\+sentence/);
    await page.evaluate(() => history.back());
    await holds(own);
    await page.locator(".offers .chip:not(.back)").first().click();
    await back.click();
    await holds(own);
    assert.deepEqual(complaints, []);
  });
});

describe("the landing", { timeout: 600_000 }, () => {
  test("every chapter has a door with its question, and a thumbnail of what is read here", async () => {
    await open("");
    const doors = page.locator('nav[aria-labelledby="doors"] a');
    assert.deepEqual(await doors.locator(".name").allInnerTexts(), await page.locator("header nav a").allInnerTexts());
    for (const question of await doors.locator(".question").allInnerTexts()) assert.match(question, /\?$/);
    const drawing = () => page.locator(".thumbnail svg .read").getAttribute("d");
    const before = await drawing();
    await page.fill("#text", "Another text, and another drawing.");
    await page.waitForFunction((before) => document.querySelector(".thumbnail svg .read").getAttribute("d") !== before, before);
    await page.locator(".thumbnail li").nth(4).waitFor();
    assert.deepEqual(complaints, []);
  });
});

describe("on a phone", { timeout: 600_000 }, () => {
  test("the chapters are a menu, by finger and by key", async () => {
    await open("", { viewport: { width: 390, height: 800 }, hasTouch: true });
    const menu = page.locator("nav#chapters");
    assert.ok(!(await menu.isVisible()));
    await page.getByRole("button", { name: "Chapters" }).tap();
    await menu.getByRole("link", { name: "Race" }).tap();
    await page.locator("#race-title").waitFor();
    await menu.waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Race" }).first().focus();
    await page.keyboard.press("Enter");
    await menu.waitFor();
    assert.equal(await menu.locator('[aria-current="page"]').innerText(), "Race");
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    assert.deepEqual(complaints, []);
  });
});

describe("a lecture", { timeout: 600_000 }, () => {
  const press = (key) => page.keyboard.press(key);

  test("the arrow keys go from scene to scene, one at a time, and on to the next chapter and back", async () => {
    await open("#read/memory?text=a+dull+film");
    await focused("read-memory");
    await page.getByRole("button", { name: "Lecture mode" }).click();
    await alone("read-memory");
    await press("ArrowRight");
    await focused("read-threshold");
    await alone("read-threshold");
    await press("PageUp");
    await focused("read-memory");
    await page.waitForURL(/#read\/memory\?lecture=prose/);
    for (const id of ["read-threshold", "read-savings", "read-words", "read-eyes"]) {
      await press("ArrowRight");
      await focused(id);
    }
    await press("ArrowRight");
    await page.locator("#race-batch").waitFor({ state: "attached" });
    await focused("race-sprint");
    await alone("race-sprint");
    await press("ArrowLeft");
    await focused("read-eyes");
    assert.deepEqual(complaints, []);
  });

  test("the type is larger, the prose can be hidden, what can be moved stays, and all of it is in the link", async () => {
    await open("#read/threshold?text=a+dull+film");
    // On the screen, whatever enlarges it.
    const before = await page.evaluate(() => document.querySelector("#threshold").getBoundingClientRect().height);
    await page.getByRole("button", { name: "Lecture mode" }).click();
    await page.waitForFunction((before) => document.querySelector("#threshold").getBoundingClientRect().height > 1.2 * before, before);
    const prose = page.locator("#read-threshold ~ p").first();
    assert.ok(await prose.isVisible());
    await press("p");
    await prose.waitFor({ state: "hidden" });
    assert.ok(await page.locator("#threshold").isVisible());
    assert.ok(await page.locator("#read-threshold").isVisible());
    await page.waitForURL(/#read\/threshold\?lecture=figures/);
    await page.reload();
    await focused("read-threshold");
    await prose.waitFor({ state: "hidden" });
    await stands();
    await press("Escape");
    await prose.waitFor();
    await eventually(async () => assert.ok((await scenes()).length > 5));
    await page.waitForURL(/#read\/threshold\?(?!.*lecture)/);
  });

  test("keys that a control has a use for are left to it", async () => {
    await open("#read?text=a+dull+film&lecture=prose");
    await page.locator('.token[tabindex="0"]').focus();
    await press("ArrowRight");
    await press("ArrowRight");
    await press("ArrowRight");
    await page.waitForFunction(() => document.activeElement.textContent === "film");
    await page.focus("#text");
    await press("End");
    await page.keyboard.type("p");
    await press("ArrowRight");
    assert.equal(await page.inputValue("#text"), "a dull filmp");
    await press("PageDown");
    await press("Escape");
    await alone("read-text");
  });

  test("what a remote control sends, and Escape, is for the lecture also after a choice or a slider was moved", async () => {
    await open("#read/threshold?text=a+dull+film&lecture=prose");
    await page.focus("#threshold");
    await press("ArrowRight");
    await alone("read-threshold");
    await press("PageUp");
    await focused("read-memory");
    await open("#read?text=a+dull+film&lecture=prose");
    const radio = page.locator('input[name="model"]:checked');
    await radio.focus();
    await press("PageDown");
    await focused("read-cells");
    await press("PageUp");
    await focused("read-text");
    await radio.focus();
    await press("Escape");
    await eventually(async () => assert.ok((await scenes()).length > 5));
    assert.deepEqual(complaints, []);
  });
});
