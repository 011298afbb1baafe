/**
 * `npm run record:race`: runs the race of the built page in Chromium and keeps what it came to in `www/src/race/recorded.json`,
 * for the figures to show, pale, before a visitor runs it. It takes some minutes, in which the machine should do nothing else.
 */

import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/steps.mjs";
import { launch, serve } from "./browser.mjs";

const PATIENCE = 600_000;
const names = { Elman: "elman", GRU: "gru", LSTM: "lstm", "Skim-LSTM": "skim", SRU: "sru" };

// Before the race, which is work as well.
const [load = 0] = loadavg();
const server = await serve();
// A GPU by software would say nothing of one that a visitor has.
const browser = await launch();
const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], serviceWorkers: "block" });
const page = await context.newPage();
await page.goto(`${server.url}#race`);
await page.locator('[data-stage="ready"]').waitFor();
for (const name of ["Start the race", "Measure all lengths", "Measure all batches"]) {
  const start = page.getByRole("button", { name });
  await start.click({ timeout: PATIENCE });
  await page.getByRole("button", { name: "Stop" }).first().waitFor();
  await start.waitFor({ timeout: PATIENCE });
}
await page.getByRole("button", { name: "Copy as a table" }).click();
await page.getByText("Copied.").waitFor();
const report = await page.evaluate(() => navigator.clipboard.readText());
const alone = (texts, tokens) => texts > 1 || tokens === 32;
const trials = report.split("\n").flatMap((line) => {
  const [, network, device, tokens, texts, , median, , , flops] = line.split("|").map((cell) => cell.trim());
  if (!(network in names)) return [];
  const [length, batch] = [Number(tokens), Number(texts)];
  // Where another machine's rounds lay says nothing of this one's.
  const samples = [Number(median)];
  return [{ cell: names[network], device: device === "CPU" ? "cpu" : "webgpu", length, batch, alone: alone(batch, length), samples, flops: Number(flops), method: "recorded" }];
});
const busy = load > cpus().length / 2 ? ", busy with other work" : "";
const machine = `${cpus().length} cores of an ${cpus()[0].model.trim()}, Chromium ${browser.version().split(".")[0]}, without a GPU${busy}`;
const length = Math.min(...trials.filter((trial) => !trial.alone).map((trial) => trial.length));
const lines = trials.map((trial) => JSON.stringify(trial)).join(",\n");
const record = `{"machine": ${JSON.stringify(machine)}, "length": ${length}, "trials": [\n${lines}\n]}\n`;
writeFileSync(join(root, "www", "src", "race", "recorded.json"), record);
console.log(`${trials.length} trials on ${machine}, load ${load.toFixed(1)} before`);
await browser.close();
server.close();
