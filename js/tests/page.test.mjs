/** What only a page has: policies, origins, a cache, frames; with the package of this thread and of a worker. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { eventually } from "../../www/tests/browser.mjs";
import { inChromium, open as openBlank, page, renew } from "./blank.mjs";

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const model = readFileSync(join(root, SMALL));

for (const thread of ["index", "worker"]) {
  describe(`in a page: ${thread}`, { timeout: 600_000 }, () => {
    inChromium();
    beforeEach(renew);

    /** An empty page with the package in it, as `api`. */
    async function open(policy = "") {
      await openBlank({ headers: policy ? { "content-security-policy": policy } : {} });
      await page.evaluate(async (thread) => {
        const api = await import(new URL(`js/dist/${thread}.js`, location.href).href);
        /** What a promise rejects with. */
        const failure = (promise) => promise.then(
          () => null,
          (error) => ({ ours: error instanceof api.SaccadeError, code: error.code, message: error.message }),
        );
        Object.assign(window, { api, failure });
      }, thread);
    }

    test("a policy that forbids what is needed is named", async () => {
      await open(thread === "worker" ? "worker-src 'none'" : "script-src 'self' 'unsafe-inline'");
      const { ours, code, message } = await page.evaluate((path) => failure(api.load(path)), SMALL);
      assert.deepEqual([ours, code], [true, "ENGINE_FAILED"]);
      assert.match(message, thread === "worker" ? /worker-src/ : /wasm-unsafe-eval|Content Security Policy/);
    });

    test("a response that the browser hides says so", async () => {
      await page.route("https://elsewhere.test/**", (route) => route.fulfill({ body: model, headers: { "access-control-allow-origin": "https://nobody.test" } }));
      await open();
      const [hidden, refused] = await page.evaluate(async () => {
        const url = "https://elsewhere.test/model.safetensors";
        return [await failure(api.load(fetch(url, { mode: "no-cors" }))), await failure(api.load(url))];
      });
      assert.deepEqual([hidden.ours, hidden.code, refused.ours, refused.code], [true, "FETCH_FAILED", true, "FETCH_FAILED"]);
      assert.match(hidden.message, /CORS/);
      assert.match(refused.message, /https:\/\/elsewhere\.test/);
    });

    test("a page in the model's place says so, and does not drive out the model that is kept", async () => {
      let now = { body: model, headers: { etag: '"1"' }, contentType: "application/octet-stream" };
      await page.route("**/kept.safetensors", (route) => (now ? route.fulfill(now) : route.abort()));
      await open();
      const look = () => page.evaluate(() => failure(api.load("kept.safetensors", { warmUp: false })));
      assert.equal(await look(), null);
      now = { body: "<!doctype html><title>Sign in</title>", headers: { etag: '"2"' }, contentType: "text/html" };
      const { ours, code, message } = await look();
      assert.deepEqual([ours, code], [true, "MODEL_INVALID"]);
      assert.match(message, /kept\.safetensors.*text\/html/);
      now = null;
      assert.equal(await look(), null, "the model that was kept is there without a network");
    });

    test("an address of the engine begins at the page", async () => {
      await page.route("**/engine.wasm", (route) => {
        const body = readFileSync(join(root, "js", "pkg", "saccade_rnn_bg.wasm"));
        return route.fulfill({ body, contentType: "application/wasm" });
      });
      await open();
      const found = await page.evaluate(async (path) => {
        const asked = [];
        await api.init({ wasm: "engine.wasm", onProgress: ({ done }) => asked.push(done) });
        const { tokens } = await (await api.load(path)).read("a film");
        return [tokens.length, asked.at(-1) > 100_000];
      }, SMALL);
      assert.deepEqual(found, [2, true]);
    });

    test("models that were forgotten are released", async () => {
      await open();
      const collector = await page.context().newCDPSession(page);
      await page.evaluate(async (thread) => {
        window.released = 0;
        const { default: init, Model } = await import(new URL("js/pkg/saccade_rnn.js", location.href).href);
        const [owner, name] = thread === "worker" ? [Worker.prototype, "postMessage"] : [Model.prototype, "free"];
        const original = owner[name];
        owner[name] = function (...given) {
          if (thread === "index" || given[0].name === "release") window.released += 1;
          return original.apply(this, given);
        };
        // A worker's is out of reach.
        window.memory = async () => (thread === "worker" ? 0 : (await init()).memory.buffer.byteLength);
      }, thread);
      const held = [];
      // Twenty that the collector has no time for meanwhile may take it to a new height, but not again and again.
      const grows = () => held.at(-1) > held.at(-3) + 2_400_000;
      while (held.length < 4 || (grows() && held.length < 12)) {
        await page.evaluate(async (path) => {
          for (let i = 0; i < 20; i++) await (await api.load(path, { warmUp: false })).read("a film");
        }, SMALL);
        const loaded = 20 * (held.length + 1);
        // The last ones may still be on the stack; collectors tell when they have time.
        await eventually(async () => {
          await collector.send("HeapProfiler.collectGarbage");
          const released = await page.evaluate(() => window.released);
          assert.ok(released >= loaded - 2, `${released} of ${loaded}`);
        });
        held.push(await page.evaluate(() => memory()));
      }
      assert.ok(!grows(), `${held}`);
    });

    test("a file that a person chose is a model", async () => {
      await open();
      await page.setContent("<!doctype html><input type=file>");
      await page.setInputFiles("input", [{ name: "mine.safetensors", mimeType: "", buffer: model }]);
      const [tokens, list, named] = await page.evaluate(async () => {
        const { files } = document.querySelector("input");
        const model = await api.load(files[0]);
        const { tokens } = await model.read("a film");
        const other = new File(["this is no model"], "notes.safetensors");
        return [tokens.length, await failure(api.load(files)), await failure(api.load(other))];
      });
      assert.equal(tokens, 2);
      assert.deepEqual([list.code, named.ours], ["OPTION_INVALID", true]);
      assert.match(list.message, /files\[0\]/);
      assert.match(named.message, /^notes\.safetensors: /);
    });
  });
}
