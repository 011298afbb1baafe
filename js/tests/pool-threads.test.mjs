/** Workers that answer for a model, as threads of Node: how many there are, what they share, how they end, and one that dies. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, beforeEach, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { address, load, thread } from "./package.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const some = (count) => Array.from({ length: count }, (_, i) => `a good film, and another, and number ${i}`);

/** Threads that began since the test did and have not ended, and what they were told to begin with. */
const threads = new Set();
process.on("worker", (worker) => {
  threads.add(worker);
  worker.on("exit", () => threads.delete(worker));
});
const starts = [];
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (ask, ...others) {
  if (ask.name?.startsWith("start")) starts.push(ask.args[0].wasm);
  return postMessage.call(this, ask, ...others);
};

/** Waits until there are so many threads beside the engine's own. */
async function left(count) {
  for (let turns = 0; threads.size > count && turns < 5000; turns++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(threads.size, count);
}

// The engine's own thread begins now.
const model = await load(address(SMALL));
beforeEach(() => {
  threads.clear();
  starts.length = 0;
});
after(async () => {
  model.dispose();
  if (thread === "worker") (await import("../dist/worker.js")).terminate();
});

test("share what is compiled, wait for the next call, and end with the model", async () => {
  const own = await load(address(SMALL), { warmUp: false });
  starts.length = 0;
  assert.equal(threads.size, 0);
  await own.readAll(some(400), { workers: 2 });
  assert.equal(threads.size, 2);
  assert.ok(starts.length === 2 && starts.every((wasm) => wasm instanceof WebAssembly.Module));
  await own.readAll(some(400), { workers: 2 });
  assert.equal(threads.size, 2, "the next call takes those of the one before");
  const before = new Set(threads);
  await own.readAll(some(400), { workers: 1 });
  await own.readAll(some(400), { workers: 2 });
  assert.deepEqual(new Set(threads), before, "nor does one that takes fewer end any");
  // A call that needs fewer begins no more.
  const other = await load(address(SMALL), { warmUp: false });
  await other.readAll(["a"], { workers: 8 });
  assert.equal(threads.size, 3);
  other.dispose();
  await left(2);
  own.dispose();
  await left(0);
});

test("end with a call that is stopped, left or fails", async () => {
  const stop = new AbortController();
  const stopped = model.readAll(some(4000), { workers: 2, signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(stopped, { code: "ABORTED" });
  await left(0);
  const tagger = await load(address("models/ewt-tagger.safetensors"), { task: "tag", warmUp: false });
  for await (const _ of tagger.tagAll(some(4000), { workers: 2 })) {
    assert.ok(threads.size > 0);
    break;
  }
  await left(0);
  // One may still be opening the model when the first answer is there.
  for (let times = 0; times < 5; times++) {
    for await (const _ of tagger.tagAll(some(40), { workers: 3 })) break;
    await left(0);
  }
  // Nobody asks for another answer: the signal alone ends them.
  const silent = new AbortController();
  const answers = tagger.tagAll(some(4000), { workers: 2, signal: silent.signal });
  await answers.next();
  silent.abort();
  await left(0);
  await assert.rejects(async () => { for await (const _ of answers); }, { code: "ABORTED" });
  tagger.dispose();
});

test("one that dies rejects the call and takes the others with it; the model goes on", async () => {
  const onProgress = () => {
    for (const worker of threads) {
      void worker.terminate();
      break;
    }
  };
  const died = { name: "EngineError", code: "ENGINE_FAILED", message: /^a worker of this call failed.*the model goes on.*exit code 1/ };
  await assert.rejects(model.readAll(some(6000), { workers: 2, onProgress }), died);
  await left(0);
  assert.equal((await model.readAll(some(400), { workers: 2 })).length, 400);
  assert.equal((await model.read("a film")).tokens.length, 2);
  // Those that died while they waited are not asked.
  for (const worker of threads) await worker.terminate();
  assert.equal((await model.readAll(some(400), { workers: 2 })).length, 400);
  assert.equal(threads.size, 2);
});

test("end with a model that is forgotten", async () => {
  await (async () => {
    const forgotten = await load(address(SMALL), { warmUp: false });
    await forgotten.readAll(some(400), { workers: 2 });
  })();
  assert.equal(threads.size, 2);
  for (let turns = 0; threads.size > 0 && turns < 5000; turns++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(threads.size, 0);
});

test("leave Node free to end", () => {
  const entry = thread === "worker" ? "node-worker" : "node";
  const program = `
    const { load } = await import(${JSON.stringify(new URL(`../dist/${entry}.js`, import.meta.url).href)});
    const model = await load(${JSON.stringify(address(SMALL).href)});
    console.log((await model.readAll(["a film", "another"], { workers: 2 })).length);
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 300_000 });
  assert.deepEqual([status, stdout.trim()], [0, "2"], stderr);
});
