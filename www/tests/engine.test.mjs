/** The engine as built for the browser, on WebGPU by software: held against the native program, and bereft of its GPU. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { inChromium, open as openBlank, page, renew } from "../../js/tests/blank.mjs";
import { agree, agreeUntilUndecided } from "./compare.mjs";
import { nativeReading } from "./native.mjs";

const SMALL = "sst2-skim-lstm-small";
/** Whether a model gives a text labels; a language model is read otherwise. */
function classifies(file) {
  const bytes = readFileSync(join(root, "models", file));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE(0))));
  const { format, task } = JSON.parse(header.__metadata__.saccade);
  return format === 1 || "classify" in task;
}
const models = readdirSync(join(root, "models"))
  .filter((name) => name.endsWith(".safetensors") && classifies(name))
  .map((name) => basename(name, ".safetensors"));
const SENTENCE = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";
/** More than one piece. */
const LONG = `${SENTENCE} `.repeat(20);

describe("the engine", { timeout: 600_000 }, () => {
  inChromium({ gpu: true });
  beforeEach(renew);

  /** Opens an empty page with the engine in it and a model; `prepare` runs in the page before. */
  async function open(model, prepare) {
    if (prepare) await page.addInitScript(prepare);
    await openBlank();
    await page.evaluate(async (model) => {
      const engine = await import(new URL("js/pkg/saccade_rnn.js", location.href).href);
      const { memory } = await engine.default();
      const response = await fetch(`models/${model}.safetensors`);
      const { unpackedReading } = await import(new URL("js/dist/reading.js", location.href).href);
      const opened = engine.Model.load(new Uint8Array(await response.arrayBuffer()), false);
      const read = opened.read.bind(opened);
      const pairs = (force) => force && Uint32Array.from(Object.entries(force).flatMap(([at, what]) => [Number(at), what === "skim" ? 2 : 1]));
      opened.read = async (text, { threshold, force, measureMs = 0, device } = {}, watch = undefined) => {
        return unpackedReading(await read(text, threshold, pairs(force), measureMs, device, watch));
      };
      Object.assign(window, { model: opened, memory, gpuStatistics: engine.gpuStatistics });
    }, model);
  }

  const read = (text, options) => page.evaluate(([text, options]) => model.read(text, options), [text, options]);

  for (const model of models) {
    test(`${model}: WebGPU and the CPU read as the native program does`, async () => {
      await open(model);
      const threshold = await page.evaluate(() => window.model.config.threshold);
      for (const text of [SENTENCE, LONG]) {
        const free = nativeReading(model, text);
        const skims = free.tokens[0].skimProbability !== null;
        const force = Object.fromEntries(free.tokens.map((_, index) => [index, index % 3 === 0 ? "read" : "skim"]));
        const forced = skims ? nativeReading(model, text, force) : free;
        for (const device of ["webgpu", "cpu"]) {
          const reading = await read(text, { device });
          assert.equal(reading.timing.device, device, reading.deviceReason);
          assert.match(reading.deviceReason, device === "webgpu" ? /^WebGPU, as asked/ : /^CPU: as asked/);
          assert.ok(agreeUntilUndecided(reading, free, threshold) > 0, "the first token is undecided: choose another sentence");
          agree(skims ? await read(text, { device, force }) : reading, forced);
        }
      }
    });
  }

  for (const [what, prepare] of [
    ["without navigator.gpu", () => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined })],
    ["without an adapter", () => (GPU.prototype.requestAdapter = async () => null)],
    ["with an adapter that gives no device", () => (GPUAdapter.prototype.requestDevice = () => Promise.reject(new Error("not today")))],
  ]) {
    test(`${what} the CPU reads, and says why`, async () => {
      await open(SMALL, prepare);
      const reading = await read(SENTENCE, { device: "webgpu" });
      assert.equal(reading.timing.device, "cpu");
      assert.match(reading.deviceReason, /^CPU, since .*adapter/);
      if (what.endsWith("device")) assert.match(reading.deviceReason, /gives no device.*not today/);
      agree(reading, await read(SENTENCE, { device: "cpu" }));
      const { webgpu, webgpuAbsent } = await page.evaluate(() => model.calibrate());
      assert.equal(webgpu, null);
      assert.match(webgpuAbsent, /adapter/);
      const auto = await read(SENTENCE, { device: "auto" });
      assert.equal(auto.deviceReason, `CPU, since ${webgpuAbsent}`);
    });
  }

  test("a device lost in the midst of a reading costs nothing but time; the GPU gets one more chance", async () => {
    await open(SMALL, () => {
      window.devices = [];
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...options) {
        const device = await request.apply(this, options);
        window.devices.push(device);
        return device;
      };
    });
    /** Reads on the GPU, losing it after the first piece; gives the pieces heard of as well. */
    const bereft = () =>
      page.evaluate(async (text) => {
        const heard = [];
        const watch = (done, total) => {
          if (heard.push([done, total]) === 1) window.devices.at(-1)?.destroy();
        };
        const reading = await model.read(text, { device: "webgpu" }, watch);
        return { reading, heard, devices: window.devices.length };
      }, LONG);
    const whole = await read(LONG, { device: "cpu" });
    const total = whole.tokens.length;

    for (const devices of [1, 2]) {
      const { reading, heard, ...asked } = await bereft();
      assert.equal(asked.devices, devices);
      assert.ok(heard[0][0] < total, "the text is read in more than one piece");
      assert.deepEqual(heard.at(-1), [total, total]);
      assert.equal(reading.timing.device, "cpu");
      assert.match(reading.deviceReason, /^CPU: WebGPU failed on this text .*lost/);
      agree(reading, whole);
      const next = await read(SENTENCE, { device: "webgpu" });
      assert.equal(next.timing.device, devices === 1 ? "webgpu" : "cpu", next.deviceReason);
      if (devices === 2) assert.match(next.deviceReason, /^CPU, since .*lost/);
    }
    assert.equal(await page.evaluate(() => window.devices.length), 2);
  });

  test("a measurement can be stopped, and leaves no trace", async () => {
    await open(SMALL);
    const code = await page.evaluate(() => model.calibrate(() => false).catch((error) => error.code));
    assert.equal(code, "ABORTED");
    assert.match((await read(SENTENCE, {})).deviceReason, /until both devices are measured/);
  });

  test("1,000 readings on the GPU leave memory where it was after 100", async () => {
    await open(SMALL);
    const [early, late] = await page.evaluate(async () => {
      const held = () => [window.gpuStatistics().bytesAllocated, window.memory.buffer.byteLength];
      const seen = [];
      for (let n = 1; n <= 1000; n++) {
        const { timing, deviceReason } = await model.read("Not dull at all.", { device: "webgpu" });
        if (timing.device !== "webgpu") throw new Error(deviceReason);
        if (n === 100 || n === 1000) seen.push(held());
      }
      return seen;
    });
    assert.deepEqual(late, early);
    assert.ok(early[0] > 0);
  });
});
