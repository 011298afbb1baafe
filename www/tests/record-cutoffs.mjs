/**
 * `npm run record:cutoffs`: measures the parts of an adaptive softmax on the built page in Chromium and keeps their times in
 * `www/src/predict/cutoffs/recorded.json`, for the figure to show, pale, before a visitor measures. The machine should do
 * nothing else meanwhile.
 */

import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/steps.mjs";
import { launch, newPage, serve } from "./browser.mjs";

// Before the measurement, which is work as well.
const [load = 0] = loadavg();
const server = await serve();
const browser = await launch();
const page = await newPage(browser, { serviceWorkers: "block" });
await page.goto(`${server.url}#predict/cutoffs`);
await page.getByRole("button", { name: "Measure this device" }).click();
await page.locator('[data-figure="cutoffs"][data-measured="true"]').waitFor();
/** Of every size: the size, and the median times of the head and of both tails. */
const rows = await page.locator('[data-figure="times"] tbody tr').evaluateAll((rows) =>
  rows.map((row) => ({
    outputs: Number(row.querySelector("th").textContent.replaceAll(",", "")),
    parts: [...row.querySelectorAll("td")].map((cell) => Number(cell.dataset.ms?.split(" ")[2])),
  })),
);
// A size that a part was not measured at is no number.
const points = (part) => rows.flatMap(({ outputs, parts }) => (parts[part] ? [{ outputs, ms: Number(parts[part].toPrecision(3)) }] : []));
const lines = (part) => `[\n      ${points(part).map((point) => JSON.stringify(point)).join(",\n      ")}\n    ]`;
const busy = load > cpus().length / 2 ? ", busy with other work" : "";
const machine = `${cpus().length} cores of an ${cpus()[0].model.trim()}, Chromium ${browser.version().split(".")[0]}${busy}`;
const record = `{\n  "machine": ${JSON.stringify(machine)},\n  "times": {\n    "head": ${lines(0)},\n    "tails": [${lines(1)}, ${lines(2)}]\n  }\n}\n`;
writeFileSync(join(root, "www", "src", "predict", "cutoffs", "recorded.json"), record);
console.log(`${rows.length} sizes on ${machine}, load ${load.toFixed(1)} before`);
await browser.close();
server.close();
