/** Training in a tab that nobody looks at: it goes on, as it would in front. Playwright has no hidden tabs, Puppeteer has. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import puppeteer from "puppeteer-core";
import { findChromium } from "../../scripts/chromium.mjs";
import { root } from "../../scripts/steps.mjs";
import { serve } from "../../www/tests/browser.mjs";

/** What Puppeteer has a browser do otherwise than people's do. */
const UNUSUAL = ["--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"];
/** Timers of a hidden tab run once a minute, as they do elsewhere after five. */
const THROTTLED = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1";

/** Steps that a run does in front, and then in the back. */
const [BEFORE, MEANWHILE] = [20, 200];

describe("a hidden tab", { timeout: 300_000 }, () => {
  let server, browser, page;

  before(async () => {
    server = await serve(root, { "blank.html": "<!doctype html>" });
    browser = await puppeteer.launch({
      executablePath: findChromium(),
      args: ["--no-sandbox", THROTTLED],
      ignoreDefaultArgs: UNUSUAL,
      protocolTimeout: 240_000,
    });
    page = await browser.newPage();
    await page.goto(`${server.url}blank.html`);
    await page.evaluate(async () => {
      const { train } = await import(new URL("js/dist/train/index.js", location.href).href);
      const words = ["good", "bad", "fine", "dull", "the", "film", "was", "and"];
      const texts = Array.from({ length: 160 }, (_, i) => {
        const text = Array.from({ length: 4 + (i % 7) }, (_, j) => words[(i * 7 + j * j * 5 + (i >> 3)) % 8]);
        return { text: text.join(" "), label: text.filter((word) => word === "good" || word === "fine").length > 1 };
      });
      const settings = { task: "classify", model: { embeddingSize: 16, encoder: [{ type: "lstm", hiddenSize: 24 }] }, train: { batch: 16, epochs: 60 } };
      /** Begins a run, and collects its losses until it ends; holds it up when there are so many. */
      window.begin = (worker, most) => {
        const [losses, run] = [[], train(texts, settings, { worker })];
        const ended = (async () => {
          for await (const event of run) {
            if (event.type === "step" && losses.push(event.losses.loss) === most) run.pause();
          }
          run.dispose();
          return losses;
        })();
        window.now = { run, losses, ended };
      };
    });
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  const steps = () => page.evaluate(() => now.losses.length);
  const until = async (count) => {
    while ((await steps()) < count) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const visibility = () => page.evaluate(() => document.visibilityState);
  const ended = () => page.evaluate(() => now.ended);
  const begin = (worker, most) => page.evaluate(([worker, most]) => void begin(worker, most), [worker, most]);

  for (const worker of [true, false]) {
    test(`goes on to the losses of one in front, in ${worker ? "a worker" : "its own thread"}`, async () => {
      await begin(worker);
      const expected = await ended();
      await begin(worker, BEFORE);
      await until(BEFORE);
      const other = await browser.newPage();
      await other.bringToFront();
      while ((await visibility()) !== "hidden") await new Promise((resolve) => setTimeout(resolve, 20));
      const hidden = await steps();
      assert.ok(hidden < expected.length - MEANWHILE, "the run is not over yet");
      await page.evaluate(() => now.run.resume());
      await until(hidden + MEANWHILE);
      assert.equal(await visibility(), "hidden");
      await other.close();
      await page.bringToFront();
      assert.deepEqual(await ended(), expected);
    });
  }

  test("that was frozen goes on when it is thawed", async () => {
    await begin(true);
    await until(BEFORE);
    const session = await page.createCDPSession();
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await session.send("Page.setWebLifecycleState", { state: "active" });
    const found = await ended();
    await begin(true);
    assert.deepEqual(found, await ended());
  });
});
