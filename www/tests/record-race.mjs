/**
 * `npm run record:race`: has the built page measure all lengths and batches in Chromium and keeps what they came to in
 * `www/src/race/recorded.json`, for the figures to show, pale, before a visitor runs a race; its bars show the shortest text. It takes
 * some minutes, in which the machine should do nothing else.
 */

import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { trialsOf } from "../../scripts/raced.mjs";
import { root } from "../../scripts/steps.mjs";
import { launch, serve } from "./browser.mjs";

const PATIENCE = 600_000;

// Before the race, which is work as well.
const [load = 0] = loadavg();
const server = await serve();
// A GPU by software would say nothing of one that a visitor has.
const browser = await launch();
const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], serviceWorkers: "block" });
const page = await context.newPage();
await page.goto(`${server.url}#race`);
await page.locator('[data-stage="ready"]').waitFor();
for (const name of ["Measure all lengths", "Measure all batches"]) {
  const start = page.getByRole("button", { name });
  await start.click({ timeout: PATIENCE });
  await page.getByRole("button", { name: "Stop" }).first().waitFor();
  await start.waitFor({ timeout: PATIENCE });
}
await page.getByRole("button", { name: "Copy as a table" }).click();
await page.getByText("Copied.").waitFor();
const trials = trialsOf(await page.evaluate(() => navigator.clipboard.readText()));
const busy = load > cpus().length / 2 ? ", busy with other work" : "";
const machine = `${cpus().length} cores of an ${cpus()[0].model.replace(/\((R|TM)\)/gi, "").trim()}, Chromium ${browser.version().split(".")[0]}, without a GPU${busy}`;
const length = Math.min(...trials.filter((trial) => !trial.alone).map((trial) => trial.length));
const lines = trials.map((trial) => JSON.stringify(trial)).join(",\n");
const record = `{"machine": ${JSON.stringify(machine)}, "length": ${length}, "trials": [\n${lines}\n]}\n`;
writeFileSync(join(root, "www", "src", "race", "recorded.json"), record);
console.log(`${trials.length} trials on ${machine}, load ${load.toFixed(1)} before`);
await browser.close();
server.close();
