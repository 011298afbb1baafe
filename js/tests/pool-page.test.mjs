/** Workers that answer for a model, in a page without cross-origin isolation: what is fetched, how they end, one that dies. */

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { inChromium, open as openBlank, page, renew } from "./blank.mjs";

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const TAGGER = "models/ewt-tagger.safetensors";

for (const thread of ["index", "worker"]) {
  describe(`workers in a page: ${thread}`, { timeout: 600_000 }, () => {
    let fetched;
    inChromium();
    beforeEach(async () => {
      await renew();
      fetched = [];
      page.context().on("request", (request) => fetched.push(new URL(request.url()).pathname.split("/").at(-1)));
    });

    /** The engine's own worker, if it has one. */
    const own = thread === "worker" ? 1 : 0;

    async function open(policy = "") {
      await openBlank({ headers: policy ? { "content-security-policy": policy } : {} });
      await page.evaluate(async (thread) => {
        const api = await import(new URL(`js/dist/${thread}.js`, location.href).href);
        const failure = (promise) => promise.then(() => null, ({ name, code, message }) => ({ name, code, message }));
        const some = (count) => Array.from({ length: count }, (_, i) => `a good film, and another, and number ${i}`);
        const untimed = (all) => JSON.stringify(all.map(({ timing, ...answer }) => answer));
        Object.assign(window, { api, failure, some, untimed });
      }, thread);
    }

    /** Waits until the page has so many workers beside the engine's own. */
    async function left(count) {
      for (let turns = 0; page.workers().length > own + count && turns < 5000; turns++) await page.waitForTimeout(10);
      assert.equal(page.workers().length, own + count);
    }

    test("answer as the model does alone; nothing is fetched twice, and nothing more until they are wanted", async () => {
      await open();
      assert.equal(await page.evaluate(() => crossOriginIsolated), false);
      await page.evaluate(async (file) => void (window.model = await api.load(file, { cache: false })), SMALL);
      assert.equal(page.workers().length, own);
      if (thread === "index") assert.ok(!fetched.some((name) => /^(workers|worker-entry|remote)\.js$/.test(name)), fetched.join(" "));
      const same = await page.evaluate(async () => {
        const alone = untimed(await model.readAll(some(500)));
        return alone === untimed(await model.readAll(some(500), { workers: 2 }));
      });
      assert.equal(same, true);
      assert.equal(page.workers().length, own + 2);
      const of = (pattern) => fetched.filter((name) => pattern.test(name)).length;
      assert.deepEqual([of(/\.wasm$/), of(/\.safetensors$/)], [1, 1]);
      await page.evaluate(() => model.dispose());
      await left(0);
    });

    test("stream endless texts with few in memory, and end when they are left", async () => {
      await open();
      const [taken, tags] = await page.evaluate(async (file) => {
        const tagger = await api.load(file, { task: "tag", warmUp: false });
        let [taken, tags] = [0, 0];
        async function* endless() {
          for (;;) yield `Word ${taken++} was good.`;
        }
        for await (const { tokens } of tagger.tagAll(endless(), { workers: 2 })) {
          tags += tokens.length;
          if (tags > 1500) break;
        }
        return [taken, tags];
      }, TAGGER);
      assert.ok(tags > 1500 && taken <= 300 + 6 * 256, `${taken} were taken`);
      await left(0);
    });

    test("stop by one signal", async () => {
      await open();
      const stopped = await page.evaluate(async (file) => {
        window.model = await api.load(file);
        const stop = new AbortController();
        return failure(model.readAll(some(20_000), { workers: 2, signal: stop.signal, onProgress: () => stop.abort() }));
      }, SMALL);
      assert.deepEqual([stopped.name, stopped.code], ["AbortError", "ABORTED"]);
      await left(0);
    });

    test("one that dies rejects the call and takes the others with it; the model goes on", async () => {
      await open();
      const [died, length] = await page.evaluate(async (file) => {
        const entry = new URL("js/dist/worker-entry.js", location.href).href;
        const mortal = `import ${JSON.stringify(entry)}; let asked = 0; addEventListener("message", () => { if (++asked > 4) setTimeout(() => { throw new Error("no more"); }); });`;
        window.model = await api.load(file);
        let made = 0;
        const body = (mortality) => new Blob([mortality ? mortal : `import ${JSON.stringify(entry)};`], { type: "text/javascript" });
        api.useWorker(() => new Worker(URL.createObjectURL(body(made++ === 0)), { type: "module" }));
        const died = await failure(model.readAll(some(20_000), { workers: 2 }));
        return [died, (await model.readAll(some(300), { workers: 2 })).length];
      }, SMALL);
      assert.deepEqual([died.name, died.code], ["EngineError", "ENGINE_FAILED"]);
      assert.match(died.message, /^a worker of this call failed.*no more/);
      assert.equal(length, 300);
      await left(2);
    });

    test("workers that a policy or an address forbids are named", async () => {
      if (thread === "worker") return;
      await open("worker-src 'none'");
      const { code, message } = await page.evaluate(async (file) => {
        window.model = await api.load(file);
        return failure(model.readAll(some(300), { workers: 2 }));
      }, SMALL);
      assert.equal(code, "ENGINE_FAILED");
      assert.match(message, /worker-src/);
      assert.equal(await page.evaluate(async () => (await model.readAll(some(3))).length), 3);
    });
  });
}
