/** What the browser's own observers say of the page: size, paints, shifts of the layout, long tasks. Times are printed only. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { complaints, page, renew, server } from "./opened.mjs";

const WORDS = 300;
const review = Array.from({ length: 20 }, (_, n) =>
  `Scene ${n} is long, but the light on the lake is wonderful and nobody explains it.`,
).join(" ").split(" ").slice(0, WORDS).join(" ");

/** Runs in the page before anything else. */
function observe() {
  window.vitals = { shifts: [], longTasks: [], paints: {} };
  const watch = (type, each) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
  watch("layout-shift", (entry) => {
    const from = entry.sources.map(({ node }) => (node instanceof Element ? `${node.tagName}.${node.className}` : "text"));
    window.vitals.shifts.push({ value: entry.value, expected: entry.hadRecentInput, from });
  });
  watch("longtask", ({ duration }) => window.vitals.longTasks.push(duration));
  watch("paint", ({ name, startTime }) => (window.vitals.paints[name] = startTime));
  watch("largest-contentful-paint", ({ startTime }) => (window.vitals.paints["largest-contentful-paint"] = startTime));
}

async function open(hash = "") {
  await renew({ viewport: { width: 1350, height: 940 }, reducedMotion: "no-preference" });
  await page.addInitScript(observe);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  await page.goto(server.url + hash);
  return cdp;
}

const vitals = () => page.evaluate(() => window.vitals);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const ms = (value) => (value === undefined ? "none" : `${value.toFixed(0)} ms`);

describe("vitals", { timeout: 600_000 }, () => {
  test("the first view: its size, its paints, its shifts", async () => {
    const cdp = await open();
    await page.locator('[data-stage="ready"]').waitFor();
    await page.waitForFunction(() => window.saccade.measured());
    await page.locator(".thumbnail svg").first().waitFor();
    const { paints, shifts, longTasks } = await vitals();
    const { metrics } = await cdp.send("Performance.getMetrics");
    const spent = (name) => 1000 * metrics.find((metric) => metric.name === name).value;
    const score = sum(shifts.map(({ value }) => value));
    console.log(`first paint: ${ms(paints["first-paint"])}, with content: ${ms(paints["first-contentful-paint"])}`);
    console.log(`largest paint: ${ms(paints["largest-contentful-paint"])}`);
    console.log(`layout shift: ${score.toFixed(4)} in ${shifts.length} shifts`);
    console.log(`main thread: ${ms(spent("TaskDuration"))}, of it script ${ms(spent("ScriptDuration"))}, layout ${ms(spent("LayoutDuration"))}`);
    console.log(`long tasks: ${longTasks.length}, blocking for ${ms(sum(longTasks.map((task) => task - 50)))}`);
    assert.ok(score < 0.1, `the layout shifts by ${score}: ${JSON.stringify(shifts)}`);
    assert.deepEqual(complaints, []);
  });

  test(`typing in a review of ${WORDS} words on the CPU: shifts and long tasks`, async () => {
    await open(`#read?device=cpu&model=imdb-skim-lstm&text=${encodeURIComponent(review)}`);
    await page.locator("#threshold:enabled").waitFor();
    await page.locator(".token").nth(200).waitFor();
    await page.focus("#text");
    await page.keyboard.press("Control+End");
    await page.evaluate(() => Object.assign(window.vitals, { shifts: [], longTasks: [] }));
    const words = " and I would see it again";
    await page.keyboard.type(words, { delay: 60 });
    await page.waitForFunction((end) => document.querySelector(".text").textContent.endsWith(end), words);
    const { shifts, longTasks } = await vitals();
    // Text that moves because somebody typed is what they expect: the browser marks it so.
    const unexpected = shifts.filter(({ expected }) => !expected);
    console.log(`while typing ${words.length} letters: layout shift ${sum(shifts.map(({ value }) => value)).toFixed(4)}, unexpected ${sum(unexpected.map(({ value }) => value)).toFixed(4)}`);
    console.log(`long tasks: ${longTasks.length}, the longest ${ms(Math.max(0, ...longTasks))}`);
    assert.ok(sum(unexpected.map(({ value }) => value)) < 0.1, JSON.stringify(unexpected));
    assert.deepEqual(complaints, []);
  });

  test("the first view takes less than 1.1 MB, compressed, and nothing from elsewhere", async () => {
    await renew();
    const responses = [];
    page.on("response", (response) => {
      if (!response.url().startsWith("data:")) responses.push(response);
    });
    await page.goto(server.url);
    await page.locator('[data-stage="ready"]').waitFor();
    await page.locator(".thumbnail svg").first().waitFor();
    await page.locator(".thumbnail ul").waitFor();
    const fetched = responses.map((response) => response.url());
    assert.deepEqual(fetched.filter((url) => !url.startsWith(server.url)), []);
    for (const kind of [".wasm", ".safetensors"]) assert.ok(fetched.some((url) => url.endsWith(kind)), kind);
    const sizes = await Promise.all(
      responses.map(async (response) => [response.url().slice(server.url.length) || "index.html", gzipSync(await response.body(), { level: 9 }).length]),
    );
    for (const [name, size] of sizes.sort((a, b) => b[1] - a[1])) console.log(`${String(size).padStart(8)} ${name}`);
    const sent = sum(sizes.map(([, size]) => size));
    console.log(`first view: ${sent} bytes after gzip in ${sizes.length} files`);
    assert.ok(sent < 1.1e6, `${sent} bytes`);
  });
});
