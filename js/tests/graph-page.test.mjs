/** Graphs in a page: the binary beside the code, both devices, and programs that a page's timers hold up. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { inChromium, open, page, renew } from "./blank.mjs";

describe("in a page", { timeout: 300_000 }, () => {
  inChromium({ gpu: true });
  beforeEach(async () => {
    await renew();
    await open();
  });

  test("a Tree-LSTM learns the same on both devices, in as many batches", async () => {
    const ran = await page.evaluate(async () => {
      const { Adam, Parameters } = await import(new URL("js/dist/graph/index.js", location.href).href);
      const d = 8;
      const learned = async (device) => {
        const parameters = new Parameters({ seed: 1 });
        const [words, children, out] = [parameters.embedding("words", 5, d), parameters.linear("children", 2 * d, 5 * d), parameters.linear("out", d, 2)];
        const cell = parameters.cell("tree", [d, d, d, d], (lh, lc, rh, rc) => {
          const all = children(lh.graph.concatColumns([lh, rh]));
          const [i, u, l, r, o] = [0, 1, 2, 3, 4].map((gate) => all.sliceColumns(gate * d, (gate + 1) * d));
          const c = i.sigmoid().multiply(u.tanh()).add(l.sigmoid().multiply(lc)).add(r.sigmoid().multiply(rc));
          return [o.sigmoid().multiply(c.tanh()), c];
        });
        const grow = (graph, tree) => {
          if (typeof tree === "number") return Array(2).fill(words(graph, [tree]));
          return cell(...grow(graph, tree[0]), ...grow(graph, tree[1]));
        };
        const trees = [[0, [1, 2]], [[3, 4], [0, 1]], [[[2, 3], 4], 0]];
        const scores = (graph, tree) => out(grow(graph, tree)[0]);
        const adam = new Adam(parameters, { rate: 0.01, clip: 1 });
        const losses = [];
        for (let step = 0; step < 5; step++) {
          losses.push(await adam.learn((graph) => graph.mean(trees.map((tree, i) => scores(graph, tree).crossEntropy([i % 2]))), { device }));
        }
        const run = async (graph) => {
          const values = await graph.join(
            trees.map(async (tree, i) => {
              const [first] = await scores(graph, tree).value();
              if (i === 0) await new Promise((resolve) => setTimeout(resolve, 50));
              return [first, ...(await graph.input(1, 1, [first]).tanh().value())];
            }),
          );
          return { device: graph.device, values: values.flat(), trees: (await graph.explain()).batches.filter(({ op }) => op === "tree").length };
        };
        return { losses, ...(await parameters.run(run, { device })), weights: [...(await parameters.values("children.weight"))], saved: (await parameters.save()).length };
      };
      return { cpu: await learned("cpu"), gpu: await learned("webgpu-only") };
    });
    const { cpu, gpu } = ran;
    assert.deepEqual([cpu.device, gpu.device], ["cpu", "webgpu"]);
    assert.deepEqual([cpu.trees, gpu.trees], [3, 3]);
    assert.ok(cpu.losses.at(-1) < cpu.losses[0]);
    for (const what of ["losses", "values", "weights"]) {
      assert.equal(gpu[what].length, cpu[what].length);
      for (const [i, value] of cpu[what].entries()) assert.ok(Math.abs(gpu[what][i] - value) < 1e-3, `${what}[${i}]: ${gpu[what][i]} instead of ${value}`);
    }
    assert.ok(cpu.saved > 1000 && gpu.saved === cpu.saved);
  });

  test("the CPU computes with what a GPU has learned; what a lost GPU had learned is an error until other weights are loaded", async () => {
    const found = await page.evaluate(async () => {
      const request = GPUAdapter.prototype.requestDevice;
      let lose;
      GPUAdapter.prototype.requestDevice = async function (...given) {
        const device = await request.apply(this, given);
        lose = () => device.destroy();
        return device;
      };
      const { Parameters, Sgd } = await import(new URL("js/dist/graph/index.js", location.href).href);
      const parameters = new Parameters();
      const w = parameters.parameter("w", 1, 1, { bound: 0 });
      await parameters.set(w, [10]);
      const start = await parameters.save();
      const times = (graph) => graph.input(1, 1, [1]).affine(w);
      // Its gradient is 1.
      const step = (device) => new Sgd(parameters, { rate: 1 }).learn((graph) => times(graph).sumColumns(), { device });
      const ask = () => parameters.values(w).then((values) => [...values], ({ code }) => code);
      const losses = [await step("webgpu-only"), await step("webgpu-only")];
      // Beside a graph that is open where they were learned.
      const [onCpu, onGpu] = await parameters.run(async (graph) => [await parameters.run((inner) => times(inner).scalar()), await times(graph).scalar()], { device: "webgpu-only" });
      losses.push(await step("cpu"));
      const meanwhile = step("webgpu-only");
      const names = await parameters.names();
      await parameters.set(w, [7]);
      losses.push(await meanwhile, await step("webgpu-only"));
      lose();
      const lost = [await ask(), await ask(), await parameters.run((graph) => times(graph).scalar()).catch(({ code }) => code)];
      await parameters.load(start);
      return { losses, onCpu, onGpu, names, lost, loaded: await ask() };
    });
    assert.deepEqual(found, { losses: [10, 9, 8, 7, 7], onCpu: 8, onGpu: 8, names: ["w"], lost: ["DEVICE_LOST", "DEVICE_LOST", "DEVICE_LOST"], loaded: [10] });
  });

  test("a GPU has its memory back as soon as no pool keeps it, not when the page next collects garbage", async () => {
    const found = await page.evaluate(async () => {
      const alive = new Map();
      const { createBuffer } = GPUDevice.prototype;
      GPUDevice.prototype.createBuffer = function (descriptor) {
        const buffer = createBuffer.call(this, descriptor);
        alive.set(buffer, descriptor);
        return buffer;
      };
      const { destroy } = GPUBuffer.prototype;
      GPUBuffer.prototype.destroy = function () {
        alive.delete(this);
        return destroy.call(this);
      };
      const { Parameters } = await import(new URL("js/dist/graph/index.js", location.href).href);
      const parameters = new Parameters();
      const rows = 100_000;
      const table = parameters.embedding("table", rows, 50);
      const sums = [];
      for (let i = 0; i < 2; i++) {
        sums.push(
          await parameters.run(
            async (graph) => {
              // 20 MB a value, 400 kB of word numbers.
              let x = table(graph, Array.from({ length: rows }, (_, row) => row));
              const all = [x];
              for (let j = 0; j < 19; j++) all.push((x = x.scale(1)));
              return (await x.value()).length;
            },
            { device: "webgpu-only" },
          ),
        );
      }
      const bytes = (wanted) => [...alive.values()].filter(wanted).reduce((sum, { size }) => sum + size, 0);
      const read = ({ usage }) => usage & GPUBufferUsage.MAP_READ;
      const argument = ({ usage }) => usage & GPUBufferUsage.UNIFORM;
      return { sums, read: bytes(read), argument: bytes(argument), values: bytes((buffer) => !read(buffer) && !argument(buffer)) };
    });
    assert.deepEqual(found.sums, [5_000_000, 5_000_000]);
    // The pool's 256 MiB, and the table.
    assert.ok(found.values <= (256 + 24) << 20, `${found.values} bytes of values`);
    assert.equal(found.read, 0);
    assert.ok(found.argument <= 2 << 20, `${found.argument} bytes of arguments`);
  });

  test("a binary that is not there is an error, and is asked for again", async () => {
    await page.route("**/saccade_graph*_bg.wasm", (route) => route.fulfill({ status: 404 }));
    const { code, message } = await page.evaluate(async () => {
      const { Parameters } = await import(new URL("js/dist/graph/index.js", location.href).href);
      window.parameters = new Parameters();
      return window.parameters.run(() => 1).catch(({ code, message }) => ({ code, message }));
    });
    assert.equal(code, "ENGINE_FAILED");
    assert.match(message, /status 404.*await init\(\{ wasm: /);
    await page.unroute("**/saccade_graph*_bg.wasm");
    assert.equal(await page.evaluate(() => window.parameters.run(async (graph) => graph.input(1, 1, [3]).scale(2).scalar())), 6);
  });

  test("the binary may lie elsewhere", async () => {
    await page.route("**/saccade_graph*_bg.wasm", (route) => route.fulfill({ status: 404 }));
    await page.route("**/elsewhere.wasm", (route) => route.fulfill({ contentType: "application/wasm", path: join(root, "js", "pkg", "saccade_graph_bg.wasm") }));
    const found = await page.evaluate(async () => {
      const { init, Parameters } = await import(new URL("js/dist/graph/index.js", location.href).href);
      const refused = await init({ wasn: "/elsewhere.wasm" }).catch(({ message }) => message);
      await init({ wasm: "/elsewhere.wasm" });
      return [refused, await new Parameters().run(async (graph) => graph.input(1, 1, [3]).scale(2).scalar())];
    });
    assert.deepEqual(found, ["init: options.wasn: there is no such option; did you mean wasm?", 6]);
  });
});
