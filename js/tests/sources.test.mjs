/** Whatever holds a file gives a model or a layer; whatever holds none says so. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fixture } from "./fixture.mjs";
import { address, bytesOf, elsewhere, inNode, load, Lstm, SaccadeError } from "./package.mjs";

const SMALL = "models/sst2-skim-lstm-small.safetensors";
const CHOICES = { prefix: "param." };
const QUICK = { warmUp: false };

/** Everything that holds these bytes. */
async function holders(bytes) {
  const whole = bytes.slice().buffer;
  const around = new Uint8Array(bytes.length + 24);
  around.set(bytes, 8);
  const shared = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true }).buffer;
  new Uint8Array(shared).set(bytes, 8);
  const odd = bytes.length % 2 === 0 ? new Uint16Array(whole) : new Int8Array(whole);
  const blob = new Blob([bytes]);
  const realm = await elsewhere();
  const foreign = new realm.Uint8Array(bytes.length + 8);
  foreign.set(bytes, 8);
  const all = {
    "a Uint8Array": bytes,
    "its buffer": whole,
    "a part of an array": around.subarray(8, 8 + bytes.length),
    "shared memory": new Uint8Array(shared, 8, bytes.length),
    "a DataView": new DataView(around.buffer, 8, bytes.length),
    "an array of other numbers": odd,
    "an array of another realm": foreign.subarray(8),
    "a view of another realm": new realm.DataView(foreign.buffer, 8),
    "a buffer of another realm": foreign.slice(8).buffer,
    "a Blob": blob,
    "a Response": new Response(bytes),
    "a Response of a Blob": new Response(blob),
    "a Request": new Request(URL.createObjectURL(blob)),
    "a promise": Promise.resolve(bytes),
    "a promise of a promise of a Response": Promise.resolve(Promise.resolve(new Response(bytes))),
    "what has a then": { then: (resolve) => resolve(blob) },
  };
  if (typeof SharedArrayBuffer === "function") {
    all["a SharedArrayBuffer"] = new SharedArrayBuffer(bytes.length);
    new Uint8Array(all["a SharedArrayBuffer"]).set(bytes);
  }
  if (typeof File === "function") all["a File"] = new File([bytes], "model.safetensors");
  if (typeof Buffer === "function") all["a Buffer"] = Buffer.from(bytes);
  if (realm.Blob) Object.assign(all, { "a Blob of another realm": new realm.Blob([bytes]), "a Response of another realm": new realm.Response(bytes) });
  return all;
}

describe("what holds a file", () => {
  let bytes, layer;
  before(async () => {
    bytes = await bytesOf(SMALL);
    layer = fixture("lstm", "1l_uni").bytes;
  });

  test("gives a model", async () => {
    const expected = await load(bytes, QUICK);
    const { scores } = await expected.read("a generous film");
    for (const [what, source] of Object.entries(await holders(bytes))) {
      const model = await load(source, QUICK).catch((error) => assert.ok(false, `${what}: ${error.stack}`));
      assert.deepEqual((await model.read("a generous film")).scores, scores, what);
      model.dispose();
    }
    for (const place of [address(SMALL), address(SMALL).href, Promise.resolve(address(SMALL))]) {
      (await load(place, QUICK)).dispose();
    }
    assert.ok(bytes.length > 0, "the caller's bytes stay the caller's");
  });

  test("gives a layer", async () => {
    const x = new Float32Array(2 * (await Lstm.fromSafetensors(layer, CHOICES)).inputSize).fill(0.5);
    const { output } = await (await Lstm.fromSafetensors(layer, CHOICES)).forward(x);
    for (const [what, source] of Object.entries(await holders(layer))) {
      const found = await Lstm.fromSafetensors(source, CHOICES).catch((error) => assert.ok(false, `${what}: ${error.stack}`));
      assert.deepEqual((await found.forward(x)).output, output, what);
      found.dispose();
    }
  });

  test("may be written into as soon as the call returns", async () => {
    const [mine, its] = [bytes.slice(), layer.slice()];
    const both = [load(mine, QUICK), Lstm.fromSafetensors(its, CHOICES)];
    mine.fill(0);
    its.fill(0);
    for (const held of await Promise.all(both)) held.dispose();
  });
});

