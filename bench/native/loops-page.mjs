/**
 * JavaScript's side of `dynet_peers.py` in a page of Chromium, which it starts: called and answering as `loops.mjs` is and does.
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { root } from "../../scripts/steps.mjs";
import { launch, newPage, serve } from "../../www/tests/browser.mjs";

const [form, strategy, file] = process.argv.slice(2);
const [server, browser] = await Promise.all([serve(root, { "blank.html": "<!doctype html>", examples: readFileSync(file) }), launch()]);
const page = await newPage(browser);
await page.goto(`${server.url}blank.html`);
await page.evaluate(
  async ([form, strategy]) => {
    const at = (path) => new URL(path, location.href).href;
    const [{ Parameters }, { minibatches }] = await Promise.all([import(at("js/dist/graph/index.js")), import(at("bench/native/networks.mjs"))]);
    const numbers = new Uint32Array(await (await fetch(at("examples"))).arrayBuffer());
    window.take = await minibatches(Parameters, form, strategy, numbers);
  },
  [form, strategy],
);
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) console.log(await page.evaluate((number) => window.take(number), Number(line)));
await browser.close();
server.close();
