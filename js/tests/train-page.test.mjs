/** Training in a page: in a worker while frames go on, on both devices, and where its binary is. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { inChromium, open, page, renew } from "./blank.mjs";

/** An empty page with training in it, texts and settings. */
async function prepared() {
  await open();
  await page.evaluate(async () => {
    const api = await import(new URL("js/dist/train/index.js", location.href).href);
    const words = ["good", "bad", "fine", "dull", "the", "film", "was", "and"];
    const texts = Array.from({ length: 160 }, (_, i) => {
      const text = Array.from({ length: 4 + (i % 7) }, (_, j) => words[(i * 7 + j * j * 5 + (i >> 3)) % 8]);
      return { text: text.join(" "), label: text.filter((word) => word === "good" || word === "fine").length > 1 };
    });
    const settings = {
      task: "classify",
      model: { embeddingSize: 16, encoder: [{ type: "skim", cell: "lstm", hiddenSize: 24, smallSize: 4 }] },
      train: { batch: 16, epochs: 12, learningRate: 0.01, skim: { gamma: 0.05, temperatureRate: 0.01 } },
    };
    const story = texts.map(({ text }) => text).join("\n");
    const letters = {
      task: "predict",
      data: { tokenizer: { kind: "characters", lowercase: false }, steps: 16 },
      model: { embeddingSize: 8, encoder: [{ type: "gru", hiddenSize: 16 }] },
      train: { batch: 8, epochs: 1, learningRate: 0.01 },
    };
    const losses = async (options, most = Infinity) => {
      const run = api.train(texts, settings, options);
      const all = [];
      let device;
      for await (const event of run) {
        if (event.type === "begun") device = event.device;
        if (event.type === "step") all.push(event.losses.loss);
        if (all.length === most) break;
      }
      run.dispose();
      return { device, all };
    };
    /** What destroys the device that a run asked for last, of those from now on. */
    const losing = () => {
      const request = GPUAdapter.prototype.requestDevice;
      let device;
      GPUAdapter.prototype.requestDevice = async function (...options) {
        return (device = await request.apply(this, options));
      };
      return () => device.destroy();
    };
    Object.assign(window, { ...api, texts, settings, story, letters, losses, losing });
  });
}

