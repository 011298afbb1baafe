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
  let server;
  let url;
  before(async () => {
    server = createServer((request, response) => {
      if (request.url === "/none") response.writeHead(404).end();
      else if (request.url === "/cut") {
        response.writeHead(200, { "content-length": bytes.length });
        response.write(bytes.subarray(0, 1000), () => response.destroy());
      } else response.writeHead(200, { "content-length": bytes.length }).end(bytes);
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

  test("where to look at what is kept throws, as in a sandboxed frame", async (t) => {
    const get = () => {
      throw new DOMException("the context is sandboxed", "SecurityError");
    };
    Object.defineProperty(globalThis, "caches", { get, configurable: true });
    t.after(() => delete globalThis.caches);
    (await load(`${url}/model`)).dispose();
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
