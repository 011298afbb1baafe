/** The package in a worker thread of Node. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import * as here from "../dist/node.js";
import { Gru, init, load, terminate } from "../dist/node-worker.js";
import { remote } from "../dist/remote.js";
import { thread } from "../dist/thread.js";
import { difference } from "./fixture.mjs";

const file = new URL("../../models/sst2-skim-lstm-small.safetensors", import.meta.url);
const TEXT = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";

after(terminate);

test("reads as this thread does, stops when it is told to, and comes back after its end", async () => {
  const [model, local] = await Promise.all([load(file), here.load(file)]);
  const [a, b] = await Promise.all([model.read(TEXT), local.read(TEXT)]);
  assert.deepEqual(a.scores, b.scores);
  const [x, y] = await Promise.all([model.hidden(TEXT), local.hidden(TEXT)]);
  assert.ok(difference(x.layers[1].gates.forget, y.layers[1].gates.forget) === 0);
  const stop = new AbortController();
  const onProgress = () => stop.abort("enough");
  await assert.rejects(model.read(TEXT.repeat(500), { signal: stop.signal, onProgress }), { code: "ABORTED", cause: "enough" });
  await assert.rejects(load(new Uint8Array(9)), { name: "ModelError" });
  const gru = await Gru.random({ inputSize: 2, hiddenSize: 2 });
  let rounds = 0;
  const onRound = () => void (++rounds === 2 && terminate());
  await assert.rejects(model.compare(TEXT, { rounds: 9, sampleMs: 1, onRound, device: "cpu" }), { code: "ENGINE_FAILED" });
  assert.equal(rounds, 2, "no other round could come to anything");
  await assert.rejects(model.read(TEXT), { code: "ENGINE_FAILED" });
  await assert.rejects(gru.forward(new Float32Array(2)), { code: "ENGINE_FAILED" });
  await init();
  await assert.rejects(model.read(TEXT), { code: "ENGINE_FAILED" });
  assert.equal((await (await load(file)).read(TEXT)).tokens.length, 20);
});

test("its end is that of the workers of its models, also of those that begin, and of no others", async () => {
  const threads = new Set();
  const count = (worker) => {
    threads.add(worker);
    worker.on("exit", () => threads.delete(worker));
  };
  const texts = Array.from({ length: 40 }, () => TEXT);
  const [model, local] = await Promise.all([load(file, { warmUp: false }), here.load(file, { warmUp: false })]);
  process.on("worker", count);
  try {
    await local.readAll(texts, { workers: 2 });
    const others = [...threads];
    assert.equal(others.length, 2);
    // At once, as soon as a worker begins, and when all have answered.
    for (const when of [() => undefined, () => new Promise((resolve) => process.once("worker", resolve)), (call) => call]) {
      const opened = await load(file, { warmUp: false });
      const reading = opened.readAll(texts, { workers: 2 });
      const ended = when(reading);
      if (ended) await ended;
      terminate();
      const gone = { code: "ENGINE_FAILED" };
      if (ended !== reading) await assert.rejects(reading, gone);
      await assert.rejects(opened.readAll(texts, { workers: 2 }), gone);
      for (let turns = 0; threads.size > 2 && turns < 5000; turns++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.ok(threads.size === 2 && others.every((worker) => threads.has(worker)));
    }
    await local.readAll(texts, { workers: 2 });
    assert.ok(threads.size === 2 && others.every((worker) => threads.has(worker)));
  } finally {
    process.off("worker", count);
    local.dispose();
    model.dispose();
  }
});

test("a part of a buffer crosses by its own length, and nothing of the caller's is taken away", async () => {
  const posted = [];
  const engine = remote((onAnswer) => ({
    post: (ask, transfer) => {
      posted.push([ask, transfer]);
      queueMicrotask(() => onAnswer({ id: ask.id, value: undefined }));
    },
    terminate() {},
  }));
  const large = new Float32Array(100_000).map((_, i) => i);
  const shared = new Float32Array(new SharedArrayBuffer(400));
  const whole = new Float32Array(8);
  const views = [large.subarray(500, 510), shared.subarray(5, 9), shared, whole];
  for (const view of views) {
    await engine.call("forward", [1, view, whole, {}]);
    const [ask, transfer] = posted.pop();
    const [, x] = ask.args;
    assert.deepEqual([...x], [...view]);
    assert.equal(x.buffer.byteLength, view.byteLength);
    assert.ok(x.buffer instanceof ArrayBuffer);
    assert.deepEqual(transfer, view === whole ? [] : [x.buffer]);
  }
  assert.equal(large.length, 100_000);
});

test("a worker that was ended for good is followed by no other", async () => {
  let opened = 0;
  const engine = remote(() => {
    opened += 1;
    return { post() {}, terminate() {} };
  });
  const gone = { code: "ENGINE_FAILED", message: "the worker was terminated" };
  const underWay = engine.call("gpu", []);
  engine.retire();
  await assert.rejects(underWay, gone);
  await assert.rejects(engine.call("gpu", []), gone);
  await assert.rejects(engine.call("start", [{}]), gone);
  assert.equal(opened, 1);
});

test("a call that cannot be copied does not keep Node alive", () => {
  let alive = true;
  const made = {
    on() {},
    ref: () => (alive = true),
    unref: () => (alive = false),
    postMessage() {
      throw new DOMException("it could not be cloned", "DataCloneError");
    },
  };
  assert.throws(() => thread(() => made).postMessage({ id: 1 }, { transfer: [] }), { name: "DataCloneError" });
  assert.equal(alive, false);
});

test("what is released after its worker's end starts no other", async () => {
  let opened = 0;
  const engine = remote(() => {
    opened += 1;
    throw new Error("there is no other");
  });
  await engine.call("release", [1]);
  assert.equal(opened, 0);
  await assert.rejects(engine.call("gpu", []), { code: "ENGINE_FAILED", message: /there is no other/ });
});

test("leaves Node free to end", () => {
  const program = `
    const { load } = await import(${JSON.stringify(new URL("../dist/node-worker.js", import.meta.url).href)});
    const model = await load(${JSON.stringify(file.href)});
    console.log((await model.read("a film")).tokens.length);
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 300_000 });
  assert.deepEqual([status, stdout.trim()], [0, "2"], stderr);
});