describe("in a page", { timeout: 600_000 }, () => {
  inChromium({ gpu: true });
  beforeEach(async () => {
    await renew();
    await prepared();
  });

  test("both devices learn the same for 100 steps", async () => {
    const [cpu, gpu] = await page.evaluate(async () => [await losses({}, 100), await losses({ device: "webgpu-only" }, 100)]);
    assert.deepEqual([cpu.device, gpu.device], ["cpu", "webgpu"]);
    assert.equal(cpu.all.length, 100);
    assert.ok(cpu.all.at(-1) < cpu.all[0] / 2, `${cpu.all}`);
    for (const [step, loss] of cpu.all.entries()) assert.ok(Math.abs(gpu.all[step] - loss) < 1e-4, `step ${step}: ${gpu.all[step]} instead of ${loss}`);
  });

  test("two workers learn together where no memory can be shared, the same again", async () => {
    const [isolated, first, second] = await page.evaluate(async () => [crossOriginIsolated, await losses({ workers: 2 }, 60), await losses({ workers: 2 }, 60)]);
    assert.equal(isolated, false);
    assert.equal(first.all.length, 60);
    assert.deepEqual(first, second);
    assert.ok(first.all.at(-1) < first.all[0], `${first.all}`);
  });

  test("a worker that ends without a word is told of, and the model is as if it had not", async () => {
    const [whole, cuts, early] = await page.evaluate(async () => {
      const made = [];
      const Own = Worker;
      const script = (...lines) => URL.createObjectURL(new Blob([lines.join("\n")], { type: "text/javascript" }));
      // A browser that is busy grants locks late, by when a helper could have answered.
      const busy = script(
        "const request = navigator.locks.request.bind(navigator.locks);",
        "navigator.locks.request = (...given) => new Promise((granted) => setTimeout(granted, 1000)).then(() => request(...given));",
      );
      window.Worker = class extends Own {
        constructor(url, options) {
          super(script(`import "${busy}";`, `import "${new URL(url, location.href)}";`), options);
          made.push(this);
        }
      };
      const begin = (data) => train(data, { ...settings, train: { ...settings.train, epochs: 2 } }, { workers: 2 });
      const file = async (onEvent) => {
        const left = [];
        const run = begin(texts);
        for await (const event of run) {
          if (event.type === "left") left.push([event.workers, event.reason]);
          onEvent(event);
        }
        const bytes = [...(await run.file())];
        run.dispose();
        return { bytes, left };
      };
      // The leader of all runs was made first.
      const end = () => made.at(-1).terminate();
      const { bytes } = await file(() => undefined);
      let steps = 0;
      const cuts = [await file(({ type }) => type === "step" && ++steps === 3 && end()), await file(({ type }) => type === "begun" && end())];
      const ending = async function* () {
        yield* texts;
        end();
      };
      const early = await begin(ending()).finish().catch(({ message }) => message);
      window.Worker = Own;
      return [bytes, cuts, early];
    });
    assert.ok(whole.length > 1000);
    for (const { bytes, left } of cuts) {
      assert.deepEqual(left, [[1, "its worker ended without a word"]]);
      assert.deepEqual(bytes, whole);
    }
    assert.equal(early, "a worker of this run failed before the run had begun (its worker ended without a word)");
  });

  test("a run whose GPU is lost goes on on the CPU, unless it was to have that alone", async () => {
    const found = await page.evaluate(async () => {
      const lose = losing();
      const told = [];
      const run = train(texts, settings, { device: "webgpu", worker: false });
      for await (const event of run) {
        told.push(event);
        if (told.length === 30) lose();
      }
      const model = await run.model();
      const only = train(texts, settings, { device: "webgpu-only", worker: false });
      let steps = 0;
      const code = await (async () => {
        for await (const { type } of only) if (type === "step" && ++steps === 5) lose();
      })().catch(({ code }) => code);
      const whole = await losses({});
      const { scores } = await model.read("a fine film");
      return { told, labels: scores.length, code, whole };
    });
    const at = found.told.findIndex(({ type }) => type === "moved");
    const { device, deviceReason, epoch, step } = found.told[at];
    assert.equal(device, "cpu");
    assert.match(deviceReason, /lost|destroyed/);
    assert.equal(found.told.filter(({ type }) => type === "moved").length, 1);
    // It goes on from where it stood not long before, and to the end.
    const after = found.told.slice(at).find(({ type }) => type === "step");
    assert.deepEqual([after.epoch, after.step], [epoch, step]);
    assert.equal(found.told.at(-1).type, "ended");
    const last = found.told.filter(({ type }) => type === "step").at(-1);
    assert.ok(Math.abs(last.losses.loss - found.whole.all.at(-1)) < 1e-3, `${last.losses.loss} instead of ${found.whole.all.at(-1)}`);
    assert.equal(found.labels, 2);
    assert.equal(found.code, "DEVICE_LOST");
  });

  test("so does a run whose GPU is full", async () => {
    const found = await page.evaluate(async () => {
      const { popErrorScope } = GPUDevice.prototype;
      let popped = 0;
      GPUDevice.prototype.popErrorScope = function () {
        const outcome = popErrorScope.call(this);
        return ++popped === 100 ? outcome.then(() => new GPUOutOfMemoryError("full")) : outcome;
      };
      const told = [];
      try {
        for await (const { type, deviceReason } of train(texts, settings, { device: "webgpu", worker: false })) told.push([type, deviceReason]);
      } finally {
        GPUDevice.prototype.popErrorScope = popErrorScope;
      }
      return told;
    });
    const moves = found.filter(([type]) => type === "moved");
    assert.equal(moves.length, 1);
    assert.match(moves[0][1], /out of memory/);
    assert.equal(found.at(-1)[0], "ended");
  });

  test("what is written on a GPU changes nothing of what is learned there", async () => {
    const { plain, written } = await page.evaluate(async () => {
      const learn = async (options) => {
        const run = train(story, letters, { device: "webgpu-only", worker: false, ...options });
        const samples = [];
        for await (const { type, text } of run) if (type === "sample") samples.push(text);
        const file = [...(await run.file())];
        run.dispose();
        return { samples, file };
      };
      return { plain: await learn({}), written: await learn({ sample: { prompt: "the ", words: 10, every: 9 } }) };
    });
    assert.deepEqual(written.file, plain.file);
    assert.ok(new Set(written.samples).size > 1, `${written.samples}`);
  });

  test("a GPU that is lost while something is written is lost as in a step", async () => {
    const told = await page.evaluate(async () => {
      const lose = losing();
      const map = GPUBuffer.prototype.mapAsync;
      let reads = 0;
      GPUBuffer.prototype.mapAsync = function (...range) {
        // Every letter is read: the first step is over long before, and the sample after it is not.
        if (++reads === 40) lose();
        return map.apply(this, range);
      };
      const told = [];
      const run = train(story, letters, { device: "webgpu", worker: false, sample: { every: 1, words: 60 } });
      for await (const { type, epoch } of run) if (told.push([type, epoch]) === 5) break;
      run.dispose();
      return told;
    });
    assert.deepEqual(told.map(([type]) => type), ["begun", "step", "moved", "step", "sample"]);
    assert.deepEqual([told[2][1], told[3][1]], [0, 0]);
  });

  test("on WebGPU a step is submitted once the loss of the one before has been read", async () => {
    const found = await page.evaluate(async () => {
      const { submit } = GPUQueue.prototype;
      const { mapAsync } = GPUBuffer.prototype;
      // How often there was a submission, how many of these are over since a read that came after them is, and the most that were not.
      let [submitted, over, most] = [0, 0, 0];
      GPUQueue.prototype.submit = function (commands) {
        submitted++;
        most = Math.max(most, submitted - over);
        return submit.call(this, commands);
      };
      GPUBuffer.prototype.mapAsync = async function (...range) {
        const before = submitted;
        await mapAsync.apply(this, range);
        over = Math.max(over, before);
      };
      const steps = 12;
      /** The most that wait of so many runs side by side. Their steps are so small that each is one submission, however slow the GPU. */
      const waiting = async (count) => {
        [submitted, over, most] = [0, 0, 0];
        await Promise.all(Array.from({ length: count }, () => losses({ device: "webgpu-only", worker: false }, steps)));
        return { most, enough: submitted >= count * steps };
      };
      return [await waiting(1), await waiting(2)];
    });
    // Two runs do not wait for each other, which this must see.
    assert.deepEqual(found, [{ most: 1, enough: true }, { most: 2, enough: true }]);
  });

  test("a worker and this thread learn the same, and the thread of the page is free meanwhile", async () => {
    const found = await page.evaluate(async () => {
      const engines = () => performance.getEntriesByType("resource").filter(({ name }) => /saccade_train(_relaxed)?_bg/.test(name)).length;
      const remote = await losses({});
      const meanwhile = engines();
      return { remote, here: await losses({ worker: false }), engines: [meanwhile, engines()] };
    });
    assert.deepEqual(found.remote, found.here);
    // This thread has no engine to learn by until it is to learn itself.
    assert.deepEqual(found.engines, [0, 1]);
  });

  test("a page that reads on while a run goes, and a run that another one goes on from", async () => {
    const found = await page.evaluate(async () => {
      const { load } = await import(new URL("js/dist/worker.js", location.href).href);
      const model = await load("models/sst2-skim-lstm-small.safetensors");
      const run = train(texts, settings);
      let steps = 0;
      for await (const { type } of run) if (type === "step" && ++steps === 30) break;
      const [{ label }] = await Promise.all([model.read("a fine film"), run.snapshot()]);
      const other = train(texts, settings, { resume: await run.snapshot() });
      const [a, b] = await Promise.all([run, other].map((run) => run.finish().then(() => run.file())));
      return { label, equal: a.length === b.length && a.every((byte, i) => byte === b[i]) };
    });
    assert.deepEqual(found, { label: "positive", equal: true });
  });

  test("a binary that is not there is an error, and it may lie elsewhere", async () => {
    await page.context().route("**/saccade_train*.wasm", (route) => route.fulfill({ status: 404 }));
    await page.context().route("**/elsewhere.wasm", (route) => route.fulfill({ contentType: "application/wasm", path: join(root, "js", "pkg", "saccade_train_bg.wasm") }));
    const [error, { all }] = await page.evaluate(async () => {
      const error = await losses({}).catch(({ code, message }) => ({ code, message }));
      return [error, await losses({ wasmUrl: "elsewhere.wasm" }, 3)];
    });
    assert.equal(error.code, "ENGINE_FAILED");
    assert.match(error.message, /status 404.*wasmUrl: /);
    assert.equal(all.length, 3);
  });

  test("a worker that is ended ends its runs", async () => {
    const code = await page.evaluate(async () => {
      const run = train(texts, { ...settings, train: { ...settings.train, epochs: 100_000 } });
      for await (const { type } of run) if (type === "step") break;
      const done = run.finish().catch(({ code }) => code);
      terminate();
      return done;
    });
    assert.equal(code, "ENGINE_FAILED");
  });

  test("a run that a reload interrupts goes on to the same bytes", async () => {
    const begin = (most) =>
      page.evaluate(async (most) => {
        const run = train(texts, settings, { checkpoint: "learn", checkpointSeconds: 0 });
        const told = [];
        for await (const { type, resumed, failed } of run) {
          if (type === "begun") told.push(resumed);
          if (type === "checkpoint") told.push(failed ?? "kept");
          if (told.length === most) break;
        }
        return { told, file: most === undefined ? [...(await run.file())] : [] };
      }, most);
    assert.deepEqual((await begin(4)).told, [false, "kept", "kept", "kept"]);
    // Nobody is asked before a page goes.
    await prepared();
    assert.deepEqual((await begin(3)).told, [true, "kept", "kept"]);
    await prepared();
    const { told, file } = await begin();
    assert.equal(told[0], true);
    const whole = await page.evaluate(async () => {
      const run = train(texts, settings);
      await run.finish();
      return [...(await run.file())];
    });
    assert.deepEqual(file, whole);
    // At its end it is forgotten, and a run with other settings or texts is another.
    assert.deepEqual((await begin(2)).told, [false, "kept"]);
    await page.evaluate(() => (texts[3] = { ...texts[3], text: "dull" }));
    assert.deepEqual((await begin(2)).told, [false, "kept"]);
    assert.deepEqual((await begin(1)).told, [true]);
    const from = await page.evaluate(async () => {
      const model = train(texts, { ...settings, train: { ...settings.train, epochs: 1 } });
      await model.finish();
      const resumed = [];
      for (const options of [{}, { from: await model.file() }]) {
        for await (const event of train(texts, settings, { ...options, checkpoint: "learn" })) {
          resumed.push([event.resumed, event.refused]);
          break;
        }
      }
      return resumed;
    });
    assert.deepEqual(from, [[true, undefined], [false, undefined]]);
    await page.evaluate(() => (settings.seed = 2));
    assert.deepEqual((await begin(1)).told, [false]);
  });

  test("a running text goes on in whatever parts it comes again", async () => {
    const resumed = await page.evaluate(async () => {
      const text = `${story}\n`.repeat(80);
      const parts = (size) => Array.from({ length: Math.ceil(text.length / size) }, (_, part) => text.slice(part * size, (part + 1) * size));
      const begun = async (of) => {
        let resumed;
        for await (const event of train(of, letters, { checkpoint: "learn", checkpointSeconds: 0 })) {
          if (event.type === "begun") resumed = event.resumed;
          if (event.type === "checkpoint") break;
        }
        return resumed;
      };
      const other = `${text.slice(0, -2)}?\n`;
      return [await begun(parts(1000)), await begun(parts(777)), await begun(text), await begun(new Blob([text])), await begun(other)];
    });
    assert.deepEqual(resumed, [false, true, true, true, false]);
  });

  test("what was kept and cannot be gone on from is told of, and the run begins from the start in its place", async () => {
    const begin = (most) =>
      page.evaluate(async (most) => {
        const run = train(texts, settings, { checkpoint: "learn", checkpointSeconds: 0 });
        const told = [];
        for await (const { type, resumed, refused, failed } of run) {
          if (type === "begun") told.push([resumed, refused]);
          if (type === "checkpoint") told.push(failed ?? "kept");
          if (told.length === most) break;
        }
        return { told, file: most === undefined ? [...(await run.file())] : [] };
      }, most);
    await begin(3);
    const damaged = await page.evaluate(async () => {
      const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
      const table = (await done(indexedDB.open("saccade-rnn"))).transaction("runs", "readwrite").objectStore("runs");
      const kept = await done(table.get("learn"));
      kept.snapshot.state = kept.snapshot.state.slice(0, -8);
      await done(table.put(kept, "learn"));
      return kept.snapshot.state.length;
    });
    assert.ok(damaged > 8);
    const { told, file } = await begin();
    assert.equal(told[0][0], false);
    assert.match(told[0][1], /bytes/);
    const whole = await page.evaluate(async () => {
      const run = train(texts, settings);
      await run.finish();
      return [...(await run.file())];
    });
    assert.deepEqual(file, whole);
  });

  test("memory does not grow over 10,000 steps, nor by 50 runs that are stopped", async () => {
    const found = await page.evaluate(async () => {
      const memory = async () => (await (await import(new URL("js/pkg/saccade_train.js", location.href).href)).default()).memory.buffer.byteLength;
      const small = (epochs) => ({
        task: "classify",
        model: { embeddingSize: 4, encoder: [{ type: "skim", cell: "gru", hiddenSize: 6, smallSize: 2 }] },
        train: { batch: 4, epochs },
      });
      const sets = { train: texts, dev: texts.slice(0, 4) };
      const run = train(sets, small(250), { worker: false });
      let [steps, early] = [0, 0];
      for await (const { type } of run) if (type === "step" && ++steps === 500) early = await memory();
      run.dispose();
      const late = await memory();
      const codes = new Set();
      // Drawn, and the same each time.
      let state = 7;
      const draw = (bound) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % bound;
      for (let time = 0; time < 50; time++) {
        const stop = new AbortController();
        const [afterTime, at] = [draw(2) === 0, draw(20)];
        if (afterTime) setTimeout(() => stop.abort(), at);
        let told = 0;
        const stopped = async () => {
          for await (const _ of train(sets, small(1000), { worker: false, signal: stop.signal })) if (!afterTime && told++ === at) stop.abort();
        };
        codes.add(await stopped().then(() => "ended", ({ code }) => code));
      }
      return { steps, grown: late - early, afterwards: (await memory()) - late, codes: [...codes] };
    });
    assert.deepEqual(found, { steps: 10_000, grown: 0, afterwards: 0, codes: ["ABORTED"] });
  });

  test("a browser without room says so, and the run goes on", async () => {
    const session = await page.context().newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: 1000 });
    const told = await page.evaluate(async () => {
      const run = train(texts, { ...settings, train: { ...settings.train, epochs: 2 } }, { checkpoint: "learn", checkpointSeconds: 0 });
      const told = [];
      for await (const event of run) if (["checkpoint", "ended"].includes(event.type)) told.push(event.failed ?? event.type);
      return told;
    });
    assert.equal(told.at(-1), "ended");
    assert.ok(told.length > 1);
    for (const reason of told.slice(0, -1)) assert.match(reason, /quota|space|room/i);
  });
});
