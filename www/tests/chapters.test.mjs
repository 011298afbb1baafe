/** The chapters as people go through them: by keyboard alone, by a link, without motion, by ear, and without a network. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import { terminate, train } from "../../js/dist/train/node.js";
import { root } from "../../scripts/steps.mjs";
import { launch, openPage } from "./browser.mjs";
import { choose, complaints, eventually, fits, openAt, page, server, settled, stands } from "./opened.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LONG_TEXT = Array.from({ length: 30 }, () => "I did not leave, and the light on the lake is wonderful.").join(" ");

/** Opens a chapter and waits until all of it stands. */
async function open(hash = "#read", options = {}) {
  await openAt(hash, options);
  await stands();
}

/** Presses Tab until an element that matches has the focus. */
async function tabTo(selector) {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((selector) => document.activeElement?.matches(selector), selector)) return;
  }
  assert.fail(`${selector} is not reached by Tab`);
}

const at = () => page.evaluate(() => Number(document.querySelector('.dock input[type="range"]').value));
const outlined = () => page.evaluate(() => parseFloat(getComputedStyle(document.activeElement).outlineWidth) > 0);

describe("Read by keyboard alone", { timeout: 600_000 }, () => {
  test("a text is written, a word is overruled, the threshold moved, the reading played", async () => {
    await open();
    await tabTo("#text");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("One dull film.");
    await page.waitForFunction(() => document.querySelector(".text")?.textContent === "One dull film.");

    await tabTo(".token");
    assert.ok(await outlined());
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await page.locator('.inspector[aria-label*="dull"]').waitFor();
    await page.keyboard.press("Enter");
    await page.locator('.token[data-index="1"][data-forced]').waitFor();

    await tabTo("#threshold");
    assert.ok(await outlined());
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.querySelectorAll('.token[data-decision="skim"]:not([data-forced])').length === 0);
    await tabTo(".threshold button");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#threshold").value !== "1");
    // What can no longer have the focus loses it as the page is drawn.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    assert.ok(await page.evaluate(() => document.activeElement.matches(".threshold button")));

    await tabTo('.dock [aria-label="Play the reading"]');
    assert.ok(await outlined());
    // Four words are soon played: what is seen of it is noted as it happens.
    await page.evaluate(() => {
      window.played = new Promise((resolve) => {
        const look = () => document.querySelector('.dock [aria-label="Pause"]') && document.querySelector(".token.here") && resolve();
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
      });
    });
    await page.keyboard.press("Enter");
    await page.evaluate(() => window.played);
    // Home changes nothing while the playback is at the first word, and stops nothing.
    await page.locator('.dock [aria-label="Play the reading"]').waitFor();
    await tabTo('.dock input[type="range"]');
    await page.keyboard.press("Home");
    await eventually(async () => assert.equal(await at(), 0));
    await page.keyboard.press("ArrowRight");
    await eventually(async () => assert.equal(await at(), 1));
    await page.locator('.token.here[data-index="1"]').waitFor();
    assert.deepEqual(complaints, []);
  });

  test("a link in a scene to another text, and to another model, keeps the focus", async () => {
    await open();
    const links = page.locator("#read-memory ~ p button");
    for (const [at, begins] of [[0, "It isn't that"], [1, "I went in"]]) {
      const before = await page.inputValue("#text");
      const link = links.nth(at);
      const name = await link.innerText();
      await link.focus();
      await page.keyboard.press("Enter");
      await page.waitForFunction((before) => document.querySelector("#text").value !== before, before);
      await settled();
      assert.ok((await page.inputValue("#text")).startsWith(begins));
      assert.equal(await page.evaluate(() => document.activeElement.textContent), name);
    }
    assert.deepEqual(complaints, []);
  });

  test("the playback reads to the end, no shorter where the network reads", async () => {
    const text = "It was a dull film, and I did not like it.";
    await open(`#read?${new URLSearchParams({ text, speed: "1" })}`);
    await page.waitForFunction((text) => document.querySelector(".text")?.textContent === text, text);
    // From here on no time passes but what the test lets pass. A measurement would wait for the clock for ever: it is over by now.
    await page.waitForFunction(() => window.saccade.measured());
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await page.evaluate(() => {
      window.stays = [];
      new MutationObserver(() => {
        const { index, decision } = document.querySelector(".token.here")?.dataset ?? {};
        if (window.stays.at(-1)?.index !== index) window.stays.push({ index, decision, since: Date.now() });
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    const play = page.getByRole("button", { name: "Play the reading" }).first();
    await play.click();
    await page.locator('.dock [aria-label="Pause"]').waitFor();
    await page.clock.runFor(30_000);
    await play.waitFor();
    const stays = await page.evaluate(() => window.stays);
    const tokens = await page.locator(".token").count();
    assert.deepEqual(stays.map(({ index }) => index), [...Array(tokens).keys()].map(String).concat(undefined));
    const times = (decision) =>
      stays.slice(0, -1).flatMap((stay, i) => (stay.decision === decision ? stays[i + 1].since - stay.since : []));
    assert.ok(times("skim").length > 0);
    // How long the eye stays at a skimmed word follows from a measurement: on a busy machine it may be as long as at a read one.
    assert.deepEqual([...new Set(times("read"))], [520]);
    for (const stay of times("skim")) assert.ok(stay >= 45 && stay <= 520, `${stay} ms`);
  });
});

describe("Race by keyboard alone", { timeout: 600_000 }, () => {
  test("it is started, shows its bars and its table, and can be stopped", async () => {
    await open("#race?text=a+dull+film");
    const start = page.getByRole("button", { name: "Start the race" });
    await start.focus();
    await page.keyboard.press("Enter");
    await page.locator('[data-figure="results"]').waitFor();
    await start.waitFor();
    const rates = await page.locator('section[aria-label="CPU"] .rate').allInnerTexts();
    assert.equal(rates.length, 5);
    for (const rate of rates) assert.match(rate, /\d|too busy/);
    assert.match(await page.locator('section[aria-label="WebGPU"]').innerText(), /no WebGPU/);
    // The text, and four times the text.
    assert.equal(await page.locator('[data-figure="results"] tbody tr').count(), 10);
    await eventually(async () => assert.match(await page.locator('[data-chapter="race"] [role="status"][aria-live]').innerText(), /was the fastest|too close together to tell/));
    // Some browsers let a page copy only at the press itself.
    const copied = await page.evaluate(() => {
      let text;
      navigator.clipboard.writeText = async (given) => void (text = given);
      [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Copy as a table").click();
      return text;
    });
    assert.match(copied, /^Saccade, .+\nBrowser: .+\nWebGPU adapter: none raced on\n/);

    const long = page.getByRole("button", { name: "Measure all lengths" });
    await long.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop" }).first().waitFor();
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    assert.equal(await focused(), "Stop");
    await page.keyboard.press("Enter");
    await long.waitFor();
    assert.equal(await focused(), "Measure all lengths");
    assert.deepEqual(complaints, []);
  });
});

describe("Race with WebGPU", { timeout: 600_000 }, () => {
  test("both devices have their bars, and the table says where the time went", async () => {
    await open("#race?text=a+dull+film", { gpu: true });
    const start = page.getByRole("button", { name: "Start the race" });
    await start.click();
    await page.locator('[data-figure="results"]').waitFor();
    await start.waitFor();
    for (const device of ["CPU", "WebGPU"]) {
      for (const rate of await page.locator(`section[aria-label="${device}"] .rate`).allInnerTexts()) assert.match(rate, /\d|too busy/);
    }
    const rows = await page.locator('[aria-label="Table of the time by network"] tbody tr').allInnerTexts();
    assert.equal(rows.length, 10);
    assert.ok(rows.filter((row) => /WebGPU/.test(row)).every((row) => /\d kB/.test(row)));
    assert.deepEqual(complaints, []);
  });
});

describe("links", { timeout: 600_000 }, () => {
  test("state to address to state: a second page from the first one's address shows the same", async () => {
    await open("#read?text=a+dull+film%2C+and+long&threshold=0.7&speed=2");
    await page.locator('.token[data-index="0"]').click();
    await page.locator('.token[data-index="0"][data-forced]').waitFor();
    await page.locator('.dock input[type="range"]').fill("2");
    await page.waitForURL(/at=2/);
    await page.waitForURL(/force=0/);
    await settled();
    const view = () =>
      page.evaluate(() => ({
        text: document.querySelector(".text").textContent,
        threshold: document.querySelector("#threshold").value,
        decisions: [...document.querySelectorAll(".token")].map((token) => [token.dataset.decision, "forced" in token.dataset]),
        at: document.querySelector('.dock input[type="range"]').value,
        speed: document.querySelector(".dock select").value,
      }));
    const [first, address] = [await view(), new URL(page.url()).hash];
    await page.context().close();
    await open(address);
    await page.locator('.token[data-index="0"][data-forced]').waitFor();
    await settled();
    assert.deepEqual(await view(), first);
    await page.waitForTimeout(800);
    assert.equal(new URL(page.url()).hash, address);
  });

  test("another address, written by hand, is another view", async () => {
    await open("#read?text=a+dull+film");
    await page.evaluate(() => (location.hash = "#read?text=a+fine+film&threshold=0.9"));
    await page.waitForFunction(() => document.querySelector(".text").textContent === "a fine film");
    await eventually(async () => assert.equal(await page.locator("#threshold").inputValue(), "0.9"));
  });
});

describe("for everybody", { timeout: 600_000 }, () => {
  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds no violation, ${colorScheme}`, async () => {
      const found = async () => {
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ target }) => target).join(" | ")}`);
      };
      await open("", { colorScheme });
      assert.deepEqual(await found(), []);
      await page.context().close();
      await open("#read?at=3", { colorScheme });
      assert.deepEqual(await found(), []);
      await page.context().close();
      await open("#read/cells?lecture=prose", { colorScheme });
      assert.deepEqual(await found(), []);
      await page.context().close();
      await open("#race", { colorScheme });
      const start = page.getByRole("button", { name: "Start the race" });
      await start.click();
      await page.locator('[data-figure="results"]').waitFor();
      await start.waitFor();
      assert.deepEqual(await found(), []);
    });
  }

  /** Of each chapter what comes last of its controls. */
  const WHOLE = { "": "#text", read: "#threshold:enabled", race: "#race-batch", batch: '[data-figure="parsers"]', predict: '[data-figure="truncation"]', train: '[data-figure="far"]' };
  for (const [chapter, last] of Object.entries(WHOLE)) {
    test(`at ${chapter || "the landing"} every label is that of the control in it`, async () => {
      await open(`#${chapter}`);
      await page.locator(last).waitFor();
      const labels = await page.evaluate(() =>
        [...document.querySelectorAll("label")].flatMap((label) => {
          const inside = label.querySelector("input, select, textarea");
          return inside ? [{ label: label.textContent.trim(), names: label.control === inside }] : [];
        }),
      );
      assert.ok(labels.length > 0);
      assert.deepEqual(labels.filter(({ names }) => !names), []);
    });
  }

  test("the theme follows the system until it is switched, and the switch is remembered", async () => {
    await open("", { colorScheme: "dark" });
    const theme = () =>
      page.evaluate(() => {
        const root = document.documentElement;
        const bar = document.querySelector('meta[name="theme-color"]').content;
        return [root.dataset.theme, bar === getComputedStyle(root).getPropertyValue("--paper").trim()];
      });
    assert.deepEqual(await theme(), ["dark", true]);
    await page.getByRole("button", { name: "Light colours" }).click();
    await eventually(async () => assert.deepEqual(await theme(), ["light", true]));
    await page.reload();
    await stands();
    assert.deepEqual(await theme(), ["light", true]);
  });

  test("without motion nothing slides or fades", async () => {
    await open("", { reducedMotion: "reduce" });
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll("*")].filter((element) => {
        const { transitionDuration, animationName } = getComputedStyle(element);
        return animationName !== "none" || transitionDuration.split(",").some((part) => parseFloat(part) > 0);
      }).length,
    );
    assert.equal(moving, 0);
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
  });

  for (const width of [320, 390, 768, 1440, 2560]) {
    test(`at ${width} px no chapter is wider than the window`, async () => {
      await open(`#read?text=${encodeURIComponent(LONG_TEXT)}`, { viewport: { width, height: 800 } });
      await fits();
    });
  }

  for (const chapter of ["", "read", "race", "predict"]) {
    test(`at ${chapter || "the landing"} one word of thousands of letters leaves the page no wider than the window`, async () => {
      await open(`#${chapter}?text=${"x".repeat(3000)}`, { viewport: { width: 390, height: 800 } });
      await settled();
      await fits();
    });
  }

  for (const width of [320, 390, 1440]) {
    test(`at ${width} px a browser set to type twice as large has it, and no chapter is wider than the window`, async () => {
      const large = await launch({ type: 32 });
      try {
        for (const chapter of ["", "read", "race", "predict", "batch", "train"]) {
          const { page } = await openPage(large, { viewport: { width, height: 800 } });
          await page.goto(`${server.url}#${chapter}`);
          await page.locator('[data-stage="ready"]').waitFor();
          await page.waitForFunction((chapter) => document.querySelector("[data-chapter]")?.dataset.chapter === chapter, chapter);
          assert.ok((await page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize))) >= 32, chapter);
          await eventually(async () => assert.equal(await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth)), 0, chapter));
          await page.context().close();
        }
      } finally {
        await large.close();
      }
    });
  }

  test("forced colours leave bars and the lines under words, and tell the chapter that is open", async () => {
    await open("#read", { forcedColors: "active", colorScheme: "dark" });
    const bar = page.locator('[data-score="positive"] .bar > span');
    assert.notEqual(await bar.evaluate((bar) => getComputedStyle(bar).backgroundColor), await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    assert.match(await page.locator(".token").first().evaluate((token) => getComputedStyle(token).backgroundImage), /gradient/);
    const lines = await page.locator("nav.row a").evaluateAll((links) => links.map((link) => getComputedStyle(link).borderBlockEndColor));
    assert.equal(lines.filter((line) => line === lines[0]).length, 1);
  });

  test("Race says so of a text without a word of letters", async () => {
    await open("#race?text=%E5%A5%BD%E7%9C%8B");
    await settled();
    await page.getByText("No word of your text is spelt with the letters a to z").waitFor();
  });

  test("Race’s clock of what waits for what runs without motion too", async () => {
    await open("#race", { reducedMotion: "reduce" });
    const width = () => page.locator('[data-lane="lstm"] rect').evaluateAll((blocks) => blocks.reduce((sum, block) => sum + Number(block.getAttribute("width")), 0));
    const whole = await width();
    await page.evaluate(() => {
      window.blocks = [];
      new MutationObserver(() => window.blocks.push(document.querySelectorAll('[data-lane="lstm"] rect').length)).observe(document.querySelector('[data-lane="lstm"]'), { subtree: true, childList: true });
    });
    await page.getByRole("button", { name: "Run the clock" }).last().click();
    await eventually(async () => {
      assert.ok(await page.evaluate(() => window.blocks.length > 1));
      assert.equal(await width(), whole);
    });
  });

  test("without a text the figures of Read say that they have nothing to show", async () => {
    await open();
    await page.fill("#text", "");
    await eventually(async () => assert.equal(await page.getByText("Your text has no words yet").count(), 2));
  });

  test("the word that is pointed at is lit in the playback, and the bars of a verdict that was moved are as long as one another", async () => {
    await open("#read?text=a+dull+film+that+I+loved");
    await settled();
    const lit = () => page.locator(".dock .head").evaluate((head) => Math.round((Number(head.getAttribute("x")) / 1000) * 6));
    assert.equal(await lit(), 5);
    await page.locator('[data-index="1"]').click();
    await eventually(async () => assert.equal(await lit(), 1));
    await page.locator('[data-score] [data-share] small').first().waitFor();
    const tracks = await page.locator("[data-score] .bar").evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width));
    assert.equal(new Set(tracks).size, 1, String(tracks));
  });

  test("with little memory, as the browser tells it, everything works", async () => {
    const prepare = () => Object.defineProperty(navigator, "deviceMemory", { value: 0.5 });
    await open("", { prepare });
    assert.equal(await page.evaluate(() => navigator.deviceMemory), 0.5);
    assert.ok((await page.locator(".token").count()) > 3);
    assert.deepEqual(complaints, []);
  });
});

