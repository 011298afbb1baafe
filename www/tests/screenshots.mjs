/**
 * `npm run screenshots [-- FILTER]`: every view of the built page at several widths, light and dark, before and after somebody
 * did something, into `screenshots/`; only the pictures whose name contains FILTER, if there is one.
 */

import { join } from "node:path";
import { root } from "../../scripts/steps.mjs";
import { launch, serve } from "./browser.mjs";

const filter = process.argv[2] ?? "";
const widths = { 320: 640, 390: 844, 768: 1024, 1440: 900, 2560: 1440 };
const schemes = ["light", "dark"];
const long = "#read?model=imdb-skim-lstm";

const server = await serve();
const browser = await launch({ gpu: true });
const plain = await launch();

/** Opens the page, lets `before` act before and `after` once it stands, and keeps a picture of all of it, or of a chapter. */
async function shoot(name, width, colorScheme, { hash = "", before, after, chapter, on = browser, view = false } = {}) {
  if (!name.includes(filter)) return;
  const viewport = { width, height: widths[width] ?? 900 };
  const page = await on.newPage({ viewport, colorScheme, reducedMotion: "reduce", serviceWorkers: "block" });
  await before?.(page);
  await page.goto(server.url + hash);
  await page.locator(before ? "[data-state=failed], [data-state=loading]" : "[data-stage=ready]").first().waitFor();
  if (!before) await page.locator('#read-eyes, #race-batch, .thumbnail ul, [data-figure="so-far"], [data-figure="skim"], [data-figure="code"]').waitFor({ state: "attached" });
  await after?.(page);
  await page.waitForTimeout(400);
  const path = join(root, "screenshots", `${name}.png`);
  // The dock and the bar stick to the window, and would lie across a picture that is taller.
  if (!view) await page.addStyleTag({ content: "header, .dock, .prose, .figure { position: static !important }" });
  if (chapter) await page.locator(`[data-chapter="${chapter}"]`).screenshot({ path });
  else await page.screenshot({ path, fullPage: !view });
  console.log(`screenshots/${name}.png`);
  await page.close();
}

/** When all has been measured; on a busy machine the picture is taken without. */
const measured = (page) =>
  page.waitForFunction(() => window.saccade.measured(), null, { timeout: 30_000 }).catch(() => console.log("not measured in time"));
/** The example of that name, read by its model. */
const example = (name) => async (page) => {
  await page.getByRole("button", { name, exact: true }).first().click();
  await page.locator("[data-state=loading]").waitFor({ state: "detached" });
  await measured(page);
};
const raced = async (page) => {
  await page.getByRole("button", { name: "Start the race" }).click();
  const all = page.getByRole("button", { name: "Measure all lengths" });
  await all.waitFor({ timeout: 120_000 });
  await all.click();
  // The longest texts take a software GPU many seconds.
  await page.waitForTimeout(12_000);
  const stop = page.getByRole("button", { name: "Stop" }).first();
  if (await stop.isVisible()) await stop.click();
  await all.waitFor({ timeout: 60_000 });
};
/** Every figure has been seen, and the model has written. */
const wrote = async (page) => {
  for (const scene of await page.locator("section.scene").all()) {
    await scene.scrollIntoViewIfNeeded();
    await page.waitForTimeout(300);
  }
  await page.getByRole("button", { name: "Write", exact: true }).click();
  await page.locator('[data-seed][aria-busy="false"]').waitFor();
};
const maths = {
  read: ["text", "cells", "memory", "threshold", "savings", "words", "eyes"],
  race: ["sprint", "gates", "chain", "both", "length", "batch"],
  predict: ["surprise", "next", "field", "writing", "influence"],
  batch: ["score", "parsers", "code"],
  train: ["skim", "letters", "far", "name"],
};
/** The draws cooled, a gate of each kind held shut, one worker. */
const tried = async (page) => {
  await page.locator("math").first().waitFor();
  for (const slider of await page.locator("#maths-read-words input").all()) await slider.fill("0.3");
  for (const gate of ["lstm forget", "gru update", "sru reset"]) await page.locator(`[data-gate="${gate}"]`).click({ timeout: 1000 }).catch(() => {});
  await page.getByRole("button", { name: "One worker" }).click({ timeout: 1000 }).catch(() => {});
};
const learned = async (page) => {
  await page.getByRole("button", { name: "Learn", exact: true }).click();
  await page.locator('[data-figure="skim"][data-run="ended"]').waitFor();
  await page.getByRole("button", { name: "Learn the text" }).click();
  await page.locator('[data-figure="letters"][data-moments="8"]').waitFor();
  await page.locator('[data-figure="letters"]').getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Let them learn" }).click();
  await page.locator('[data-figure="far"][data-run="ended"]').waitFor();
};
/** The page's own program has run, and the parsers have thought. */
const batched = async (page) => {
  await page.locator('[data-figure="code"]').getByRole("button", { name: "Run", exact: true }).click();
  await page.locator('[data-figure="code"][data-run="ended"]').waitFor();
  await page.locator('[data-figure="parsers"] .action').click();
  await page.locator('[data-figure="parsers"][data-stage="parsed"]').waitFor();
};
const unanswered = (page) => page.route("**/*.safetensors", () => {});
const refused = (page) => page.route("**/*.safetensors", (route) => route.fulfill({ status: 503 }));

