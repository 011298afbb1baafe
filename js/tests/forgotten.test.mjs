/** What is forgotten without `dispose` is released once it is collected, in this thread and in a worker. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { address, bytesOf, Gru, load, thread } from "./package.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
/** Whatever collectors have to tell, they tell in later turns. */
const settle = async () => {
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** What the engine is told to release, whichever thread it is in. */
const released = [];
if (thread === "worker") {
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (ask, ...others) {
    if (ask.name === "release") released.push(ask.args[0]);
    return postMessage.call(this, ask, ...others);
  };
} else {
  const { local } = await import("../dist/local.js");
  const { call } = local;
  local.call = (name, args, ...others) => {
    if (name === "release") released.push(args[0]);
    return call(name, args, ...others);
  };
}

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const TEXT = "a generous film";
after(async () => {
  if (thread === "worker") (await import("../dist/worker.js")).terminate();
});

test("models, readers and layers that were forgotten are released", async () => {
  const kept = await load(address(SMALL));
  const bytes = await bytesOf(SMALL);
  const glue = await import("../pkg/saccade_rnn.js");
  const memory = async () => (thread === "main" ? (await glue.default()).memory.buffer.byteLength : 0);
  const use = async () => {
    const model = await load(bytes, { warmUp: false });
    await model.read(TEXT);
    await model.reader().update(TEXT);
    const layer = await Gru.random({ inputSize: 64, hiddenSize: 64 });
    await layer.forward(new Float32Array(64));
  };
  for (let i = 0; i < 40; i++) {
    await use();
    if (i % 10 === 9) await settle();
  }
  const before = await memory();
  for (let i = 0; i < 160; i++) {
    await use();
    if (i % 10 === 9) await settle();
  }
  await settle();
  // The last ones may still be on the stack.
  assert.ok(released.length >= 3 * 198, `${released.length} of 600`);
  assert.equal(new Set(released).size, released.length, "each is released once");
  assert.ok((await memory()) <= before + 2_400_000, `${before} bytes grew to ${await memory()}`);
  assert.equal((await kept.read(TEXT)).tokens.length, 3);
  kept.dispose();
});

test("what is disposed of is released once, and a call keeps what it is made on", async () => {
  await settle();
  released.length = 0;
  const model = await load(address(SMALL), { warmUp: false });
  model.dispose();
  let calls = await (async () => {
    const forgotten = await load(address(SMALL), { warmUp: false });
    return [forgotten.read(TEXT.repeat(4000), { onProgress: () => collect() }), forgotten.reader().update(TEXT.repeat(4000), { onProgress: () => collect() })];
  })();
  const [whole, typed] = await Promise.all(calls);
  assert.deepEqual(whole.scores.length, typed.scores.length);
  calls = undefined;
  await settle();
  assert.equal(released.length, 3);
});