describe("models", { timeout: 600_000 }, () => {
  test("a file of the visitor's own is read with, by the picker", async () => {
    await open("#read?text=Where+is+it%3F");
    await page.locator('input[type="file"]').setInputFiles(join(root, "models", "trec-skim-lstm.safetensors"));
    await page.locator('[data-score="location"]').waitFor();
    assert.ok(await page.getByRole("radio", { name: "trec-skim-lstm.safetensors" }).isChecked());
    assert.doesNotMatch(page.url(), /trec/);
  });

  test("the one that people stand beside is named, whichever reads the text", async () => {
    await open("#read?model=trec-skim-lstm");
    await page.locator(".scene", { has: page.locator("#read-eyes") }).getByText("The network beside them is always “Sentences, all words”").waitFor();
  });

  test("one that reads backwards as well has a verdict on the whole text only", async () => {
    const rows = Array.from({ length: 16 }, (_, at) => ({ text: `it is ${at % 2 ? "fine" : "dull"} here`, label: at % 2 ? "good" : "bad" }));
    const training = train(
      { train: rows, dev: rows },
      { task: "classify", seed: 1, model: { embeddingSize: 4, encoder: [{ type: "lstm", hiddenSize: 4, bidirectional: true }] }, train: { batch: 8, epochs: 1 } },
    );
    for await (const _ of training);
    const buffer = Buffer.from(await training.file());
    training.dispose();
    await terminate();
    await open("#read?text=it+is+fine+here&at=1");
    const curve = page.locator(".states .line");
    await curve.waitFor();
    await page.locator('input[type="file"]').setInputFiles({ name: "both-ways.safetensors", mimeType: "application/octet-stream", buffer });
    await page.locator('[data-score="good"]').waitFor();
    await page.locator('.dock input[type="range"]').fill("1");
    await page.locator('[data-said="backwards"]').waitFor();
    assert.equal(await page.getByText("The curve shows the verdict").count(), 0);
    assert.equal(await curve.count(), 0);
    assert.equal(await page.locator(".states canvas").count(), 1);
    assert.match(await page.locator(".states .visually-hidden").innerText(), /^At word 2 of 4, “is”: \d of 4 numbers changed\.$/);
    const shares = await page.locator("[data-share]").allInnerTexts();
    assert.equal(shares.map((share) => Number.parseInt(share, 10)).reduce((sum, share) => sum + share), 100, `${shares}`);
    assert.equal(await page.locator("#prediction").innerText(), "The verdict");
    assert.deepEqual(await page.locator(".dock .now span").allInnerTexts(), ["is"]);
    assert.deepEqual(complaints, []);
  });

  test("it is there after the page was loaded again, can be chosen on another visit, and is forgotten when asked to", async () => {
    await open("#read?text=Where+is+it%3F");
    await page.locator('input[type="file"]').setInputFiles(join(root, "models", "trec-skim-lstm.safetensors"));
    await page.locator('[data-keeping="kept"]').waitFor();
    const own = page.getByRole("radio", { name: "trec-skim-lstm.safetensors" });
    // The address says by then that no model of the page's is chosen.
    await page.waitForURL((url) => !url.hash.includes("model="));
    await page.reload();
    await page.locator('[data-score="location"]').waitFor();
    assert.ok(await own.isChecked());
    // Also after the way to another chapter and, when that was loaded again, back.
    await page.getByRole("link", { name: "Race", exact: true }).click();
    await page.locator("#race-batch").waitFor();
    await page.reload();
    await page.locator("#race-batch").waitFor();
    await page.evaluate(() => history.back());
    await page.locator('[data-score="location"]').waitFor();
    assert.ok(await own.isChecked());
    // A link opens with what it says.
    await page.goto("about:blank");
    await page.goto(`${server.url}#read?text=a+film`);
    await page.locator('[data-score="positive"]').waitFor();
    assert.ok(!(await own.isChecked()));
    await choose(own);
    await page.locator('[data-score="location"]').waitFor();
    await page.getByRole("button", { name: "Forget it" }).click();
    await page.locator('[data-keeping="forgotten"]').waitFor();
    await page.waitForURL((url) => !url.hash.includes("model="));
    await page.reload();
    await page.locator('[data-score="positive"]').waitFor();
    assert.equal(await own.count(), 0);
    assert.deepEqual(complaints, []);
  });

  test("where the browser keeps nothing, that is said", async () => {
    await open();
    await page.evaluate(() => (caches.open = () => Promise.reject(new DOMException("no", "SecurityError"))));
    await page.locator('input[type="file"]').setInputFiles(join(root, "models", "trec-skim-lstm.safetensors"));
    await page.locator('[data-keeping="refused"]').waitFor();
    assert.match(await page.locator('[data-figure="keeping"]').innerText(), /refuses to keep it/);
    assert.equal(await page.getByRole("button", { name: "Forget it" }).count(), 0);
  });

  test("a file dropped on the page is read with", async () => {
    await open();
    const bytes = readFileSync(join(root, "models", "sst2-skim-lstm-small.safetensors")).toString("base64");
    await page.evaluate(async (bytes) => {
      const data = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([data], "mine.safetensors"));
      for (const type of ["dragover", "drop"]) {
        window.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
      }
    }, bytes);
    await page.getByRole("radio", { name: "mine.safetensors", checked: true }).waitFor();
    await settled();
    assert.deepEqual(complaints, []);
  });

  test("a file dropped in another chapter goes where it is used, or is refused where it was dropped", async () => {
    await open("#train");
    const drop = (name, base64) =>
      page.evaluate(
        ([name, base64]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name));
          for (const type of ["dragover", "drop"]) window.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        },
        [name, Buffer.from(base64).toString("base64")],
      );
    await drop("diary.txt", "dear diary");
    const refusal = page.getByRole("alert").filter({ hasText: "“diary.txt” holds no model" });
    await refusal.waitFor();
    assert.equal(await page.locator("main").getAttribute("data-stage"), "ready");
    await page.keyboard.press("Shift");
    await refusal.waitFor({ state: "detached" });
    const guesser = readFileSync(join(root, "models", "shakespeare-sru.safetensors"));
    await drop("mine.safetensors", guesser);
    await page.locator('[data-chapter="predict"]').waitFor();
    const mine = page.getByRole("radio", { name: "mine.safetensors" });
    await page.locator('[data-keeping="kept"]').waitFor();
    assert.ok(await mine.isChecked());
    // One that does not load takes nobody's place.
    await drop("damaged.safetensors", guesser.subarray(0, guesser.length / 2));
    await page.locator('[data-state="language-failed"]', { hasText: "damaged.safetensors" }).waitFor();
    assert.equal(await page.getByRole("radio", { name: "damaged.safetensors" }).count(), 0);
    assert.equal(await page.locator("[data-keeping]").count(), 0);
    const kept = () => page.evaluate(async () => (await (await caches.open("own-language")).match("./own.safetensors")).headers.get("x-name"));
    assert.equal(await kept(), "mine.safetensors");
    await choose(mine);
    await page.locator('[data-next="0"]').waitFor();
    assert.equal(await kept(), "mine.safetensors");
    await drop("reader.safetensors", readFileSync(join(root, "models", "sst2-skim-lstm-small.safetensors")));
    await page.locator('[data-chapter="read"]').waitFor();
    await page.getByRole("radio", { name: "reader.safetensors", checked: true }).waitFor();
    await settled();
    assert.deepEqual(complaints, []);
  });

  test("a file that is no model to read with says so in plain words, and leaves a way back", async () => {
    await open();
    const input = page.locator('input[type="file"]');
    const failed = page.locator('[data-state="failed"]');
    await input.setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("not a model at all") });
    await failed.waitFor();
    const [title, meaning, detail] = await failed.locator("p").allInnerTexts();
    assert.equal(title, "“notes.txt” cannot be used here.");
    assert.match(meaning, /a model that labels texts.*\.safetensors\. This is a file of another kind\.$/);
    assert.match(detail, /^In the engine’s words: not a safetensors file but text.*MODEL_INVALID$/);
    assert.equal(await failed.getByRole("button").count(), 0, "the same file fails again");
    await input.setInputFiles(join(root, "models", "shakespeare-lstm.safetensors"));
    await page.locator('[data-state="failed"][data-code="MODEL_CONFIG"]').waitFor();
    assert.match(await failed.innerText(), /or one that does something else\./);
    await choose(page.getByRole("radio", { name: "Sentences", exact: true }));
    await page.locator('[data-state="failed"]').waitFor({ state: "detached" });
  });

  test("the full network beside it is the model's own large cell", async () => {
    await open("#read?text=a+dull+film");
    // A reading made anew is measured anew.
    await eventually(async () => {
      const figure = await page.locator('[aria-labelledby="gauge-time"]', { has: page.locator('[data-figure="speedup"] small') }).innerText();
      for (const way of ["as it decided", "every word read", "a plain LSTM"]) assert.ok(figure.includes(way), figure);
      assert.doesNotMatch(figure, /\b0\.\d+×/);
    });
    assert.deepEqual(complaints, []);
  });
});

describe("without a network", { timeout: 600_000 }, () => {
  test("after a first visit the page opens, reads and races", async () => {
    await open("", { serviceWorkers: "allow" });
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    server.unreachable(true);
    try {
      await page.reload();
      await stands();
      await page.fill("#text", "Read without a network.");
      await page.waitForFunction(() => document.querySelector(".text")?.textContent === "Read without a network.");
      await choose(page.getByRole("radio", { name: "Long reviews" }));
      await page.locator('[data-state="failed"]').waitFor();
    } finally {
      server.unreachable(false);
    }
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator('[data-state="failed"]').waitFor({ state: "detached" });
  });

  test("the page can be installed: its manifest names icons that are there", async () => {
    await open();
    const manifest = await page.evaluate(async () => {
      const address = document.querySelector('link[rel="manifest"]').href;
      const manifest = await (await fetch(address)).json();
      const icons = await Promise.all(manifest.icons.map(async ({ src }) => (await fetch(new URL(src, address))).status));
      return { ...manifest, statuses: icons, start: new URL(manifest.start_url, address).href };
    });
    assert.deepEqual([...new Set(manifest.statuses)], [200]);
    assert.equal(manifest.start, server.url);
    assert.equal(manifest.display, "standalone");
  });
});
