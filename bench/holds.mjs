/**
 * `npm run bench -- --page`: opens the built page again and again, half of the time beside busy neighbours, and reports for
 * every number that its chapters show how often the next load fell outside the interval that it stated.
 */

import { availableParallelism, cpus, loadavg } from "node:os";
import { Worker } from "node:worker_threads";
import { launch, openPage, serve } from "../www/tests/browser.mjs";

const LOADS = 10;
const PATIENCE_MS = 120_000;
/** Threads that have something else to do: as many as there are cores, so that the page always shares its own. */
const NEIGHBOURS = availableParallelism();

/** The numbers of a comparison, as the page shows them: null where it says that there is no telling. */
function numbersOf({ reading, everyWord, other, account }) {
  const told = ({ least, low, median, high, most }) => (median > 0 && high - low < median ? { least, median, most } : null);
  const factor = (way) => (way?.factor.told ? { least: way.factor.least, median: way.factor.median, most: way.factor.most } : null);
  const part = (name) => (account?.told && account.spreads[name] ? { ...account.spreads[name], median: account[name] } : null);
  return {
    "time as decided": told(reading),
    "time, every word read": everyWord && told(everyWord),
    "time, a plain LSTM": other && told(other),
    "saving in time": factor(everyWord),
    "fixed cost": part("fixedMs"),
    "a word read": part("readMs"),
    "a word skimmed": part("skimMs"),
  };
}

/** The numbers in a figure's elements with `data-ms`, by the names that `name` finds: ends and median, null where not told. */
async function shownIn(page, selector, name) {
  const found = await page.locator(selector).evaluateAll(
    (elements) => elements.map((element) => [element.closest("tr, li").innerText.split(/\n|\t/).map((part) => part.trim()), element.cellIndex, element.dataset]),
  );
  return Object.fromEntries(
    found.map(([words, column, { ms, told }]) => {
      const all = ms.split(" ").map(Number);
      return [name(words, column), told === "true" ? { least: all[0], median: all[(all.length - 1) / 2], most: all.at(-1) } : null];
    }),
  );
}

/** Presses a button that begins a measurement, and waits until it is there again. */
async function measured(page, button, again = button) {
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("button", { name: "Stop" }).first().waitFor();
  await page.getByRole("button", { name: again }).first().waitFor({ timeout: PATIENCE_MS });
}

/** What one load of the page shows: of the reading, the race and the cuts of a vocabulary. */
async function load(browser, url) {
  const { page } = await openPage(browser);
  try {
    await page.goto(url);
    await page.waitForFunction(() => window.saccade.measured(), null, { timeout: PATIENCE_MS });
    const reading = numbersOf(await page.evaluate(() => window.saccade.measured()));
    await page.goto(`${url}#race`);
    await measured(page, "Start the race");
    const race = await shownIn(page, '[data-figure="results"] tr[data-ms]', ([network, device, words]) => `race: ${network}, ${device}, ${words} words`);
    await page.goto(`${url}#predict/cutoffs`);
    await measured(page, "Measure this device", "Measure again");
    const cuts = await shownIn(page, '[data-figure="cutoffs"] li[data-ms]', ([name]) => `a word under ${name.replace(/ [\d,]+ and .*/, "")}`);
    await page.locator('[data-figure="cutoffs"] summary').click();
    const parts = await shownIn(page, '[data-figure="times"] td[data-ms]', ([size], column) => `${["", "head", "tail 1", "tail 2"][column]} of ${size}`);
    return { ...reading, ...race, ...cuts, ...parts };
  } finally {
    await page.context().close();
  }
}

/** Loads the page so often, and resolves to what each load showed. */
async function loads(browser, url, busy) {
  const neighbours = busy ? Array.from({ length: NEIGHBOURS }, () => new Worker("for (;;) ;", { eval: true })) : [];
  try {
    const shown = [];
    for (let n = 0; n < LOADS / 2; n++) shown.push(await load(browser, url));
    return shown;
  } finally {
    await Promise.all(neighbours.map((neighbour) => neighbour.terminate()));
  }
}

/** Of each number: in how many loads it was shown, and how many of the loads after them showed it outside the interval. */
export function held(series) {
  const names = Object.keys(series[0]?.[0] ?? {});
  return names.map((name) => {
    let [shown, followed, outside] = [0, 0, 0];
    for (const loads of series) {
      for (const [n, load] of loads.entries()) {
        const [now, next] = [load[name], loads[n + 1]?.[name]];
        if (now) shown++;
        if (!now || !next) continue;
        followed++;
        if (next.median < now.least || next.median > now.most) outside++;
      }
    }
    return { name, shown, followed, outside };
  });
}

/** The whole benchmark. */
export async function main() {
  const server = await serve();
  const browser = await launch();
  try {
    console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}; Chromium ${browser.version()}`);
    const series = [];
    for (const busy of [false, true]) series.push(await loads(browser, server.url, busy));
    console.log(`${LOADS} loads, half of them beside ${NEIGHBOURS} busy threads`);
    console.log("| number | shown | followed by another | outside |\n|---|---|---|---|");
    const all = held(series);
    for (const { name, shown, followed, outside } of all) console.log(`| ${name} | ${shown} of ${LOADS} | ${followed} | ${outside} |`);
    const [followed, outside] = ["followed", "outside"].map((column) => all.reduce((sum, row) => sum + row[column], 0));
    console.log(`outside in all: ${outside} of ${followed}, ${((100 * outside) / followed).toFixed(1)} %`);
  } finally {
    await browser.close();
    server.close();
  }
}
