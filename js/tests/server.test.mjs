/** Models from a server, in Node. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { address, load } from "./package.mjs";

const file = address("models/sst2-skim-lstm-small.safetensors");

describe("from a server", () => {
  const bytes = readFileSync(file);
  const hash = (algorithm) => `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
  /** What the server has under an `ETag`. */
  let tagged = bytes;
  let server;
  let url;
  before(async () => {
    server = createServer((request, response) => {
      if (request.url === "/none") response.writeHead(404).end();
      else if (request.url === "/cut") {
        response.writeHead(200, { "content-length": bytes.length });
        response.write(bytes.subarray(0, 1000), () => response.destroy());
      } else if (request.url === "/tagged") response.writeHead(200, { etag: '"1"' }).end(tagged);
      else response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => server.close());

  test("with its progress", async () => {
    const told = [];
    const model = await load(`${url}/model`, { onProgress: (progress) => told.push(progress) });
    assert.equal(told.at(-1).done, bytes.length);
    for (const source of [new URL(`${url}/model`), new Request(`${url}/model`), await fetch(`${url}/model`)]) {
      (await load(source)).dispose();
    }
    model.dispose();
  });

  test("a response is let go of by the signal, and comes no more", { timeout: 60_000 }, async () => {
    let cancelled;
    const gone = new Promise((resolve) => (cancelled = resolve));
    const waiting = new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(1000)), cancel: cancelled });
    await assert.rejects(load(new Response(waiting), { signal: AbortSignal.timeout(50) }), { code: "ABORTED" });
    await gone;
  });

  test("where to look at what is kept throws, as in a sandboxed frame", async (t) => {
    const get = () => {
      throw new DOMException("the context is sandboxed", "SecurityError");
    };
    Object.defineProperty(globalThis, "caches", { get, configurable: true });
    t.after(() => delete globalThis.caches);
    (await load(`${url}/model`)).dispose();
  });

  /** A Cache API for one test, and what is in it by address. */
  function cached(t, faults = {}) {
    const kept = new Map();
    const cache = {
      keys: async () => [...kept.keys()].map((url) => ({ url })),
      match: async (url) => kept.get(url)?.clone(),
      delete: async ({ url }) => kept.delete(url),
      put: async (url, response) => void kept.set(url, response),
      ...faults,
    };
    Object.defineProperty(globalThis, "caches", { value: { open: async () => cache }, configurable: true });
    t.after(() => delete globalThis.caches);
    return kept;
  }
  const quick = { warmUp: false };
  const fails = async () => {
    throw new DOMException("the disk is broken", "UnknownError");
  };

  test("and a cache that fails is none", async (t) => {
    // One is kept, or two where the other version cannot be listed: by its ETag and by its hash.
    for (const [faults, count] of [
      [{ match: fails }, 1],
      // As in Deno.
      [{ keys: undefined }, 2],
      [{ keys: fails }, 2],
      [{ put: fails }, 0],
      [{ keys: fails, match: fails, put: fails }, 0],
    ]) {
      const kept = cached(t, faults);
      for (const integrity of [undefined, hash("sha256")]) {
        for (let times = 0; times < 2; times++) (await load(`${url}/tagged`, { ...quick, ...(integrity && { integrity }) })).dispose();
      }
      assert.equal(kept.size, count);
      await assert.rejects(load("http://127.0.0.1:1/"), { code: "FETCH_FAILED" });
    }
  });

  test("and a response that the kept file stands in for is left unread, and let go of", async (t) => {
    const kept = cached(t);
    const integrity = hash("sha256");
    (await load(`${url}/tagged`, { ...quick, integrity })).dispose();
    assert.equal(kept.size, 1);
    const response = await fetch(`${url}/tagged`);
    (await load(response, { ...quick, integrity })).dispose();
    // A stream that was cancelled is at its end.
    assert.deepEqual(await response.body.getReader().read(), { done: true, value: undefined });
  });

  test("and no file is kept that is no model", async (t) => {
    const kept = cached(t);
    for (const bad of [new TextEncoder().encode("not yet here"), bytes.subarray(0, bytes.length - 1)]) {
      tagged = bad;
      await assert.rejects(load(`${url}/tagged`, quick), { name: "ModelError" });
      assert.equal(kept.size, 0);
    }
    tagged = bytes;
    (await load(`${url}/tagged`, quick)).dispose();
    const [[, response]] = kept;
    assert.deepEqual(new Uint8Array(await response.clone().arrayBuffer()), new Uint8Array(bytes));
    // From then on it is the one that is read.
    tagged = new TextEncoder().encode("gone again");
    (await load(`${url}/tagged`, quick)).dispose();
    tagged = bytes;
  });

  test("with hashes", async () => {
    for (const algorithm of ["sha256", "sha384", "sha512"]) {
      (await load(`${url}/model`, { integrity: hash(algorithm) })).dispose();
      (await load(bytes, { integrity: `${hash(algorithm)} ${algorithm}-AAAA` })).dispose();
    }
    await assert.rejects(load(`${url}/model`, { integrity: "sha256-AAAA" }), { code: "INTEGRITY_MISMATCH" });
    // The strongest counts, as in HTML.
    await assert.rejects(load(bytes, { integrity: `${hash("sha256")} sha512-AAAA` }), { code: "INTEGRITY_MISMATCH" });
    await assert.rejects(load(bytes, { integrity: "md5-AAAA" }), { code: "OPTION_INVALID" });
  });

  test("that does not have it, or goes away", async () => {
    await assert.rejects(load(`${url}/none`), { name: "FetchError", code: "FETCH_FAILED", message: /404/ });
    await assert.rejects(load(`${url}/cut`), { code: "FETCH_FAILED" });
    await assert.rejects(load("http://127.0.0.1:1/"), { code: "FETCH_FAILED" });
  });
});
