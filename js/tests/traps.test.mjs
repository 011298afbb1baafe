/**
 * A trap takes its instance of the engine along and nothing else, and the instance is never used again. What would trap is
 * refused before it reaches the engine, so that these calls go to the engine itself, and some find its memory damaged.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { local } from "../dist/local.js";
import { Gru, gpuStatistics, load } from "../dist/node.js";
import { remote } from "../dist/remote.js";
import * as glue from "../pkg/saccade_rnn.js";

const file = new URL("../../models/sst2-skim-lstm-small.safetensors", import.meta.url);
const bytes = () => new Uint8Array(readFileSync(file));
const LONG = "A quiet, generous film. ".repeat(2000);
const failed = { name: "EngineError", code: "ENGINE_FAILED" };

/** What no check lets through: who calls it, how, and with which arguments. */
const traps = {
  "a reading": ["model", "read", [3, {}]],
  texts: ["model", "readAll", [[3], {}]],
  tokens: ["model", "tokenize", [3]],
  steps: ["model", "steps", [3]],
  "a reader's text": ["reader", "update", [3]],
  "a stored layer": [null, "layer", [{ bytes: bytes(), prefix: 3, choices: {} }, "gru", "f32"]],
};
/** Right calls of an engine whose memory is damaged. */
const damaged = {
  "a reader's text": ["reader", "update", ["a"]],
  "hidden states": ["reader", "hidden", ["a film"]],
  "a layer": ["layer", "forward", [new Float32Array(3), new Float32Array(), {}]],
};

const choices = { inputSize: 3, hiddenSize: 2, numLayers: 1, bias: true, bidirectional: false };

/** Makes a call that traps while others are under way, and looks at everything around it. */
async function trapped(engine, [who, name, args], damage = () => undefined) {
  await engine.call("start", [{}]);
  const { id: model } = await engine.call("open", [bytes(), "f32"]);
  const reader = await engine.call("reader", [model, {}]);
  await engine.call("update", [reader, "a film"]);
  const { id: layer } = await engine.call("layer", [{ choices, seed: 1 }, "gru", "f32"]);
  const ids = { model, reader, layer };
  const underWay = [engine.call("read", [model, LONG, {}])];
  // A reader answers one call after the other.
  if (who !== "reader") underWay.push(engine.call("update", [reader, LONG]), engine.call("hidden", [reader, LONG]));
  const rejected = Promise.all(underWay.map((call) => assert.rejects(call, failed)));
  await damage();
  await assert.rejects(engine.call(name, who ? [ids[who], ...args] : args), failed);
  await rejected;
  const others = [["read", [model, "a", {}]], ["tokenize", [model, "a"]], ["update", [reader, "a"]], ["hidden", [reader, "a"]], ["open", [bytes(), "f32"]]];
  const fresh = async (text) => {
    await engine.call("start", [{}]);
    const { id } = await engine.call("open", [bytes(), "f32"]);
    return (await engine.call("read", [id, text, {}])).words;
  };
  for (const [name, args] of others) await assert.rejects(engine.call(name, args), failed);
  assert.equal(await engine.call("statistics", []), null);
  assert.equal(await fresh("a good film"), "a good film");
  for (const [name, args] of others.slice(0, 4)) await assert.rejects(engine.call(name, args), failed);
  for (const id of Object.values(ids)) await engine.call("release", [id]);
  // What is left of the readings that were under way does not go on in the fresh instance.
  for (let i = 0; i < 5; i++) await setImmediate();
  assert.equal(await fresh("a film"), "a film");
}

describe("in this thread", () => {
  for (const [what, trap] of Object.entries(traps)) test(what, () => trapped(local, trap));
  const damage = async () => new Uint8Array((await glue.default()).memory.buffer).fill(0x55);
  for (const [what, call] of Object.entries(damaged)) test(`damaged: ${what}`, () => trapped(local, call, damage));

  test("what the package gave says so, and can be disposed of", async () => {
    const [model, layer] = await Promise.all([load(file), Gru.random({ inputSize: 2, hiddenSize: 2 })]);
    const reader = model.reader();
    await reader.update("a");
    await damage();
    await assert.rejects(layer.forward([1, 2]), failed);
    for (const call of [() => model.read("a"), () => model.hidden("a"), () => reader.append("a"), () => reader.hidden(), () => layer.forward([1, 2])]) {
      await assert.rejects(call(), failed);
    }
    assert.equal(await gpuStatistics(), null);
    for (const owner of [layer, reader, model]) owner.dispose();
    const other = await load(file);
    await damage();
    other.dispose();
    await setImmediate();
    await assert.rejects(other.read("a"), { code: "DISPOSED" });
    await assert.rejects(model.read("a"), { code: "DISPOSED" });
    assert.equal((await (await load(file)).read("a film")).tokens.length, 2);
  });
});

describe("in a worker, which goes on", () => {
  // One for each: Node 20 itself crashes where code that it compiled for strings is given a number twice.
  for (const [what, trap] of Object.entries(traps)) {
    test(what, async () => {
      let started = 0;
      const engine = remote((onAnswer, onFailure) => {
        const worker = new Worker(new URL("../dist/node-worker-entry.js", import.meta.url));
        started += 1;
        worker.on("message", onAnswer);
        worker.on("error", ({ message }) => onFailure(message));
        return { post: (ask, transfer) => worker.postMessage(ask, [...transfer]), terminate: () => void worker.terminate() };
      });
      await trapped(engine, trap);
      assert.equal(started, 1);
      engine.terminate();
    });
  }
});
