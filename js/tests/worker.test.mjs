/** The package in a worker thread of Node. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import * as here from "../dist/node.js";
import { Gru, init, load, terminate } from "../dist/node-worker.js";
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
  terminate();
  await assert.rejects(model.read(TEXT), { code: "ENGINE_FAILED" });
  await assert.rejects(gru.forward(new Float32Array(2)), { code: "ENGINE_FAILED" });
  await init();
  await assert.rejects(model.read(TEXT), { code: "ENGINE_FAILED" });
  assert.equal((await (await load(file)).read(TEXT)).tokens.length, 20);
});

test("leaves Node free to end", () => {
  const program = `
    const { load } = await import(${JSON.stringify(new URL("../dist/node-worker.js", import.meta.url).href)});
    const model = await load(${JSON.stringify(file.href)});
    console.log((await model.read("a film")).tokens.length);
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual([status, stdout.trim()], [0, "2"], stderr);
});
