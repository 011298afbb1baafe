/** How calls are followed, stopped and fed: alike in this thread and in a worker. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fixture } from "./fixture.mjs";
import { address, bytesOf, CallbackError, devices, elsewhere, Gru, init, inNode, load, Lstm, SaccadeError, Skim } from "./package.mjs";

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const TEXT = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";
const LONG = `${TEXT} `.repeat(100);

describe("a model", () => {
  let model, reader;
  let changed = 0;
  before(async () => {
    model = await load(address(SMALL), { warmUp: false });
    reader = model.reader();
    await reader.update("a film");
  });
  after(() => model.dispose());

  /** Every call that can be followed. */
  const calls = {
    read: (options) => model.read(LONG, options),
    readAll: (options) => model.readAll([LONG, TEXT], options),
    stream: async (options) => {
      for await (const _ of model.stream(LONG, options));
    },
    hidden: (options) => model.hidden(TEXT, options),
    update: (options) => reader.update(`${++changed} ${LONG}`, options),
    append: (options) => reader.append(" again", options),
    load: async (options) => load(new Response(await bytesOf(SMALL)), options),
    "load from bytes": async (options) => load(await bytesOf(SMALL), options),
  };
  for (const [name, call] of Object.entries(calls)) {
    test(`a callback that throws rejects the call: ${name}`, async () => {
      for (const thrown of [new TypeError("mine"), "a string", undefined, null, new RangeError("mine"), Object.create(null)]) {
        let told = 0;
        const onProgress = () => {
          told += 1;
          throw thrown;
        };
        await assert.rejects(call({ onProgress }), (error) => {
          assert.ok(error instanceof CallbackError, `${error.stack}`);
          assert.deepEqual([error.code, error.cause, "cause" in error], ["CALLBACK_FAILED", thrown, thrown !== undefined]);
          return true;
        });
        assert.equal(told, 1, "it is not called again");
      }
      assert.equal((await model.read(TEXT)).tokens.length, 20);
    });

    test(`an async callback is waited for, and rejects the call: ${name}`, async () => {
      let [under, most] = [0, 0];
      const slow = async () => {
        most = Math.max(most, ++under);
        await new Promise((resolve) => setTimeout(resolve, 5));
        under -= 1;
      };
      await call({ onProgress: slow });
      assert.ok(most > 0 && under === 0, `${under} of ${most} are under way`);
      const mine = new TypeError("mine");
      const failing = async ({ done, total }) => {
        // The last word on a call, behind which it has nothing to do.
        if (done !== total) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw mine;
      };
      await assert.rejects(call({ onProgress: failing }), { code: "CALLBACK_FAILED", cause: mine });
      await assert.rejects(call({ onProgress: () => Promise.reject(mine) }), { code: "CALLBACK_FAILED", cause: mine });
      const stop = new AbortController();
      const never = () => new Promise(() => stop.abort("enough"));
      await assert.rejects(call({ signal: stop.signal, onProgress: never }), { code: "ABORTED", cause: "enough" });
    });

    test(`is stopped by the signal: ${name}`, async () => {
      for (const reason of ["enough", new TypeError("mine"), new SaccadeError("ENGINE", "not ours")]) {
        const stop = new AbortController();
        const stopped = assert.rejects(call({ signal: stop.signal, onProgress: () => stop.abort(reason) }), (error) => {
          assert.deepEqual([error.code, error.name, error.cause], ["ABORTED", "AbortError", reason]);
          return true;
        });
        await stopped;
      }
    });
  }

  test("a measurement lets others have their turn, and is stopped in its midst", async () => {
    for (const call of [
      (options) => model.read(TEXT, { ...options, measureMs: 2000 }),
      (options) => model.read("", { ...options, measureMs: 2000 }),
      (options) => model.steps(options),
      (options) => model.calibrate(options),
    ]) {
      const stop = new AbortController();
      setTimeout(() => stop.abort("enough"));
      await assert.rejects(call({ signal: stop.signal }), { code: "ABORTED", cause: "enough" });
    }
  });

  test("calls let go of their signal, which has one listener at a time", async () => {
    const { signal } = new AbortController();
    let [listeners, most] = [0, 0];
    for (const [name, by] of [["addEventListener", 1], ["removeEventListener", -1]]) {
      const of = AbortSignal.prototype[name];
      signal[name] = function (...given) {
        listeners += by;
        most = Math.max(most, listeners);
        return of.apply(signal, given);
      };
    }
    const warned = [];
    if (inNode) process.on("warning", (warning) => warned.push(warning));
    const layer = await Gru.random({ inputSize: 1, hiddenSize: 1 });
    const all = Array.from({ length: 40 }, (_, i) => [
      model.read(TEXT, { signal }),
      model.reader().update(TEXT, { signal }),
      layer.forward(new Float32Array(1), { signal }),
      ...(i < 12 ? [load(new Blob([`${i}`]), { signal }).catch(() => undefined)] : []),
      ...(i < 12 && !inNode ? [load(address(SMALL), { signal, warmUp: false })] : []),
      model.read(TEXT),
    ]);
    await Promise.all(all.flat());
    // Warnings come a turn later.
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([listeners, most, warned], [0, 1, []]);
  });

  test("an object is unwrapped from its proxy, or refused in words", async () => {
    const proxied = (value) => new Proxy(value, {});
    const expected = await model.read(TEXT, { force: { 2: "skim" }, threshold: 0.4 });
    const options = proxied({ force: proxied({ 2: "skim" }), threshold: 0.4 });
    assert.deepEqual((await model.read(TEXT, options)).scores, expected.scores);
    const together = await model.readAll(proxied([TEXT, "a film"]), proxied({}));
    assert.equal(together.length, 2);
    const [wrapped, typed] = [proxied(model), proxied(model.reader())];
    assert.deepEqual((await wrapped.read(TEXT, options)).scores, expected.scores);
    assert.deepEqual([wrapped.device, (await typed.update(TEXT)).tokens.length, typed.text], ["cpu", 20, TEXT]);
    const { tokenize } = model;
    assert.equal((await tokenize(TEXT)).length, 20);

    const skim = proxied(await Skim.random(proxied({ inputSize: 2, hiddenSize: 3, smallSize: 1 })));
    const x = new Float32Array(8).fill(0.5);
    const whole = await skim.forward(x, { force: { 1: "skim" } });
    const state = proxied({ ...(await skim.forward(x.subarray(0, 4), { force: { 1: "skim" } })).state });
    const rest = await skim.forward(proxied([...x.subarray(4)]), proxied({ state, lengths: proxied([2]) }));
    assert.deepEqual([...rest.output], [...whole.output.subarray(6)]);
    await assert.rejects(skim.forward(proxied(x)), { code: "OPTION_INVALID", message: /proxy/ });
    // A browser's signal, and Bun's, knows no proxy of it.
    const stop = new AbortController();
    const knows = await Promise.resolve().then(() => proxied(stop.signal).aborted === false).catch(() => false);
    const stopped = model.read(LONG, { signal: proxied(stop.signal), onProgress: () => stop.abort() });
    await assert.rejects(stopped, { code: knows ? "ABORTED" : "OPTION_INVALID" });
    skim.dispose();
    await assert.rejects(skim.forward(x), { code: "DISPOSED" });
  });

  test("what is no signal is none, be it aborted", async () => {
    for (const signal of [{ aborted: true }, "abort", 1, new AbortController(), Object.create(AbortSignal.prototype)]) {
      for (const call of Object.values(calls)) await assert.rejects(call({ signal }), { code: "OPTION_INVALID" });
    }
    const { AbortController: Foreign } = await elsewhere();
    if (Foreign) await assert.rejects(model.read(TEXT, { signal: Foreign.abort?.() ?? aborted(new Foreign()) }), { code: "ABORTED" });
  });
});

