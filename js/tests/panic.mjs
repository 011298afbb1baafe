/**
 * A panic rejects every call under way; load then starts a fresh engine. A program of its own, since what nobody caught of a
 * panic would end Node.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { devices, EngineError, init, load } from "../dist/index.js";

const wasm = readFileSync(new URL("../pkg/saccade_rnn_bg.wasm", import.meta.url));
const model = readFileSync(new URL("../../models/sst2-skim-lstm-small.safetensors", import.meta.url));

// The package takes this for a page, where it may ask for a GPU; when wgpu looks it is none, and wgpu panics.
globalThis.Window = class {};
await init({ wasm });
delete globalThis.Window;
const lost = await load(model, { warmUp: false });
const reader = lost.reader();
await reader.update("a");
const [calls, found] = [[lost.read("a ".repeat(10_000)), lost.steps(), lost.calibrate()], devices()];
const rejected = Promise.all(calls.map((call) => assert.rejects(call, { name: "EngineError", code: "ENGINE_FAILED" })));
const { cpu, webgpu } = await found;
assert.equal(webgpu.usable, false);
assert.match(cpu.reason, /panicked/);
await rejected;
await assert.rejects(lost.read("a"), (error) => error instanceof EngineError && error.code === "ENGINE_FAILED");
await assert.rejects(reader.update("a b"), { code: "ENGINE_FAILED" });
const fresh = await load(model);
assert.equal((await fresh.read("a film")).tokens.length, 2);
await assert.rejects(lost.read("a"), { code: "ENGINE_FAILED" });
lost.dispose();
await assert.rejects(lost.read("a"), { code: "DISPOSED" });
assert.equal((await fresh.read("a film")).tokens.length, 2);
