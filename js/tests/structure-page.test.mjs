/** Taggers, parsers and tree classifiers in a page: what is fetched and when, what is missing, and both devices. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { inChromium, open as openBlank, page, renew } from "./blank.mjs";

const TAGGER = "models/ewt-tagger.safetensors";
const TEXT = "The old man didn't see the two films in Berlin, did he?";

for (const thread of ["index", "worker"]) {
  describe(`in a page: ${thread}`, { timeout: 300_000 }, () => {
    let fetched;
    inChromium();
    beforeEach(async () => {
      await renew();
      fetched = [];
      page.context().on("request", (request) => fetched.push(new URL(request.url()).pathname));
    });

    /** An empty page with the package in it, as `api`. */
    async function open() {
      await openBlank();
      await page.evaluate(async (thread) => {
        const api = await import(new URL(`js/dist/${thread}.js`, location.href).href);
        Object.assign(window, { api, failure: (promise) => promise.then(() => null, ({ code, message }) => ({ code, message })) });
      }, thread);
    }

    const tag = (options) => page.evaluate(async ([file, text, options]) => (await (await api.load(file, options)).tag(text)).tokens.length, [TAGGER, TEXT, options]);

    test("their code and their binary come with the first of them, and no other where the task is told", async () => {
      await open();
      await page.evaluate((file) => api.load(file), "models/sst2-skim-lstm-small.safetensors");
      assert.ok(fetched.some((path) => /saccade_rnn\w*_bg\.wasm$/.test(path)));
      // A worker's script has the code from the start.
      const early = thread === "worker" ? /saccade_structure_bg/ : /saccade_structure|structure\/(local|binary)\.js/;
      assert.ok(!fetched.some((path) => early.test(path)), fetched.join("\n"));
      assert.equal(await tag({}), 15);
      assert.equal(fetched.filter((path) => path.endsWith("/saccade_structure_bg.wasm")).length, 1);
      await renew();
      fetched = [];
      page.context().on("request", (request) => fetched.push(new URL(request.url()).pathname));
      await open();
      assert.equal(await tag({ task: "tag" }), 15);
      assert.deepEqual(fetched.filter((path) => path.endsWith(".wasm")).map((path) => path.split("/").at(-1)), ["saccade_structure_bg.wasm"]);
    });

    test("a binary that is not there is an error, and is asked for again", async () => {
      await open();
      await page.context().route("**/saccade_structure_bg.wasm", (route) => route.fulfill({ status: 404 }));
      for (const options of [{}, { task: "tag" }]) {
        const { code, message } = await page.evaluate(([file, options]) => failure(api.load(file, options)), [TAGGER, options]);
        assert.equal(code, "ENGINE_FAILED");
        assert.match(message, /status 404.*wasmUrl: /);
      }
      await page.context().unroute("**/saccade_structure_bg.wasm");
      assert.equal(await tag({}), 15);
    });

    test("the binary may lie elsewhere", async () => {
      await open();
      await page.context().route("**/saccade_structure_bg.wasm", (route) => route.fulfill({ status: 404 }));
      await page.context().route("**/elsewhere.wasm", (route) => route.fulfill({ contentType: "application/wasm", path: join(root, "js", "pkg", "saccade_structure_bg.wasm") }));
      assert.equal(await tag({ task: "tag", wasmUrl: "elsewhere.wasm" }), 15);
    });

    if (thread === "worker") return;

    test("code that does not come is an error that says what to add, and with it is there from the start", async () => {
      await open();
      await page.context().route("**/structure/local.js", (route) => route.abort());
      const { code, message } = await page.evaluate((file) => failure(api.load(file)), TAGGER);
      assert.equal(code, "ENGINE_FAILED");
      assert.match(message, /import "saccade-rnn\/structure";/);
      await page.context().unroute("**/structure/local.js");
      await open();
      await page.evaluate(() => import(new URL("js/dist/structure/index.js", location.href).href));
      await page.context().route("**/structure/*.js", (route) => route.abort());
      assert.equal(await tag({}), 15);
    });
  });
}

describe("in a page with WebGPU", { timeout: 300_000 }, () => {
  inChromium({ gpu: true });

  test("both devices say the same", async () => {
    await renew();
    await openBlank();
    const found = await page.evaluate(async (text) => {
      const { load } = await import(new URL("js/dist/index.js", location.href).href);
      const parser = await load("models/ewt-parser.safetensors");
      const given = [
        ["models/ewt-tagger.safetensors", "tag", text],
        ["js/tests/structure/field.safetensors", "tag", text],
        ["models/ewt-parser.safetensors", "parse", text],
        ["models/sst-tree-lstm.safetensors", "classify", "( ( an) ( ( odd) ( film)))"],
        ["models/sst-child-sum.safetensors", "classify", text, { parser }],
      ];
      const all = [];
      for (const [file, ask, text, options] of given) {
        const model = await load(file);
        const answers = [];
        for (const device of ["cpu", "webgpu-only"]) {
          const answer = await model[ask](text, { device, ...options });
          const parts = answer.tokens ?? answer.nodes.map(({ children, scores, token, ...node }) => node);
          answers.push({ device: model.device, reason: model.deviceReason, parts });
        }
        all.push(answers);
      }
      return all;
    }, TEXT);
    for (const [cpu, gpu] of found) {
      assert.deepEqual([cpu.device, gpu.device], ["cpu", "webgpu"]);
      assert.match(gpu.reason, /^WebGPU, as asked/);
      assert.equal(gpu.parts.length, cpu.parts.length);
      cpu.parts.forEach(({ probability, ...part }, i) => {
        const { probability: other, ...rest } = gpu.parts[i];
        assert.deepEqual(rest, part);
        assert.ok(Math.abs(probability - other) < 1e-3, `${part.text}: ${probability} and ${other}`);
      });
    }
  });
});
