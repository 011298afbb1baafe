/** Arguments by example: what people write who come from PyTorch or from a framework, and what is said where it means nothing. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { address, bytesOf, devices, elsewhere, Elman, Gru, init, load, Lstm, Skim, Sru } from "./package.mjs";

const file = address("models/sst2-skim-lstm-small.safetensors");
const invalid = (message) => ({ name: "OptionError", code: "OPTION_INVALID", message });
const decisions = ({ tokens }) => tokens.map(({ decision }) => decision);

describe("a model", () => {
  let model;
  before(async () => (model = await load(file, { warmUp: false })));
  after(() => model.dispose());

  test("takes a text for a text alone", async () => {
    const reader = model.reader();
    for (const [wrong, found] of [[3, "3"], [true, "true"], [{}, "an object without keys"], [null, "null"], [undefined, "undefined"], [["a"], "an array of 1"], [new String("a"), "a String object"], [1n, "1n \\(a bigint\\)"], [Symbol("a"), "Symbol\\(a\\)"]]) {
      const calls = {
        read: () => model.read(wrong),
        tokenize: () => model.tokenize(wrong),
        hidden: () => model.hidden(wrong),
        stream: () => model.stream(wrong).next(),
        update: () => reader.update(wrong),
        append: () => reader.append(wrong),
      };
      for (const [name, call] of Object.entries(calls)) {
        await assert.rejects(call(), invalid(new RegExp(`^${name}: text: expected a string, found ${found}$`)));
      }
      await assert.rejects(model.readAll([wrong]), invalid(/^readAll: texts\[0\]: expected a string, found /));
    }
    await assert.rejects(model.readAll("a good film"), invalid(/texts: expected .*found "a good film" \(a string\): give one text in an array$/));
    const throwing = { *[Symbol.iterator]() { yield "a"; throw new Error("mine"); } };
    await assert.rejects(model.readAll(throwing), invalid(/^readAll: texts\[1\]: it cannot be read \(mine\)$/));
    await assert.rejects(model.read("a", "b"), invalid(/options: expected an object, found "b"/));
    await assert.rejects(model.tokenize("a", {}), invalid(/^tokenize: expected text, found 2 arguments$/));
    await assert.rejects(model.save(1), invalid(/^save: expected nothing, found 1 argument$/));
    assert.equal((await model.readAll(new Set(["a", "b"]))).length, 2);
  });

  test("refuses an option that it does not understand, and names the nearest", async () => {
    for (const [options, message] of [
      [{ treshold: 0.5 }, "treshold: there is no such option; did you mean threshold?"],
      [{ Threshold: 0.5 }, "Threshold: there is no such option; did you mean threshold?"],
      [{ measure_ms: 1 }, "measure_ms: there is no such option; did you mean measureMs?"],
      [{ temperature: 1 }, "temperature: there is no such option; there are signal, onProgress, device, threshold, force, measureMs"],
      [{ threshold: "0.5" }, 'threshold: expected a number from 0 to 1, found "0.5" (a string)'],
      [{ threshold: new Number(1) }, "threshold: expected a number from 0 to 1, found a Number object"],
      [{ threshold: NaN }, "threshold: expected a number from 0 to 1, found NaN"],
      [{ device: "gpu" }, 'device: expected "cpu", "webgpu", "auto" or "webgpu-only", found "gpu" (a string)'],
      [{ signal: new AbortController() }, "signal: expected an AbortSignal, found an AbortController"],
      [{ signal: { aborted: true } }, "signal: expected an AbortSignal, found an object with aborted"],
      [{ force: { film: "read" } }, 'force: expected numbers of tokens or rows, found "film" (a string)'],
      [{ force: [true] }, 'force[0]: expected "read" or "skim", found true'],
      [{ get threshold() { throw new Error("mine"); } }, "threshold: it cannot be read (mine)"],
    ]) {
      await assert.rejects(model.read("a", options), (error) => {
        assert.deepEqual([error.code, error.message], ["OPTION_INVALID", `read: options.${message}`]);
        return true;
      });
    }
    for (const options of [[], new Map([["threshold", 0.5]]), () => 0.5, new AbortController().signal, new Date(), 0.5]) {
      await assert.rejects(model.read("a", options), invalid(/^read: options: expected an object, found /));
    }
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    await assert.rejects(model.read("a", proxy), invalid(/^read: /));
    await assert.rejects(async () => model.reader({ device: "cpu" }), invalid(/^reader: options.device: there is no such option/));
    await assert.rejects(model.readAll(["a"], { force: {} }), invalid(/force: there is no such option/));
    await assert.rejects(model.stream("a", { measureMs: 1 }).next(), invalid(/measureMs: there is no such option/));
  });

  test("takes options from wherever they are", async () => {
    const expected = decisions(await model.read("a good film", { threshold: 1 }));
    assert.deepEqual(expected, ["read", "read", "read"]);
    class Options {
      get threshold() {
        return 1;
      }
    }
    const polluted = { threshold: 1 };
    for (const options of [{ threshold: 1, device: undefined, force: null }, new Proxy({ threshold: 1 }, {}), Object.create({ threshold: 1 }), new Options(), polluted]) {
      if (options === polluted) Object.prototype.everywhere = "put there by a library";
      try {
        assert.deepEqual(decisions(await model.read("a good film", options)), expected);
      } finally {
        delete Object.prototype.everywhere;
      }
    }
    assert.ok(await model.read("a", null));
    assert.ok(await model.read("a", { threshold: -0 }));
  });

  test("takes decisions as an object, an array or a map", async () => {
    for (const force of [{ 0: "skim", 2: "skim" }, ["skim", , "skim"], ["skim", null, "skim"], new Map([[0, "skim"], [2, "skim"]])]) {
      assert.deepEqual(decisions(await model.read("a good film", { threshold: 1, force })), ["skim", "read", "skim"]);
    }
    assert.deepEqual(decisions(await model.read("a good film", { threshold: 1, force: new Map() })), ["read", "read", "read"]);
    await assert.rejects(model.read("a", { force: new Map([["0", "skim"]]) }), invalid(/force: expected numbers/));
    await assert.rejects(model.read("a", { force: { 1: "skim" } }), invalid(/no token 1/));
  });
});

test("load, init and devices refuse what they do not understand", async () => {
  const loaded = (options) => load(file, options);
  await assert.rejects(loaded({ threshold: 0.5 }), invalid(/^load: options.threshold: there is no such option; there are/));
  await assert.rejects(loaded({ variant: "fast" }), invalid(/^load: options.variant: expected "simd", "relaxed" or "auto", found "fast"/));
  await assert.rejects(loaded({ device: "gpu" }), invalid(/^load: options.device: expected/));
  await assert.rejects(loaded({ cache: "no" }), invalid(/^load: options.cache: expected true or false/));
  await assert.rejects(loaded({ onprogress: () => undefined }), invalid(/did you mean onProgress\?$/));
  await assert.rejects(init({ wasm: 3 }), invalid(/^init: options.wasm: expected an address/));
  await assert.rejects(devices({ Variant: "simd" }), invalid(/^devices: options.Variant: .*did you mean variant/));
});

describe("a layer", () => {
  const sizes = { inputSize: 3, hiddenSize: 2, seed: 1 };
  const x = Float32Array.of(1, 2, 3);

  test("has the names of its sizes", async () => {
    await assert.rejects(Lstm.random({ input_size: 3, hidden_size: 2 }), invalid("Lstm.random: sizes.input_size: there is no such option; did you mean inputSize?"));
    await assert.rejects(Gru.random({ inputSize: 3 }), invalid(/^Gru.random: sizes.hiddenSize: expected a whole number from 0 to 2 \*\* 31 - 1, found undefined$/));
    await assert.rejects(Elman.random({ ...sizes, nonlinearity: "gelu" }), invalid(/nonlinearity: expected "tanh" or "relu"/));
    await assert.rejects(Lstm.random(3, 2), invalid(/^Lstm.random: expected sizes, found 2 arguments$/));
    await assert.rejects(Lstm.random(), invalid(/^Lstm.random: sizes: expected an object, found undefined$/));
    await assert.rejects(Lstm.random({ ...sizes, inputSize: "3" }), invalid(/sizes.inputSize: expected a whole number/));
    const bytes = await bytesOf("crate/tests/fixtures/lstm/2l_bi.safetensors");
    await assert.rejects(Lstm.fromSafetensors(bytes, { prefix: "param.", hiddenSize: 2 ** 32 - 1 }), invalid(/choices.hiddenSize: expected a whole number/));
    await assert.rejects(Lstm.fromSafetensors(bytes, { prefx: "param." }), invalid(/^Lstm.fromSafetensors: choices.prefx: .*did you mean prefix/));
    await assert.rejects(Lstm.fromSafetensors(bytes, { prefix: "param.", v1: true }), invalid(/choices.v1: there is no such option/));
  });

  test("takes rows as they come", async () => {
    const lstm = await Lstm.random(sizes);
    const { output } = await lstm.forward(Float32Array.of(1, 2, 3, 4, 5, 6));
    const Other = (await elsewhere()).Float32Array;
    for (const rows of [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]], [x, [4, 5, 6]], Float64Array.of(1, 2, 3, 4, 5, 6), Uint8Array.of(1, 2, 3, 4, 5, 6), Other.of(1, 2, 3, 4, 5, 6)]) {
      assert.deepEqual([...(await lstm.forward(rows)).output], [...output]);
    }
    const detached = Float32Array.of(1, 2, 3);
    structuredClone(detached, { transfer: [detached.buffer] });
    for (const [rows, message] of [
      [[[1, 2], [3, 4], [5, 6]], /^forward: x\[0\]: expected a row of 3 numbers, found an array of 2$/],
      [[[1, 2, 3], [4]], /^forward: x\[1\]: expected a row of 3 numbers/],
      [[1, 2], /^forward: x: expected rows of 3 numbers, found 2 numbers$/],
      [["1", "2", "3"], /^forward: x\[0\]: expected a number, found "1"/],
      [[1, , 3], /^forward: x\[1\]: expected a number, found undefined/],
      ["abc", /^forward: x: expected rows of 3 numbers in a Float32Array/],
      [BigInt64Array.of(1n, 2n, 3n), /found a BigInt64Array of 3$/],
      [new DataView(new ArrayBuffer(12)), /found a DataView$/],
      [new Proxy(x, {}), /found a proxy of a Float32Array: give the array itself$/],
      [detached, /detached/],
    ]) {
      await assert.rejects(lstm.forward(rows), invalid(message));
    }
  });

  test("takes lengths by any array of whole numbers", async () => {
    const lstm = await Lstm.random(sizes);
    const rows = [x, x, x];
    const { output } = await lstm.forward(rows, { lengths: [1, 2] });
    for (const lengths of [Int32Array.of(1, 2), BigInt64Array.of(1n, 2n), Float64Array.of(1, 2), new Proxy([1, 2], {})]) {
      assert.deepEqual((await lstm.forward(rows, { lengths })).output, output);
    }
    for (const lengths of [[1, 1], [1.5, 1.5], [-1, 4], ["1", "2"], "12", 3, [1n, 2n], []]) {
      await assert.rejects(lstm.forward(rows, { lengths }), invalid(/^forward: options.lengths/));
    }
  });

  test("takes a state as it gave it, or as PyTorch writes it, and no other", async () => {
    const lstm = await Lstm.random({ ...sizes, numLayers: 2 });
    const first = await lstm.forward(x);
    const { h, c } = first.state;
    const { output } = await lstm.forward(x, { state: first.state });
    assert.ok(output.some((value, i) => value !== first.output[i]), "the state matters");
    for (const state of [{ h, c }, [h, c], first, [[...h], [...c]], { h: Float64Array.from(h), c: [...c] }, new Proxy({ h, c }, {})]) {
      assert.deepEqual((await lstm.forward(x, { state })).output, output);
    }
    const longer = new Float32Array(h.length + 1);
    const shorter = new Float32Array(c.length - 1);
    for (const [state, message] of [
      [h, /expected \{ h, c \}, \[h, c\], or an earlier result, found a Float32Array of 4$/],
      [{ h }, /found an object with h$/],
      [{}, /found an object without keys$/],
      [{ hidden: h, cell: c }, /found an object with hidden, cell$/],
      [{ h_n: h, c_n: c }, /found an object with h_n, c_n$/],
      [{ h, C: c }, /found an object with h, C$/],
      [[h], /found an array of 1$/],
      [[h, c, c], /found an array of 3$/],
      [new Map([["h", h], ["c", c]]), /found a Map$/],
      [{ h: longer, c: shorter }, /expected as many numbers in h as in c, found 5 and 3$/],
      [{ h: longer, c: longer }, /state: expected 8 .*found 10$/],
      [{ h: [], c: [] }, /it has no numbers$/],
      [{ h: "1234", c }, /state.h: expected numbers/],
    ]) {
      await assert.rejects(lstm.forward(x, { state }), invalid(message));
    }
    for (const [given, message] of [[[x, [h, c]], /options: expected an object, found an array of 2/], [[x, h, c], /expected x, options, found 3 arguments/], [[x, { h, c }], /options.h: there is no such option; there are device, state/], [[x, { hx: h }], /options.hx/]]) {
      await assert.rejects(lstm.forward(...given), invalid(message));
    }
    for (const Kind of [Gru, Elman, Sru]) {
      const layer = await Kind.random(sizes);
      const first = await layer.forward(x);
      const [[name, values]] = Object.entries(first.state);
      const { output } = await layer.forward(x, { state: first.state });
      for (const state of [values, [...values], first, { [name]: values, other: undefined }]) {
        assert.deepEqual((await layer.forward(x, { state })).output, output);
      }
      for (const state of [{ [name === "h" ? "c" : "h"]: values }, { h: values, c: values }, [values], values.subarray(1)]) {
        await assert.rejects(layer.forward(x, { state }), { code: "OPTION_INVALID" });
      }
    }
  });

  test("decides nothing unless it is a Skim layer", async () => {
    const lstm = await Lstm.random(sizes);
    await assert.rejects(lstm.forward(x, { threshold: 0.5 }), invalid(/options.threshold: there is no such option/));
    await assert.rejects(lstm.forward(x, { force: { 0: "skim" } }), invalid(/options.force: there is no such option/));
    const skim = await Skim.random({ ...sizes, smallSize: 1 });
    for (const force of [{ 0: "skim" }, ["skim"], new Map([[0, "skim"]])]) {
      assert.deepEqual([...(await skim.forward(x, { threshold: 1, force })).decisions], [1]);
    }
  });
});
