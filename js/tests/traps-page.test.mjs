/**
 * A trap where the browser calls the engine on behalf of a GPU: it takes its instance along and nothing else. The engine finds
 * its memory damaged there, since nothing that a page can do makes it trap. What fails without a trap harms nobody.
 */

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { inChromium, open, page, renew } from "./blank.mjs";

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const TEXT = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";
const FAILED = { code: "ENGINE_FAILED", name: "EngineError" };

/**
 * Where the browser calls: each has `window.meanwhile` called just before the engine. `window.provoke` brings it about, where a
 * reading on the GPU does not.
 */
const callbacks = {
  "a buffer that is mapped": () => {
    const { mapAsync } = GPUBuffer.prototype;
    GPUBuffer.prototype.mapAsync = async function (...args) {
      await mapAsync.apply(this, args);
      window.meanwhile();
    };
  },
  "a buffer that cannot be mapped": () => {
    GPUBuffer.prototype.mapAsync = async () => {
      await new Promise((resolve) => setTimeout(resolve));
      window.meanwhile();
      throw new DOMException("not today", "OperationError");
    };
  },
  "a device that is lost": () => {
    const { get } = Object.getOwnPropertyDescriptor(GPUDevice.prototype, "lost");
    Object.defineProperty(GPUDevice.prototype, "lost", {
      get() {
        window.provoke = () => this.destroy();
        return get.call(this).then((info) => {
          window.meanwhile();
          return info;
        });
      },
    });
  },
  "an error that nobody waits for": () => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      window.provoke = () => {
        window.meanwhile();
        device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error: new GPUValidationError("not today") }));
      };
      return device;
    };
  },
};

/** Has an engine of the page called back, its memory sound or damaged, while a long text is read, and asks everybody around. */
const provoked = (how) =>
  page.evaluate(async ([path, text, how]) => {
    const at = (path) => import(new URL(path, location.href).href);
    const [here, there, glue] = await Promise.all(["js/dist/index.js", "js/dist/worker.js", "js/pkg/saccade_rnn.js"].map(at));
    /** The answer to a call, or what it rejects with. */
    const outcome = (promise) => promise.then((value) => ({ value }), ({ code, name }) => ({ code, name }));
    const scores = async (model, options, what = text) => (await model.read(what, options)).scores.map(({ probability }) => probability);

    window.meanwhile = () => undefined;
    const [model, layer, elsewhere] = await Promise.all([here.load(path), here.Gru.random({ inputSize: 2, hiddenSize: 3, seed: 1 }), there.load(path)]);
    const before = await scores(model, { device: "cpu" });
    await model.read(text, { device: "webgpu" });
    await there.load(path);
    const { memory } = await glue.default();
    let called = 0;
    window.meanwhile = () => {
      called += 1;
      if (how === "damaged" && called === 1) new Uint8Array(memory.buffer).fill(0x55);
    };
    /** Reads a long text until the engine has been called back, so that a reading is under way when it is. */
    const readMeanwhile = async () => {
      let long;
      do long = await scores(model, { device: "cpu" }, text.repeat(2000));
      while (called === 0);
      return long;
    };
    const reading = outcome(readMeanwhile());
    const readOnGpu = () => outcome(scores(model, { device: "webgpu" }));
    const asked = window.provoke ? window.provoke() : readOnGpu();
    while (called === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const onGpu = await (asked ?? readOnGpu());
    const long = await reading;
    const after = [await outcome(scores(model, { device: "cpu" })), await outcome(layer.forward([1, 2]))];
    const worker = await scores(elsewhere, { device: "cpu" });
    window.meanwhile = () => undefined;
    const fresh = await here.load(path);
    const again = [await scores(fresh, { device: "cpu" }), await scores(fresh, { device: "webgpu" })];
    const owners = [await outcome(scores(model, { device: "cpu" })), await outcome(layer.forward([1, 2]))];
    return { before, long, onGpu, after, owners, worker, again };
  }, [SMALL, TEXT, how]);

describe("called by a GPU", { timeout: 600_000 }, () => {
  inChromium({ gpu: true });
  let thrown;
  beforeEach(async () => {
    await renew();
    thrown = [];
    page.on("pageerror", (error) => thrown.push(error.message));
  });

  const near = (a, b) => a.length === b.length && a.every((value, i) => Math.abs(value - b[i]) < 1e-4);

  for (const [what, prepare] of Object.entries(callbacks)) {
    test(`${what}: a trap there ends its instance and nothing else`, async () => {
      await page.addInitScript(prepare);
      await open();
      const { before, long, onGpu, after, owners, worker, again } = await provoked("damaged");
      assert.deepEqual([long, onGpu], [FAILED, FAILED]);
      assert.deepEqual([...after, ...owners], [FAILED, FAILED, FAILED, FAILED]);
      assert.ok(near(worker, before), "the worker's engine goes on");
      for (const scores of again) assert.ok(near(scores, before), "a fresh one reads as the first did");
      assert.deepEqual(thrown, []);
    });

    test(`${what}: without a trap nothing is lost`, async () => {
      await page.addInitScript(prepare);
      await open();
      const { before, long, onGpu, after, owners, worker, again } = await provoked("sound");
      assert.ok("value" in long && "value" in onGpu);
      assert.ok(near(onGpu.value, before));
      for (const [scores, computed] of [after, owners]) {
        assert.ok(near(scores.value, before));
        assert.equal(computed.value.output.length, 3);
      }
      for (const scores of [worker, ...again]) assert.ok(near(scores, before));
      assert.deepEqual(thrown, []);
    });
  }
});
