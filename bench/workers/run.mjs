/**
 * `node bench/workers/run.mjs [node|chromium] [rounds] [model …]`, after `npm run package`: how many times as fast two workers
 * answer and learn as one, in turns, on texts of our own; beside it what two threads of arithmetic alone have of the machine in the same turns,
 * and the turns in which they had both processors: on a machine that others use, no more is to be had.
 */

import { once } from "node:events";
import { loadavg } from "node:os";
import { Worker } from "node:worker_threads";
import { root } from "../../scripts/steps.mjs";
import { launch, newPage, serve } from "../../www/tests/browser.mjs";
import { SPIN, turns, work } from "./work.mjs";

const [place = "node", rounds = "9", ...chosen] = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : Object.keys(work);

const sorted = (values) => [...values].sort((a, b) => a - b);
const at = (values, share) => sorted(values)[Math.round(share * (values.length - 1))];
const spread = (values) => `${at(values, 0.5).toFixed(2)} (${at(values, 0.25).toFixed(2)} to ${at(values, 0.75).toFixed(2)}, best ${at(values, 1).toFixed(2)})`;

/** Turns count in which arithmetic alone had both processors. */
const FREE = 1.8;

function tell(name, rows) {
  const all = rows.map(([one, two, spin, spins]) => ({ ratio: one / two, control: (2 * spin) / spins }));
  const free = all.filter(({ control }) => control >= FREE);
  const of = (turns) => (turns.length > 0 ? spread(turns.map(({ ratio }) => ratio)) : "none");
  const control = spread(all.map(({ control }) => control));
  console.log(`${name.padEnd(24)} ${of(all)}; in ${free.length} of ${rows.length} turns ${of(free)}; arithmetic ${control}; load ${loadavg()[0].toFixed(1)}`);
}

/**
 * What two free processors would have of it, from processor times: the worker's with one, over half of all threads' with two.
 * Node 23.9 and newer tell the calling thread's.
 */
async function bound(name, model, rounds) {
  if (!process.threadCpuUsage) return;
  const ms = ({ user, system }) => (user + system) / 1e3;
  const found = { 1: [], 2: [] };
  for (let round = 0; round < rounds; round++) {
    for (const workers of [1, 2]) {
      const [all, own] = [process.cpuUsage(), process.threadCpuUsage()];
      await work[name].call(model, { workers });
      found[workers].push([ms(process.cpuUsage(all)), ms(process.threadCpuUsage(own))]);
    }
  }
  const median = (workers, i) => at(found[workers].map((row) => row[i]), 0.5);
  const [one, own, two] = [median(1, 0), median(1, 1), median(2, 0)];
  console.log(`${name.padEnd(24)} processor ms: ${one.toFixed(0)} with one, ${own.toFixed(0)} of them the calling thread's, ${two.toFixed(0)} with two: ${((2 * (one - own)) / two).toFixed(2)}`);
}

async function inNode() {
  const [{ load }, api] = await Promise.all([import("../../js/dist/node.js"), import("../../js/dist/train/node.js")]);
  const program = `const { parentPort } = require("node:worker_threads"); parentPort.on("message", () => { ${SPIN} parentPort.postMessage(x); });`;
  const threads = [0, 1].map(() => new Worker(program, { eval: true }));
  const spins = (count) =>
    Promise.all(
      threads.slice(0, count).map((thread) => {
        thread.postMessage(0);
        return once(thread, "message");
      }),
    );
  for (const name of names) {
    const model = work[name].open?.(api) ?? (await load(new URL(`../../models/${name}.safetensors`, import.meta.url)));
    tell(name, await turns(model, work[name].call, spins, Number(rounds)));
    await bound(name, model, Number(rounds));
    model.dispose();
  }
  for (const thread of threads) await thread.terminate();
}

async function inChromium() {
  const [server, browser] = await Promise.all([serve(root, { "blank.html": "<!doctype html>" }), launch()]);
  const page = await newPage(browser);
  page.setDefaultTimeout(0);
  await page.goto(`${server.url}blank.html`);
  for (const name of names) {
    const rows = await page.evaluate(
      async ([name, rounds]) => {
        const at = (path) => new URL(path, location.href).href;
        const modules = ["js/dist/index.js", "js/dist/train/index.js", "bench/workers/work.mjs"];
        const [{ load }, api, { SPIN, turns, work }] = await Promise.all(modules.map((path) => import(at(path))));
        const program = URL.createObjectURL(new Blob([`addEventListener("message", () => { ${SPIN} postMessage(x); });`]));
        window.threads ??= [0, 1].map(() => new Worker(program));
        const spins = (count) =>
          Promise.all(
            threads.slice(0, count).map(
              (thread) =>
                new Promise((resolve) => {
                  thread.onmessage = resolve;
                  thread.postMessage(0);
                }),
            ),
          );
        const model = work[name].open?.(api) ?? (await load(at(`models/${name}.safetensors`)));
        const rows = await turns(model, work[name].call, spins, rounds);
        model.dispose();
        return rows;
      },
      [name, Number(rounds)],
    );
    tell(name, rows);
  }
  await browser.close();
  server.close();
}

await (place === "chromium" ? inChromium() : inNode());
