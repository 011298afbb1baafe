/** Layers by themselves: a PyTorch checkpoint computes here what it computed there. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cases, difference, fixture } from "./fixture.mjs";
import { Elman, Gru, Lstm, Skim, Sru, hasGpu } from "./package.mjs";

const BOUND = 1e-5;

/** The options that shapes cannot tell. */
function choices({ kind, nonlinearity, v1, rescale, has_skip_term, use_tanh, bidirectional, normalize_after }) {
  if (kind === "elman") return { nonlinearity };
  if (kind !== "sru") return {};
  const others = { rescale, hasSkipTerm: has_skip_term, useTanh: use_tanh, bidirectional, normalizeAfter: normalize_after };
  return { v1, ...others };
}

async function agrees(Kind, family, name, where = { prefix: "param." }) {
  const { case: described, bytes, tensors } = fixture(family, name);
  const layer = await Kind.fromSafetensors(bytes, { ...where, ...choices({ kind: family, ...described }) });
  const lengths = [...tensors["input.lengths"]];
  const given = Object.fromEntries(["h", "c"].flatMap((s) => (tensors[`input.${s}0`] ? [[s, tensors[`input.${s}0`]]] : [])));
  const force = Object.fromEntries(
    [...(tensors["input.force"] ?? [])].flatMap((f, i) => (f === 0 ? [] : [[i, f === 1 ? "read" : "skim"]])),
  );
  const options = {
    lengths,
    ...(Object.keys(given).length > 0 && { state: given }),
    ...(family === "skim" && { threshold: described.threshold, force }),
  };
  const x = tensors["input.x"];
  const found = await layer.forward(x, options);
  const check = (what, values, expected) => {
    assert.ok(difference(values, expected) <= BOUND, `${family}/${name} ${what}: ${difference(values, expected)}`);
  };
  check("output", found.output, tensors["output.y"]);
  for (const state of ["h", "c"]) {
    if (tensors[`output.${state}_n`]) check(state, found.state[state], tensors[`output.${state}_n`]);
  }
  if (family === "skim") {
    check("logits", found.logits, tensors["output.logits"]);
    assert.deepEqual([...found.decisions], [...tensors["output.decision"]]);
  }
  assert.equal(layer.outputSize * x.length, found.output.length * layer.inputSize);
  assert.ok(found.flops.full >= 0 && found.timing.device === "cpu" && found.timing.totalMs >= 0);
  layer.dispose();
}

describe("checkpoints of PyTorch and the sru package", () => {
  for (const [family, Kind, fits] of [
    ["elman", Elman, () => true],
    ["lstm", Lstm, () => true],
    ["gru", Gru, () => true],
    ["sru", Sru, () => true],
    ["skim", Skim, (name) => name.includes("hard")],
  ]) {
    for (const name of cases(family).filter(fits)) test(`${family}/${name}`, () => agrees(Kind, family, name));
  }
});

describe("a layer as PyTorch's users write it is found by itself", () => {
  for (const [kind, Kind] of Object.entries({ elman: Elman, lstm: Lstm, gru: Gru })) {
    const named = cases("checkpoints").filter((name) => name.startsWith(kind));
    assert.ok(named.length > 1);
    for (const name of named) test(name, () => agrees(Kind, "checkpoints", name, {}));
  }
});

test("the states of a projected LSTM go from one call to the next", async () => {
  const { bytes, tensors } = fixture("lstm", "proj_2l_uni");
  const layer = await Lstm.fromSafetensors(bytes, { prefix: "param.", projSize: 3, hiddenSize: 6, numLayers: 2 });
  const x = tensors["input.x"];
  const whole = await layer.forward(x);
  const first = await layer.forward(x.subarray(0, 2 * layer.inputSize));
  const second = await layer.forward(x.subarray(2 * layer.inputSize), { state: first.state });
  assert.deepEqual([second.state.h.length, second.state.c.length], [2 * 3, 2 * 6]);
  for (const part of ["h", "c"]) assert.ok(difference(second.state[part], whole.state[part]) <= BOUND);
  assert.ok(difference([...first.output, ...second.output], whole.output) <= BOUND);
  await assert.rejects(layer.forward(x, { state: { h: new Float32Array(12), c: new Float32Array(6) } }), {
    code: "OPTION_INVALID",
    message: /expected 3 numbers in h for every 6 in c, found 12 and 6/,
  });
});