describe("what holds none", () => {
  const url = "https://example.org/model.safetensors";
  const used = async (bytes) => {
    const response = new Response(bytes);
    await response.arrayBuffer();
    return response;
  };
  const given = (bytes) => structuredClone(bytes, { transfer: [bytes.buffer ?? bytes] });
  const gone = (bytes) => [given(bytes), bytes][1];

  const revoked = (value) => {
    const { proxy, revoke } = Proxy.revocable(value, {});
    revoke();
    return proxy;
  };

  const cases = {
    undefined: [() => undefined, "OPTION_INVALID", /expected .*found undefined/],
    null: [() => null, "OPTION_INVALID", /found null/],
    "a number": [() => 3, "OPTION_INVALID", /found 3/],
    "true": [() => true, "OPTION_INVALID", /found true/],
    "a symbol": [() => Symbol("x"), "OPTION_INVALID", /Symbol/],
    "a function": [() => load, "OPTION_INVALID", /a function/],
    "an object": [() => ({}), "OPTION_INVALID", /an object/],
    "an object without a prototype": [() => Object.create(null), "OPTION_INVALID", /an object/],
    "an array of numbers": [() => [1, 2, 3], "OPTION_INVALID", /Uint8Array\.from/],
    "a stream": [() => new ReadableStream(), "OPTION_INVALID", /new Response\(stream\)/],
    "an empty string": [() => "", "OPTION_INVALID", /""/],
    "a proxy that was revoked": [() => revoked({}), "OPTION_INVALID", /cannot be read/],
    "what throws when it is asked": [() => ({ get then() { throw new TypeError("mine"); } }), "OPTION_INVALID", /mine/],
    "what only says that it is a Response": [() => ({ [Symbol.toStringTag]: "Response", status: 200, ok: true }), "OPTION_INVALID", /cannot be read/],
    "a proxy of bytes": [() => new Proxy(new Uint8Array(9), {}), "OPTION_INVALID", /proxy/],
    // In Node they are as good as what they stand for.
    ...(!inNode && {
      "a proxy of a Blob": [() => new Proxy(new Blob(["x"]), {}), "OPTION_INVALID", /proxy/],
      "a proxy of a Response": [() => new Proxy(new Response("x"), {}), "OPTION_INVALID", /proxy/],
    }),
    "a Response that was read": [() => used("x"), "OPTION_INVALID", /clone/],
    "a Response that is none": [() => new Response("not here", { status: 404 }), "FETCH_FAILED", /404/],
    "an error's Response": [() => Response.error(), "FETCH_FAILED", /status 0/],
    "a buffer that was transferred": [() => gone(new ArrayBuffer(9)), "OPTION_INVALID", /transferred/],
    "an array whose buffer was": [() => gone(new Uint8Array(9)), "OPTION_INVALID", /transferred/],
    "a view whose buffer was": [() => gone(new DataView(new ArrayBuffer(9))), "OPTION_INVALID", /transferred/],
    "no bytes": [() => new Uint8Array(), "MODEL_TRUNCATED", /empty/],
    "an empty Blob": [() => new Blob(), "MODEL_TRUNCATED", /empty/],
    "an empty Response": [() => new Response(null, { status: 204 }), "MODEL_TRUNCATED", /empty/],
    "a page": [
      () => new Response("<!doctype html><title>x</title>", { headers: { "content-type": "text/html; charset=utf-8" } }),
      "MODEL_INVALID",
      /the response.*text\/html/,
    ],
    "a promise that was rejected": [() => Promise.reject(new TypeError("mine")), "FETCH_FAILED", /mine/],
    "a promise that was rejected with nothing": [() => Promise.reject(), "FETCH_FAILED", /undefined/],
    "a request that was aborted": [() => Promise.reject(new DOMException("stop", "AbortError")), "ABORTED", /aborted/],
    "a promise of nothing": [() => Promise.resolve(), "OPTION_INVALID", /found undefined/],
  };

  for (const [what, [make, code, message]] of Object.entries(cases)) {
    test(what, async () => {
      for (const take of [(source) => load(source, QUICK), (source) => Lstm.fromSafetensors(source)]) {
        const made = make();
        const source = what.startsWith("a Response that was") ? await made : made;
        await assert.rejects(take(source), (error) => {
          assert.ok(error instanceof SaccadeError, `${error}`);
          assert.equal(error.code, code, `${error.code}: ${error.message}`);
          assert.match(error.message, message);
          return true;
        });
      }
    });
  }

  test("an address, for a layer", async () => {
    for (const source of [url, new URL(url), "model.safetensors"]) {
      await assert.rejects(Lstm.fromSafetensors(source), { code: "OPTION_INVALID", message: /fetch\(address\)/ });
    }
  });

  test("an address of nothing", async () => {
    const places = {
      "http://": ["OPTION_INVALID", /no whole address/],
      "http://127.0.0.1:1/": ["FETCH_FAILED", /127\.0\.0\.1/],
      "data:text/html,<!doctype html>": ["MODEL_INVALID", /text\/html/],
      "nothing:at-all": ["FETCH_FAILED", /nothing:at-all/],
      ...(inNode
        ? {
            "not/there.safetensors": ["FETCH_FAILED", /ENOENT.*relative paths begin at/],
            [address("models").pathname]: ["FETCH_FAILED", /EISDIR.*the file in it/],
            [address("models").href]: ["FETCH_FAILED", /EISDIR/],
            "file://elsewhere/model": ["FETCH_FAILED", /elsewhere|host|URL must be/],
            "a\0b": ["FETCH_FAILED", /null bytes/],
          }
        : {
            "file:///home/me/model.safetensors": ["FETCH_FAILED", /a page cannot open files/],
            "C:\\models\\model.safetensors": ["FETCH_FAILED", /a page cannot open files/],
            "not/there.safetensors": ["FETCH_FAILED", /404/],
          }),
    };
    for (const [place, [code, message]] of Object.entries(places)) {
      await assert.rejects(load(place, QUICK), (error) => {
        assert.ok(error instanceof SaccadeError, `${place}: ${error}`);
        assert.equal(error.code, code, `${place}: ${error.code} ${error.message}`);
        assert.match(error.message, message);
        return true;
      });
    }
  });

  test("an error of the package's own stays as it is", async () => {
    const error = await load(undefined).catch((error) => error);
    await assert.rejects(load(Promise.reject(error)), (found) => found === error);
  });

  test("a request is stopped by its own signal too", async () => {
    const signal = AbortSignal.abort("enough");
    for (const options of [QUICK, { ...QUICK, signal: new AbortController().signal }]) {
      await assert.rejects(load(new Request(url, { signal }), options), { code: "ABORTED", cause: "enough" });
    }
  });

  test("a promise that never comes is given up when the signal says so", async () => {
    const stop = new AbortController();
    const loading = load(new Promise(() => undefined), { signal: stop.signal });
    setTimeout(() => stop.abort("enough"), 20);
    await assert.rejects(loading, { code: "ABORTED", cause: "enough" });
  });
});