function aborted(controller) {
  controller.abort();
  return controller.signal;
}

test("rows and states may be written into as soon as the call returns", async () => {
  const layer = await Lstm.random({ inputSize: 3, hiddenSize: 4, seed: 1 });
  const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const { state, output } = await layer.forward(x);
  const next = await layer.forward(x, { state });
  const mine = [x, state.h, state.c].map((part) => part.slice());
  const calls = [layer.forward(mine[0]), layer.forward(mine[0], { state: { h: mine[1], c: mine[2] } })];
  for (const part of mine) part.fill(0);
  const found = await Promise.all(calls);
  assert.deepEqual(found.map((one) => [...one.output]), [[...output], [...next.output]]);
});

test("a part of an array is that part, in whatever memory", async () => {
  const { bytes, tensors } = fixture("lstm", "1l_uni");
  const layer = await Lstm.fromSafetensors(bytes, { prefix: "param." });
  const x = tensors["input.x"];
  const expected = await layer.forward(x);
  const around = new Float32Array(x.length + 1000);
  around.set(x, 500);
  const shared = new Float32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  shared.set(x, 7);
  const h = new Float32Array(layer.outputSize + 100);
  const parts = [around.subarray(500, 500 + x.length), shared.subarray(7, 7 + x.length)];
  for (const part of parts) {
    const state = { h: h.subarray(9, 9 + layer.outputSize), c: h.subarray(50, 50 + layer.outputSize) };
    const { output } = await layer.forward(part, { state });
    assert.deepEqual([...output], [...expected.output]);
    assert.equal(part.length, x.length, "the caller's rows stay the caller's");
  }
});

test("what stops a look for devices says nothing about them", async () => {
  await assert.rejects(devices({ signal: AbortSignal.abort("enough") }), { code: "ABORTED", cause: "enough" });
  assert.equal((await devices()).cpu.usable, true);
});

test("who waits for the engine is not stopped by another's signal", async () => {
  const stop = new AbortController();
  const first = init({ signal: stop.signal });
  const second = init();
  stop.abort();
  await first.catch(({ code }) => assert.equal(code, "ABORTED"));
  await second;
});
