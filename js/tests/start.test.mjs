/** An engine that does not load, and one that fails. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { devices, init, load } from "../dist/index.js";
import { moduleOf } from "../dist/compile.js";
import { errorOf, ours } from "../dist/errors.js";
import { load as loadIn } from "../dist/load.js";
import { local } from "../dist/local.js";
import { platform } from "../dist/platform.js";
import * as glue from "../pkg/saccade_rnn.js";

const path = new URL("../pkg/saccade_rnn_bg.wasm", import.meta.url);
const SMALL = new URL("../../models/sst2-skim-lstm-small.safetensors", import.meta.url);
const TEXT = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";
const LONG = `${TEXT} `.repeat(200);

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
  assert.match((await model.read("a film", { device: "webgpu" })).deviceReason, /^CPU, since this runtime has no navigator\.gpu/);
});

test("a runtime without WebAssembly is told of", () => {
  const program = `
    delete globalThis.WebAssembly;
    const { devices } = await import(${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)});
    console.log(JSON.stringify((await devices()).cpu));
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 300_000 });
  assert.equal(status, 0, stderr);
  assert.match(JSON.parse(stdout).reason, /WebAssembly/);
});

test("an engine that fails at a model's first words fails the load, with its reason", async () => {
  const failing = { ...local, call: (name, ...given) => (name === "read" ? Promise.reject(errorOf("ENGINE_FAILED", "a trap")) : local.call(name, ...given)) };
  await assert.rejects(loadIn(failing, readFileSync(SMALL)), { code: "ENGINE_FAILED", message: /a trap/ });
  const unread = { ...local, call: (name, ...given) => (name === "read" ? Promise.reject(errorOf("MODEL_CONFIG", "not these")) : local.call(name, ...given)) };
  assert.equal((await loadIn(unread, readFileSync(SMALL))).config.task, "classify");
});

test("code for workers that does not load is told of as the engine's", async () => {
  const model = await load(readFileSync(SMALL));
  const { workers } = platform;
  platform.workers = () => Promise.reject(new TypeError("no such chunk"));
  try {
    await assert.rejects(model.readAll(["a", "b"], { workers: 2 }), { code: "ENGINE_FAILED", message: /the code for workers did not load: no such chunk/ });
  } finally {
    platform.workers = workers;
  }
});

test("asks whatever GPU a program gave Node", () => {
  const program = `
    const asked = [];
    const gpu = { requestAdapter: async (options) => void asked.push(options) };
    Object.defineProperty(globalThis, "navigator", { value: { gpu } });
    const { devices } = await import(${JSON.stringify(new URL("../dist/node.js", import.meta.url).href)});
    console.log(JSON.stringify([(await devices()).webgpu.reason, asked.length > 0]));
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 300_000 });
  assert.equal(status, 0, stderr);
  const [reason, asked] = JSON.parse(stdout);
  assert.ok(asked, "the adapter is asked for");
  assert.match(reason, /adapter/);
});

test("calls that begin at the same time ask for one GPU", () => {
  const asked = (calls) => {
    const program = `
      let asked = 0;
      const requestAdapter = () => (asked++, new Promise((resolve) => setTimeout(resolve, 50, null)));
      Object.defineProperty(globalThis, "navigator", { value: { gpu: { requestAdapter } } });
      const { load } = await import(${JSON.stringify(new URL("../dist/node.js", import.meta.url).href)});
      const { readFileSync } = await import("node:fs");
      const model = await load(readFileSync(new URL(${JSON.stringify(SMALL.href)})));
      const readings = await Promise.all(Array.from({ length: ${calls} }, () => model.read("a film", { device: "webgpu" })));
      console.log(JSON.stringify([asked, ...new Set(readings.map(({ deviceReason }) => deviceReason))]));
    `;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 300_000 });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  assert.deepEqual(asked(3), asked(1));
});

test("takes its file as a response", async () => {
  const response = new Response(readFileSync(path), { headers: { "content-type": "application/wasm" } });
  await init({ wasm: response });
});

test("takes its file whatever the server says of it", async () => {
  for (const type of ["application/wasm", "Application/WASM", "application/wasm; charset=utf-8", "application/wasmer", "text/plain", undefined]) {
    const response = new Response(readFileSync(path), type === undefined ? {} : { headers: { "content-type": type } });
    assert.ok((await moduleOf(response, {})) instanceof WebAssembly.Module, type);
  }
});

test("a GPU that never answers is waited for until the signal says otherwise", () => {
  const program = `
    Object.defineProperty(globalThis, "navigator", { value: { gpu: { requestAdapter: () => new Promise(() => undefined) } } });
    const { devices, init } = await import(${JSON.stringify(new URL("../dist/node.js", import.meta.url).href)});
    await init();
    const stop = new AbortController();
    setTimeout(() => stop.abort("enough"), 50);
    console.log(await devices({ signal: stop.signal }).catch(({ code, cause }) => [code, cause].join()));
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 300_000 });
  assert.deepEqual([status, stdout.trim()], [0, "ABORTED,enough"], stderr);
});

test("what is thrown without a code of ours is a mistake of the engine's", () => {
  for (const thrown of [new Error("no code"), Object.assign(new Error("another's"), { code: "ERR_INVALID_ARG_TYPE" }), "a string", undefined, null]) {
    const { code, name, cause } = ours(thrown);
    assert.deepEqual([code, name, cause], ["ENGINE", "EngineError", thrown]);
  }
  const { code, name } = ours(Object.assign(new Error("the engine's"), { code: "MODEL_CONFIG" }));
  assert.deepEqual([code, name], ["MODEL_CONFIG", "ModelError"]);
});

test("a panic rejects every call under way; load then starts a fresh engine", () => {
  const program = join(import.meta.dirname, "panic.mjs");
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

test("the engine has a reader that is busy during a call and no longer", async () => {
  const plain = glue.Model.load(readFileSync(SMALL), false);
  const reader = plain.reader(undefined, Uint32Array.of(2, 2));
  const busy = { code: "OPTION_INVALID", message: /this reader is still busy/ };
  const meanwhile = [];
  const long = reader.update(LONG, async (done, total) => {
    if (done < total) meanwhile.push(assert.rejects(async () => reader.hidden(), busy));
  });
  await assert.rejects(async () => reader.update(TEXT), busy);
  await long;
  assert.ok(meanwhile.length > 0);
  await Promise.all(meanwhile);
  // A call that fails, or asks of nothing, leaves it free.
  await assert.rejects(async () => reader.update(`${LONG}!`, () => Promise.reject(new Error("mine"))), { message: /mine/ });
  const fresh = plain.reader();
  for (const free of [reader, fresh]) {
    const [first, second] = [await free.hidden(), await free.hidden()];
    assert.deepEqual(first, second);
    assert.ok((await free.update(TEXT)).tokens.length > 0);
  }
  for (const object of [fresh, reader, plain]) object.free();
});