test("every download has a total, whether the engine was there or not", async () => {
  const bytes = await bytesOf(SMALL);
  const headers = { "content-length": String(bytes.length) };
  for (const source of [() => new Response(bytes, { headers }), () => bytes, () => new Blob([bytes]), () => new Response(bytes)]) {
    for (let i = 0; i < 2; i++) {
      const told = [];
      const model = await load(source(), { ...QUICK, onProgress: (progress) => told.push(progress) });
      const { done, total } = told.at(-1);
      assert.ok(done >= bytes.length && total === done, JSON.stringify(told));
      // Once the engine is there.
      const announced = source().headers?.has("content-length");
      if (i === 1 && announced) assert.ok(told.every(({ total }) => total === bytes.length), JSON.stringify(told));
      model.dispose();
    }
  }
});

test("a response that is longer than it says has no total until its end", async () => {
  const bytes = await bytesOf(SMALL);
  for (const length of ["1000", "many"]) {
    const told = [];
    const source = new Response(bytes, { headers: { "content-length": length } });
    (await load(source, { ...QUICK, onProgress: (progress) => told.push(progress) })).dispose();
    assert.ok(told.every(({ done, total }) => total === null || done <= total), JSON.stringify(told));
    assert.equal(told.at(-1).total, told.at(-1).done);
  }
});
