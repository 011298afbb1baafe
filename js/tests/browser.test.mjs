/** The package in Chromium, in the page's thread and in its worker. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { inChromium, open as openBlank, page, renew } from "./blank.mjs";

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const SRU = "models/sst2-sru.safetensors";
const WORDS = "models/shakespeare-elman.safetensors";
const TEXT = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";

describe("in a page", { timeout: 600_000 }, () => {
  inChromium({ gpu: true });
  beforeEach(renew);

  /** An empty page with the package in it: `here`, `there` in its worker, and the engine's own `glue`. */
  async function open() {
    await openBlank();
    await page.evaluate(async () => {
      const [here, there, glue] = await Promise.all(
        ["js/dist/index.js", "js/dist/worker.js", "js/pkg/saccade_rnn.js"].map((path) => import(new URL(path, location.href).href)),
      );
      /** The code and class of what a promise rejects with. */
      const failure = (promise) => promise.then(() => null, ({ code, name }) => ({ code, name }));
      Object.assign(window, { here, there, glue, failure });
    });
  }

  test("both threads have one interface and give the same answers", async () => {
    await open();
    const [a, b] = await page.evaluate(async ([path, text]) => {
      const look = async ({ load, Gru, devices }) => {
        const told = [];
        const model = await load(path, { onProgress: (progress) => told.push(progress) });
        const { timing, ...reading } = await model.read(text);
        const [{ layers, scores }, many, { tensors }] = await Promise.all([model.hidden(text), model.readAll([text, "a"]), model.inspect()]);
        const tokens = [];
        for await (const token of model.stream(text.repeat(200))) tokens.push(token.decision);
        const reader = model.reader();
        await reader.update("a quiet");
        const typed = await reader.append(" film");
        const gru = await Gru.random({ inputSize: 2, hiddenSize: 3, seed: 7 });
        const { output, state } = await gru.forward(new Float32Array([1, 2, 3, 4]));
        const { cpu } = await devices();
        const ended = await failure(gru.forward(new Float32Array(1)));
        const { done } = told.at(-1);
        return {
          reading, tensors, done, cpu, ended, computed: reader.computed, typed: typed.scores, tokens,
          many: many.map(({ scores }) => scores), output: [...output], state: [...state.h], scores: [...scores],
          layers: layers.map(({ name, states, gates }) => [name, [...states], gates && Object.keys(gates)]),
        };
      };
      return [await look(here), await look(there)];
    }, [SMALL, TEXT]);
    assert.deepEqual(b, a);
    assert.deepEqual([a.computed, a.ended.code], [1, "OPTION_INVALID"]);
    assert.ok(a.tokens.length > 256 && a.done > 1_000_000);
    const names = await page.evaluate(() => Object.keys(here).filter((name) => !(name in there)));
    assert.deepEqual(names, []);
  });

  test("every token is a slice of the original string", async () => {
    await open();
    const wrong = await page.evaluate(async (path) => {
      const model = await here.load(path);
      // Space, a mark of direction and a byte-order mark.
      const silent = /[\s\u202e\ufeff]/gu;
      const parts = ["a", "film", " ", "\u3000", "don't", "🎬", "👩‍🚀", "e\u0301", "שלום", "مرحبا", "\ud83c", "\udfac", "…", "“", "\n", "\u202e", "n't", "\0", "\ufeff", "A", "İ"];
      let seed = 1;
      const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
      const texts = Array.from({ length: 2000 }, () => Array.from({ length: random(14) }, () => parts[random(parts.length)]).join(""));
      const readings = await model.readAll(texts);
      return texts.filter((text, i) => {
        let end = 0;
        let whole = "";
        for (const token of readings[i].tokens) {
          if (token.start < end || token.end <= token.start || token.end > text.length) return true;
          if (text.slice(end, token.start).replace(silent, "") !== "") return true;
          whole += text.slice(token.start, token.end);
          end = token.end;
        }
        return whole.replace(silent, "") !== text.replace(silent, "");
      });
    }, SMALL);
    assert.deepEqual(wrong, []);
  });

  test("two hundred models loaded and disposed of leave memory where it was after the first few", async () => {
    await open();
    const held = await page.evaluate(async ([path, text]) => {
      const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
      const held = [];
      for (let i = 0; i < 200; i++) {
        const model = await here.load(bytes);
        await model.read(text, { device: i % 10 === 0 ? "webgpu" : "cpu" });
        const reader = model.reader();
        await reader.update(text);
        reader.dispose();
        model.dispose();
        const { memory } = await glue.default();
        held.push([memory.buffer.byteLength, (await here.gpuStatistics())?.bytesAllocated ?? 0]);
      }
      return held;
    }, [SMALL, TEXT]);
    // A model takes 2.3 MB. A reader is released a turn after its model, so that now and then one more model has to fit
    // beside it, once; what each of 160 models left behind would be more than that from 15 KB on.
    const [wasm, gpu] = held[40];
    assert.ok(wasm < 12_000_000);
    for (const later of held.slice(41)) {
      assert.ok(later[0] <= wasm + 2_400_000, `${wasm} bytes of memory grew to ${later[0]}`);
      assert.equal(later[1], gpu);
    }
  });

  for (const thread of ["here", "there"]) {
    test(`two models on two devices, fifty calls at once, half of them stopped in their midst: ${thread}`, async () => {
      await open();
      const { wrong, codes } = await page.evaluate(async ([thread, small, sru, text]) => {
        const { load } = window[thread];
        const models = await Promise.all([load(small, { device: "cpu" }), load(sru, { device: "webgpu", warmUp: false })]);
        const texts = Array.from({ length: 25 }, (_, i) => `${text} `.repeat(i % 6 === 0 ? 20 : 1));
        const right = [];
        for (const model of models) for (const text of texts) right.push((await model.read(text)).scores);
        const wrong = [];
        const codes = {};
        const calls = models.flatMap((model, m) =>
          texts.map(async (text, i) => {
            const stop = i % 2 === 0 ? new AbortController() : null;
            try {
              const reading = model.read(text, {
                ...(stop && { signal: stop.signal, onProgress: () => stop.abort() }),
              });
              if (stop && i % 4 === 0) setTimeout(() => stop.abort(), i);
              const { scores, timing, deviceReason } = await reading;
              const far = scores.some(({ probability }, s) => Math.abs(probability - right[m * texts.length + i][s].probability) > 1e-4);
              if (far || timing.device !== (m === 0 ? "cpu" : "webgpu")) wrong.push([m, i, far, deviceReason]);
            } catch ({ code }) {
              codes[code] = (codes[code] ?? 0) + 1;
            }
          }),
        );
        await Promise.all(calls);
        for (const [m, model] of models.entries()) {
          const { scores } = await model.read(texts[3]);
          if (Math.abs(scores[0].probability - right[m * texts.length + 3][0].probability) > 1e-4) wrong.push([m, "after"]);
        }
        return { wrong, codes };
      }, [thread, SMALL, SRU, TEXT]);
      assert.deepEqual(wrong, []);
      assert.deepEqual(Object.keys(codes), ["ABORTED"]);
      assert.ok(codes.ABORTED <= 26 && codes.ABORTED >= 20, `${codes.ABORTED}`);
    });
  }

  test("a GPU that is ready has all kernels that texts of any length take", async () => {
    await page.addInitScript(() => {
      window.compiled = 0;
      const compile = GPUDevice.prototype.createComputePipeline;
      GPUDevice.prototype.createComputePipeline = function (...args) {
        window.compiled++;
        return compile.apply(this, args);
      };
    });
    await open();
    const [ready, after] = await page.evaluate(async (small) => {
      const model = await here.load(small, { device: "webgpu" });
      for (const end = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
        const { timing, deviceReason } = await model.read("film ".repeat(8));
        if (timing.device === "webgpu") break;
        if (Date.now() > end) throw new Error(deviceReason);
      }
      const ready = window.compiled;
      for (const words of [1, 2, 3, 4, 5, 8, 9, 32, 33, 200]) await model.read("film ".repeat(words));
      return [ready, window.compiled];
    }, SMALL);
    assert.ok(ready > 0);
    assert.equal(after, ready);
  });

  test("the CPU answers until the GPU is ready for a model", async () => {
    // The GPU is not ready before the test says so.
    await page.addInitScript(() => {
      const held = new Promise((resolve) => (window.release = resolve));
      const map = GPUBuffer.prototype.mapAsync;
      GPUBuffer.prototype.mapAsync = async function (...args) {
        await held;
        return map.apply(this, args);
      };
    });
    await open();
    const { expected, meanwhile, later, apart } = await page.evaluate(async ([small, words, text]) => {
      const on = ({ timing, deviceReason }) => [timing.device, deviceReason];
      const [model, language] = [await here.load(small, { device: "webgpu" }), await here.load(words, { device: "webgpu" })];
      const expected = [model, language].map(({ device, deviceReason }) => [device, deviceReason]);
      // Whoever will have nothing but the GPU waits for it.
      const waits = model.read(text, { device: "webgpu-only" });
      const first = await model.read(text);
      const meanwhile = [first, ...(await model.readAll([text])), await model.read(text, { device: "webgpu" }), await language.predict("the")];
      window.release();
      const only = await waits;
      const last = { model: first, language: meanwhile.at(-1) };
      // The CPU answers within a turn of the event loop, in which nothing is heard of the GPU.
      const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
      for (; last.model.timing.device === "cpu"; await turn()) last.model = await model.read(text);
      for (; last.language.timing.device === "cpu"; await turn()) last.language = await language.predict("the");
      const apart = Math.abs(first.scores[0].probability - last.model.scores[0].probability);
      return { expected, meanwhile: meanwhile.map(on), later: [only, last.model, last.language].map(on), apart };
    }, [SMALL, WORDS, TEXT]);
    for (const found of [...expected, ...meanwhile]) assert.deepEqual(found, ["cpu", "CPU, until WebGPU is ready"]);
    for (const [device, reason] of later) assert.deepEqual([device, /^WebGPU, as asked/.test(reason)], ["webgpu", true]);
    assert.ok(apart < 1e-4);
  });

  test("a layer has no kernel compiled that it does not run, and workgroup memory for its own state alone", async () => {
    await page.addInitScript(() => {
      window.compiled = [];
      const create = GPUDevice.prototype.createComputePipeline;
      GPUDevice.prototype.createComputePipeline = function (descriptor) {
        window.compiled.push([descriptor.label, { ...descriptor.compute.constants }]);
        return create.call(this, descriptor);
      };
    });
    await open();
    const found = await page.evaluate(async () => {
      const compiledBy = async (hiddenSize) => {
        window.compiled = [];
        const layer = await here.Lstm.random({ inputSize: 3, hiddenSize, seed: 1 });
        for (let i = 0; i < 2; i++) await layer.forward(new Float32Array(60), { device: "webgpu-only" });
        return window.compiled;
      };
      return [await compiledBy(100), await compiledBy(120), await compiledBy(20)];
    });
    const recurrence = (SHARED) => ["recurrence_lstm_narrow", { SHARED }];
    // The state before a step and the one after it, rounded up so that layers of similar sizes share a pipeline.
    assert.deepEqual(found, [[["matmul_block", {}], recurrence(256)], [], [recurrence(64)]]);
  });

  test("a GPU that is lost, or not there, is no reason to lose a call", async () => {
    await page.addInitScript(() => {
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...options) {
        return (window.device = await request.apply(this, options));
      };
    });
    await open();
    const found = await page.evaluate(async ([path, text]) => {
      const long = text.repeat(100);
      const model = await here.load(path, { device: "webgpu", warmUp: false });
      const first = model.device;
      const lose = () => window.device.destroy();
      const onProgress = ({ done, total }) => done < total && lose();
      const only = await failure(model.read(long, { device: "webgpu-only", onProgress }));
      const reading = await model.read(long, { onProgress });
      const { deviceReason } = reading;
      const layer = await here.Lstm.random({ inputSize: 2, hiddenSize: 2 });
      const none = await failure(layer.forward(new Float32Array(4), { device: "webgpu-only" }));
      const computed = await layer.forward(new Float32Array(4), { device: "webgpu" });
      return { first, only, device: reading.timing.device, deviceReason, none, computed: computed.deviceReason };
    }, [SMALL, TEXT]);
    assert.equal(found.first, "webgpu");
    assert.deepEqual(found.only, { code: "DEVICE_LOST", name: "DeviceError" });
    assert.equal(found.device, "cpu");
    assert.match(found.deviceReason, /lost/);
    assert.equal(found.none.name, "DeviceError");
    assert.match(found.computed, /^CPU/);
  });

  test("a layer on the GPU tells what it asked of it, in both threads", async () => {
    await open();
    const found = await page.evaluate(async () => {
      const look = async ({ Skim }) => {
        const layer = await Skim.random({ inputSize: 3, hiddenSize: 5, smallSize: 2, seed: 1 });
        const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
        const runs = [];
        for (const options of [{ device: "cpu" }, { device: "webgpu-only" }, { device: "webgpu-only", profile: true }]) {
          const { output, logits, decisions, state, flops, timing } = await layer.forward(x, options);
          runs.push({ values: [output, logits, state.h, state.c].map((part) => [...part]), decisions: [...decisions], flops, timing });
        }
        return runs;
      };
      return [await look(here), await look(there)];
    });
    for (const [cpu, ...gpu] of found) {
      assert.deepEqual(Object.keys(cpu.timing), ["device", "totalMs"]);
      assert.ok(cpu.flops.spent > 0 && Math.abs(cpu.flops.full / cpu.flops.spent - cpu.flops.reduction) < 1e-9);
      for (const { timing, flops, decisions, values } of gpu) {
        assert.deepEqual([timing.device, flops, decisions], ["webgpu", cpu.flops, cpu.decisions]);
        values.forEach((part, i) => part.forEach((value, j) => assert.ok(Math.abs(value - cpu.values[i][j]) < 1e-5)));
        const { dispatches, submissions, bytesMoved, totalMs } = timing;
        assert.ok(dispatches > submissions && submissions >= 1 && totalMs > 0);
        // No more can have crossed than what the layer holds, and what went in and out.
        assert.ok(bytesMoved >= 4 * 12 && bytesMoved < 100_000, `${bytesMoved} bytes`);
        assert.ok([dispatches, submissions, bytesMoved].every(Number.isInteger));
      }
      const [plain, profiled] = gpu;
      assert.ok(!("kernelMs" in plain.timing));
      assert.ok(profiled.timing.kernelMs > 0);
    }
  });

  test("without WebGPU everything runs on the CPU and says why", async () => {
    await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }));
    await open();
    const found = await page.evaluate(async (path) => {
      const { webgpu } = await here.devices();
      const model = await here.load(path, { device: "webgpu" });
      const refused = await failure(here.load(path, { device: "webgpu-only" }));
      return { webgpu, device: model.device, reason: model.deviceReason, refused };
    }, SMALL);
    assert.deepEqual([found.webgpu.usable, found.device], [false, "cpu"]);
    assert.ok(found.webgpu.reason && found.reason.includes(found.webgpu.reason));
    assert.deepEqual(found.refused, { code: "DEVICE_UNAVAILABLE", name: "DeviceError" });
  });

  test("an engine whose memory is damaged rejects what waits for it; the next load starts afresh", async () => {
    await open();
    const found = await page.evaluate(async ([path, text]) => {
      const lost = await here.load(path);
      const { memory } = await glue.default();
      const waiting = failure(lost.read(text.repeat(500), { onProgress: () => new Uint8Array(memory.buffer).fill(0x55) }));
      const first = await waiting;
      const later = await failure(lost.read(text));
      const fresh = await here.load(path);
      return { first, later, tokens: (await fresh.read(text)).tokens.length };
    }, [SMALL, TEXT]);
    assert.deepEqual(found, { first: { code: "ENGINE_FAILED", name: "EngineError" }, later: { code: "ENGINE_FAILED", name: "EngineError" }, tokens: 20 });
  });

  test("a worker that ends takes its models along; the next load starts another", async () => {
    await open();
    const found = await page.evaluate(async ([path, text]) => {
      const model = await there.load(path);
      const waiting = failure(model.read(text.repeat(2000)));
      there.terminate();
      const first = await waiting;
      const later = await failure(model.read(text));
      const fresh = await there.load(path);
      const tokens = (await fresh.read(text)).tokens.length;
      there.terminate();
      there.useWorker(() => new Worker(new URL("not-there.js", location.href), { type: "module" }));
      const absent = await failure(there.init());
      there.useWorker(() => new Worker(new URL("js/dist/worker-entry.js", location.href), { type: "module" }));
      await there.init();
      return { first, later, tokens, absent };
    }, [SMALL, TEXT]);
    const failed = { code: "ENGINE_FAILED", name: "EngineError" };
    assert.deepEqual(found, { first: failed, later: failed, tokens: 20, absent: failed });
  });

  test("a model is kept until its content changes, and may be read without a network", async () => {
    const bodies = [readFileSync(join(root, SMALL)), readFileSync(join(root, SRU))];
    let version = 0;
    let online = true;
    await page.route("**/kept.safetensors*", (route) => {
      if (!online) return route.abort();
      const etag = `"v${version}"`;
      return route.fulfill({ body: bodies[version], headers: { etag, "content-type": "application/octet-stream" } });
    });
    await open();
    const size = (options) => page.evaluate(async (options) => {
      const model = await here.load("kept.safetensors?download", { warmUp: false, ...options });
      const { parameters } = await model.inspect();
      const keys = (await (await caches.open("saccade-rnn")).keys()).map(({ url }) => new URL(url).search);
      return { parameters, keys };
    }, options);
    const first = await size();
    assert.equal(first.keys.length, 1);
    assert.match(decodeURIComponent(first.keys[0]), /"v0"/);
    assert.deepEqual(await size(), first);
    version = 1;
    const second = await size();
    assert.notEqual(second.parameters, first.parameters);
    assert.equal(second.keys.length, 1);
    assert.match(decodeURIComponent(second.keys[0]), /"v1"/);
    online = false;
    assert.deepEqual(await size(), second);
    const code = await page.evaluate(() => failure(here.load("kept.safetensors", { cache: false })));
    assert.equal(code.code, "FETCH_FAILED");
  });

  test("a hash that is given finds the file without a network, and no other", async () => {
    let asked = 0;
    await page.route("**/kept.safetensors*", (route) => {
      asked += 1;
      return route.fulfill({ body: readFileSync(join(root, SMALL)) });
    });
    await open();
    const [once, other] = await page.evaluate(async () => {
      const bytes = await (await fetch("kept.safetensors")).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
      const integrity = `sha384-${btoa(String.fromCharCode(...digest))}`;
      for (let i = 0; i < 3; i++) (await here.load("kept.safetensors", { integrity, warmUp: false })).dispose();
      return [integrity.length, await failure(here.load("kept.safetensors", { integrity: integrity.replace(/-.{4}/, "-AAAA") }))];
    });
    assert.equal(once, 71);
    assert.equal(asked, 3, "the page's own, the first, and the one with another hash");
    assert.deepEqual(other, { code: "INTEGRITY_MISMATCH", name: "FetchError" });
  });

  test("a language model generates on the GPU what it does on the CPU with the same seed", async () => {
    await open();
    const all = await page.evaluate(async (shipped) => {
      const { byCharacters, byWords } = await import(new URL("js/tests/language.mjs", location.href).href);
      const written = async (tokens) => {
        const all = [];
        for await (const { id, probability, timing, deviceReason } of tokens) all.push({ id, probability, device: timing.device, deviceReason });
        return all;
      };
      const found = [];
      for (const { load } of [here, there]) {
        for (const [file, prompt, maxTokens] of [[byWords().file, "The cat was in", 20], [byCharacters().file, "it is", 20], [shipped, "KING RICHARD:\nMy lord, ", 12]]) {
          const model = await load(file);
          for (const options of [{ temperature: 0 }, { seed: 5 }, { seed: 8, temperature: 1.5, topP: 0.9 }]) {
            const on = (device) => written(model.generate(prompt, { ...options, maxTokens, device }));
            found.push({ cpu: await on("cpu"), gpu: await on("webgpu-only") });
          }
          model.dispose();
        }
      }
      return found;
    }, "models/shakespeare-lstm.safetensors");
    assert.equal(all.length, 18);
    for (const { cpu, gpu } of all) {
      assert.ok(gpu.length > 0);
      assert.deepEqual(gpu.map(({ id }) => id), cpu.map(({ id }) => id));
      gpu.forEach(({ probability, device, deviceReason }, i) => {
        assert.ok(Math.abs(Math.log(probability / cpu[i].probability)) < 1e-3, `${probability}, on the CPU ${cpu[i].probability}`);
        assert.deepEqual([device, cpu[i].device], ["webgpu", "cpu"]);
        assert.match(deviceReason, /^WebGPU, as asked/);
      });
    }
  });

  for (const [variant, file] of [["simd", "saccade_rnn_bg.wasm"], ["auto", "saccade_rnn_relaxed_bg.wasm"]]) {
    test(`the binary: ${variant}`, async () => {
      await open();
      const found = await page.evaluate(async ([path, variant]) => {
        await here.init({ variant });
        const loaded = performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.endsWith(".wasm"));
        const { cpu } = await here.devices();
        return { loaded, relaxed: cpu.relaxedSimd, label: (await (await here.load(path)).read("a bad film")).label };
      }, [SMALL, variant]);
      assert.deepEqual(found.loaded.map((name) => name.split("/").at(-1)), [file]);
      assert.deepEqual([found.relaxed, found.label], [true, "negative"]);
    });
  }
});