for (const width of Object.keys(widths).map(Number)) {
  for (const scheme of schemes) {
    await shoot(`view-${width}-${scheme}`, width, scheme, { view: true });
    await shoot(`landing-${width}-${scheme}`, width, scheme, { after: example("A verdict") });
    await shoot(`read-short-${width}-${scheme}`, width, scheme, { hash: "#read", chapter: "read", after: measured });
    await shoot(`read-long-${width}-${scheme}`, width, scheme, { hash: long, chapter: "read", after: example("A long review") });
    await shoot(`race-before-${width}-${scheme}`, width, scheme, { hash: "#race", chapter: "race" });
    await shoot(`race-${width}-${scheme}`, width, scheme, { hash: "#race", chapter: "race", after: raced });
    await shoot(`predict-${width}-${scheme}`, width, scheme, { hash: `#predict?text=${encodeURIComponent("He took off his hat, and ate his umbrella. It was a quarter past")}`, chapter: "predict", after: wrote });
    await shoot(`batch-${width}-${scheme}`, width, scheme, { hash: "#batch", chapter: "batch", after: batched });
    await shoot(`train-${width}-${scheme}`, width, scheme, { hash: "#train", chapter: "train", after: learned });
    for (const chapter of Object.keys(maths)) {
      const hash = `#${chapter}?maths=${maths[chapter].map((scene) => `${chapter}-${scene}`).join(".")}`;
      await shoot(`maths-${chapter}-${width}-${scheme}`, width, scheme, { hash, chapter, after: tried });
    }
    await shoot(`lecture-${width}-${scheme}`, width, scheme, { hash: "#read/memory?lecture=prose", view: true, after: (page) => page.keyboard.press("ArrowRight") });
    await shoot(`lecture-figures-${width}-${scheme}`, width, scheme, { hash: "#read/savings?lecture=figures", view: true, after: measured });
  }
  await shoot(`menu-${width}-light`, width, "light", { view: true, after: (page) => page.locator("button.open").click({ timeout: 1000 }).catch(() => {}) });
}
await shoot("playback-1440-light", 1440, "light", { hash: "#read?at=16", view: true });
await shoot("playback-320-dark", 320, "dark", {
  hash: "#read?at=16",
  view: true,
  after: (page) => page.locator("#read-cells").scrollIntoViewIfNeeded(),
});
await shoot("question-768-light", 768, "light", { hash: "#read", chapter: "read", after: example("A question") });
await shoot("loading-1440-light", 1440, "light", { before: unanswered, view: true });
await shoot("failed-1440-light", 1440, "light", { before: refused, view: true });
await shoot("failed-320-dark", 320, "dark", { before: refused, view: true });
await shoot("empty-320-light", 320, "light", { after: (page) => page.fill("#text", ""), view: true });
await shoot("no-webgpu-320-dark", 320, "dark", { hash: "#race", chapter: "race", on: plain, after: raced });
await shoot("forced-1440-light", 1440, "light", {
  hash: "#read",
  view: true,
  after: async (page) => {
    await page.fill("#text", "A zymurgical delight, dull only to dullards.");
    await page.locator('[data-index="1"]').click();
    await page.fill("#threshold", "0.8");
    await page.evaluate(() => scrollTo(0, 0));
  },
});

await plain.close();
await browser.close();
server.close();