test("sequences without rows change nothing for those beside them", async () => {
  for (const Kind of [Elman, Lstm, Gru, Sru, Skim]) {
    const layer = await Kind.random({ inputSize: 3, hiddenSize: 5, seed: 4, ...(Kind === Skim && { smallSize: 2 }) });
    const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
    const alone = await layer.forward(x, { state: null });
    for (const lengths of [[4], [0, 4], [4, 0], [0, 0, 4, 0]]) {
      const { output, state, flops } = await layer.forward(x, { lengths });
      assert.deepEqual([output, flops], [alone.output, alone.flops]);
      const lane = lengths.indexOf(4);
      for (const [name, found] of Object.entries(state)) {
        assert.equal(found.length, 5 * lengths.length);
        assert.deepEqual(found.slice(5 * lane, 5 * lane + 5), alone.state[name].slice());
      }
    }
    for (const lengths of [[], [0], [0, 0]]) {
      const { output, state } = await layer.forward(new Float32Array(), { lengths });
      assert.equal(output.length, 0);
      for (const found of Object.values(state)) assert.deepEqual([...found], Array(5 * lengths.length).fill(0));
    }
  }
});

test("the state goes from one call to the next", async () => {
  for (const Kind of [Elman, Lstm, Gru, Sru, Skim]) {
    const sizes = { inputSize: 3, hiddenSize: 5, seed: 4, ...(Kind === Skim ? { smallSize: 2 } : { numLayers: 2 }) };
    const layer = await Kind.random(sizes);
    const x = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i));
    const whole = await layer.forward(x);
    const first = await layer.forward(x.subarray(0, 12));
    const second = await layer.forward(x.subarray(12), { state: first.state });
    assert.ok(difference([...first.output, ...second.output], whole.output) <= BOUND);
    for (const [name, state] of Object.entries(whole.state)) {
      assert.ok(difference(second.state[name], state) <= BOUND);
      assert.equal(state.length % 5, 0);
    }
    const other = await Kind.random({ ...sizes, seed: 5 });
    assert.notDeepEqual((await other.forward(x)).output, whole.output);
    layer.dispose();
    await assert.rejects(layer.forward(x), { name: "DisposedError", code: "DISPOSED" });
  }
});

