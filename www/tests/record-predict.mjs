/**
 * `npm run record:predict`: has the built page score the text of `www/src/predict/recorded.json` in Chromium and keeps the
 * surprisals there, for the chapter's thumbnail.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/steps.mjs";
import { launch, openPage, serve } from "./browser.mjs";

const path = join(root, "www", "src", "predict", "recorded.json");
const { text } = JSON.parse(readFileSync(path, "utf8"));
const server = await serve();
const browser = await launch();
const { page } = await openPage(browser);
await page.goto(`${server.url}#predict?${new URLSearchParams({ text })}`);
const tokens = page.locator(".text .word[data-bits]");
await tokens.first().waitFor();
const words = await tokens.evaluateAll((all) =>
  all.map((token) => ({ text: token.querySelector(".written").textContent, bits: Number(Number(token.dataset.bits).toFixed(2)) })),
);
const lines = words.map((word) => JSON.stringify(word)).join(",\n");
writeFileSync(path, `{"text": ${JSON.stringify(text)}, "words": [\n${lines}\n]}\n`);
console.log(`${words.length} words`);
await browser.close();
server.close();
