/** An engine that does not load, and one that fails. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { devices, init, load } from "../dist/index.js";

const path = new URL("../pkg/saccade_rnn_bg.wasm", import.meta.url);

test("says so, and the next call tries again", async () => {
  await assert.rejects(init({ wasm: new Uint8Array([0, 97, 115, 109]) }), { name: "EngineError", code: "ENGINE_FAILED" });
  await assert.rejects(init({ wasm: new Response("not here", { status: 404 }) }), { code: "ENGINE_FAILED", message: /404/ });
  const { cpu, webgpu } = await devices({ wasm: new Response("<!doctype html>") });
  assert.deepEqual([cpu.usable, webgpu.usable], [false, false]);
  assert.match(cpu.reason, /WebAssembly/);
  const stopped = { wasm: "https://localhost:1/", signal: AbortSignal.abort() };
  await assert.rejects(init(stopped), { code: "ABORTED" });

  await init({ wasm: await WebAssembly.compile(readFileSync(path)) });
  const found = await devices();
  assert.deepEqual([found.cpu.usable, found.webgpu.usable], [true, false]);
  const model = await load(readFileSync(new URL("../../models/sst2-sru.safetensors", import.meta.url)));
  assert.match((await model.read("a film", { device: "webgpu" })).deviceReason, /pages and workers/);
});

test("takes its file as a response", async () => {
  const response = new Response(readFileSync(path), { headers: { "content-type": "application/wasm" } });
  await init({ wasm: response });
});

test("a panic rejects every call under way; load then starts a fresh engine", () => {
  const program = join(import.meta.dirname, "panic.mjs");
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});