test("what does not fit says so", async () => {
  const { bytes } = fixture("lstm", "2l_bi");
  // The gradients look like an LSTM as well.
  const found = /Lstm with the prefix "grad\.param\.", Lstm with the prefix "param\.": open a layer by its kind and prefix/;
  await assert.rejects(Lstm.fromSafetensors(bytes), { code: "MODEL_TENSORS", message: /^several layers may be the Lstm/ });
  await assert.rejects(Lstm.fromSafetensors(bytes, { prefix: "encoder." }), { code: "MODEL_TENSORS", message: found });
  await assert.rejects(Gru.fromSafetensors(bytes, { prefix: "param." }), { name: "ModelError", message: found });
  await assert.rejects(Lstm.fromSafetensors(bytes, { prefix: "param.", numLayers: 3 }), {
    code: "MODEL_TENSORS",
    message: /missing: "param\.weight_ih_l2" \[16, 8\]/,
  });
  await assert.rejects(Lstm.fromSafetensors(bytes.subarray(0, 40), { prefix: "param." }), { code: "MODEL_TRUNCATED" });
  await assert.rejects(Lstm.fromSafetensors(new TextEncoder().encode("<!doctype html>")), { code: "MODEL_INVALID" });
  await assert.rejects(Lstm.fromSafetensors(bytes, { prefix: "param.", rescale: true }), {
    code: "OPTION_INVALID",
    message: /choices\.rescale: there is no such option/,
  });
  await assert.rejects(Lstm.fromSafetensors(bytes.subarray(0, bytes.length - 4), { prefix: "param." }), {
    code: "MODEL_TRUNCATED",
  });
  await assert.rejects(Lstm.random({ inputSize: 65_536, hiddenSize: 65_536 }), { code: "MODEL_CONFIG" });
  await assert.rejects(Sru.random({ inputSize: 0, hiddenSize: 1 }), { code: "MODEL_CONFIG" });
  const layer = await Lstm.random({ inputSize: 3, hiddenSize: 2 });
  const rows = new Float32Array(9);
  await assert.rejects(layer.forward(new Float32Array(8)), { name: "OptionError", code: "OPTION_INVALID" });
  await assert.rejects(layer.forward(rows, { lengths: [2] }), { code: "OPTION_INVALID" });
  await assert.rejects(layer.forward(rows, { lengths: [1.5, 1.5] }), { code: "OPTION_INVALID" });
  await assert.rejects(layer.forward(rows, { state: { h: new Float32Array(2), c: new Float32Array(3) } }), {
    code: "OPTION_INVALID",
  });
  const only = layer.forward(rows, { device: "webgpu-only" });
  if (hasGpu) assert.ok(difference((await only).output, (await layer.forward(rows)).output) <= 1e-5);
  else await assert.rejects(only, { name: "DeviceError", code: "DEVICE_UNAVAILABLE" });
  const { deviceReason } = await layer.forward(rows, { device: "webgpu" });
  assert.match(deviceReason, hasGpu ? /^WebGPU, as asked/ : /^CPU, since/);
  const skim = await Skim.random({ inputSize: 1, hiddenSize: 2, smallSize: 1 });
  await assert.rejects(skim.forward(new Float32Array(2), { force: { 2: "skim" } }), { code: "OPTION_INVALID" });
  for (const options of [{ threshold: NaN }, { threshold: "0.5" }, { device: 7 }, { device: "gpu" }, { lengths: [2, -1] }]) {
    await assert.rejects(skim.forward(new Float32Array(2), options), { name: "OptionError", code: "OPTION_INVALID" });
  }
});

test("weights of 16 bits are near those of 32", async () => {
  const rows = Float32Array.from({ length: 12 * 30 }, (_, i) => Math.sin(i));
  for (const [Kind, more] of [[Elman, {}], [Lstm, { numLayers: 2 }], [Gru, { bidirectional: true }], [Sru, {}], [Skim, { smallSize: 7 }]]) {
    const sizes = { inputSize: 30, hiddenSize: 45, seed: 3, ...more };
    const [whole, halved] = await Promise.all(["f32", "bf16"].map((precision) => Kind.random({ ...sizes, precision })));
    const expected = await whole.forward(rows);
    const found = await halved.forward(rows);
    const off = difference(found.output, expected.output);
    assert.ok(off > 0 && off < 0.02, `${off}`);
    // A row's product is the same by itself, where weights are widened as they are read, and among others, where before.
    const step = await halved.forward(rows.subarray(0, 30));
    if (!more.bidirectional) assert.deepEqual(step.output, found.output.subarray(0, step.output.length));
    const both = new Float32Array(2 * rows.length);
    both.set(rows);
    both.set(rows, rows.length);
    const twice = await halved.forward(both, { lengths: [12, 12] });
    assert.deepEqual(twice.output.subarray(0, found.output.length), found.output);
    assert.deepEqual(twice.output.subarray(found.output.length), found.output);
  }
  const { bytes, tensors } = fixture("lstm", "2l_bi");
  const layer = await Lstm.fromSafetensors(bytes, { prefix: "param.", precision: "bf16" });
  const { output } = await layer.forward(tensors["input.x"], { lengths: [...tensors["input.lengths"]] });
  assert.ok(output.every(Number.isFinite));
  await assert.rejects(Lstm.random({ inputSize: 3, hiddenSize: 2, precision: "f16" }), {
    code: "OPTION_INVALID",
    message: /precision: expected "f32" or "bf16", found "f16"/,
  });
});
