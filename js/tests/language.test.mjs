/** Language models: the same in this thread and in a worker, in Node and in a page. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cases, difference, fixture } from "./fixture.mjs";
import { byCharacters, byWords } from "./language.mjs";
import { AdaptiveSoftmax, address, load, hasGpu } from "./package.mjs";

const TEXT = "The cat was in his house,\nand he had not that of you. It was, as it is.\nI";
/** How far apart two logarithms may lie, one of them computed with 32 bits. */
const BOUND = 1e-4;

const near = (a, b) => Math.abs(a - b) <= BOUND * Math.max(1, Math.abs(b));

/** Where a word stands among all: from the rank that it surely has to the one that it may have. */
function ranks(all, log) {
  return [1 + all.filter((other) => other > log + BOUND).length, all.filter((other) => other >= log - BOUND).length];
}

function assertScored(scoring, text, { distributions, ids, cluster, vocabulary }) {
  const words = scoring.tokens.map(({ text }) => text);
  const [all, numbers] = [distributions(words), ids(words)];
  let [bits, predicted] = [0, 0];
  scoring.tokens.forEach((token, i) => {
    assert.equal(token.id, numbers[i]);
    assert.equal(token.cluster, cluster(numbers[i]));
    assert.equal(token.known, vocabulary.includes(token.text));
    assert.ok(token.start < token.end && token.end <= text.length && token.start >= (scoring.tokens[i - 1]?.end ?? 0));
    if (all[i] === null) return assert.equal(token.kind, "first");
    const log = all[i][numbers[i]];
    assert.equal(token.kind, "predicted");
    assert.ok(near(token.bits, -log / Math.LN2) && near(Math.log(token.probability), log), `${i}: ${token.bits} bits, ${log}`);
    const [least, most] = ranks(all[i], log);
    assert.ok(token.rank >= least && token.rank <= most, `${i}: ${token.rank} is not in ${least}..${most}`);
    assert.ok(token.rowsComputed >= 10 && token.rowsComputed <= all[i].length + 2);
    bits -= log / Math.LN2;
    predicted += 1;
  });
  assert.equal(scoring.predicted, predicted);
  assert.ok(near(scoring.bits, bits));
  assert.ok(near(scoring.perplexity, 2 ** (bits / predicted)));
}

function assertNext({ words, clustersOpened, rowsComputed }, all, count) {
  const order = [...all.keys()].sort((a, b) => all[b] - all[a]).slice(0, count);
  assert.equal(words.length, order.length);
  words.forEach(({ id, probability, bits }, i) => {
    assert.ok(near(all[id], all[order[i]]), `${id} is not ${order[i]}`);
    assert.ok(near(Math.log(probability), all[id]) && near(bits, -all[id] / Math.LN2));
  });
  assert.equal(new Set(words.map(({ id }) => id)).size, words.length);
  assert.ok(clustersOpened.every((cluster) => cluster === 1 || cluster === 2) && rowsComputed >= 10);
}

const written = async (tokens) => {
  const all = [];
  for await (const token of tokens) all.push(token);
  return all;
};

for (const [name, make, text] of [
  ["by words", byWords, TEXT],
  ["by characters", byCharacters, "it's a 🎬, né?\nA \ud83c lone \udfacsurrogate; שלום"],
]) {
  describe(`a language model ${name}`, () => {
    const reference = make();
    let model;
    before(async () => (model = await load(reference.file)));
    after(() => model.dispose());

    test("is told by its task", async () => {
      assert.equal(model.task, "predict");
      assert.deepEqual([model.config.task, model.config.vocabularySize], ["predict", reference.vocabulary.length]);
      assert.equal(model.config.cutoffs.length, 2);
      assert.deepEqual([model.device, (await model.inspect()).config], ["cpu", model.config]);
      await assert.rejects(load(reference.file, { task: "classify" }), { code: "MODEL_CONFIG", message: /"classify", found "predict"/ });
      const file = address("models/sst2-skim-lstm-small.safetensors");
      await assert.rejects(load(file, { task: "predict" }), { code: "MODEL_CONFIG", message: /"predict", found "classify"/ });
      const classifier = await load(file, { task: "classify" });
      assert.equal(classifier.task, "classify");
      classifier.dispose();
    });

    test("scores every word as the whole distribution does", async () => {
      const scoring = await model.score(text);
      assertScored(scoring, text, reference);
      assert.match(scoring.deviceReason, /^CPU/);
      const units = name === "by words" ? "words" : "letters";
      assert.match(scoring.timing.method, new RegExp(`^wall time of ${scoring.tokens.length} new ${units}, `));
      assert.ok(near(await model.perplexity(text), scoring.perplexity));
      assert.deepEqual((await model.tokenize(text)).map(({ text, start }) => [text, start]), scoring.tokens.map(({ text, start }) => [text, start]));
      const none = await model.score("");
      assert.deepEqual([none.tokens, none.predicted, none.bits, Number.isNaN(none.perplexity)], [[], 0, 0, true]);
      const fallen = await model.score(text, { device: "webgpu" });
      assert.match(fallen.deviceReason, hasGpu ? /^WebGPU, as asked/ : /^CPU, since/);
      if (hasGpu) assertScored(await model.score(text, { device: "webgpu-only" }), text, reference);
      else await assert.rejects(model.score(text, { device: "webgpu-only" }), { code: "DEVICE_UNAVAILABLE" });
    });

    test("tells the next words", async () => {
      const tokens = (await model.tokenize(text)).map(({ text }) => text);
      const all = reference.distributions(tokens).at(-1);
      assertNext(await model.predict(text), all, 10);
      assertNext(await model.predict(text, { top: 1 }), all, 1);
      assertNext(await model.predict(text, { top: 1000 }), all, 1000);
      assertNext(await model.predict("", { top: 3 }), reference.distributions([])[0], 3);
    });

    test("generates", async () => {
      const greedy = await written(model.generate(text, { temperature: 0, maxTokens: 12 }));
      const tokens = (await model.tokenize(text)).map(({ text }) => text);
      for (const token of greedy) {
        const all = reference.distributions(tokens).at(-1);
        assert.ok(near(all[token.id], Math.max(...all)));
        assert.ok(near(Math.log(token.probability), all[token.id]));
        tokens.push(token.text);
      }
      const ids = async (options, prompt = text) => (await written(model.generate(prompt, { maxTokens: 20, ...options }))).map(({ id }) => id);
      const drawn = await ids({ seed: 5 });
      assert.deepEqual(drawn, await ids({ seed: 5 }));
      const others = await Promise.all([6, 7, 8, 9].map((seed) => ids({ seed })));
      assert.ok(others.some((other) => String(other) !== String(drawn)));
      assert.ok((await ids({ seed: 5 }, "")).length > 0);
      assert.deepEqual(await ids({ maxTokens: 0 }), []);
      const best = await ids({ topK: 1, seed: 1 });
      assert.deepEqual(best, await ids({ temperature: 0 }));
      assert.deepEqual(best, await ids({ topP: 1e-9, seed: 2 }));
      const spaced = async (prompt) => {
        const [{ piece, text }] = await written(model.generate(prompt, { maxTokens: 1, topK: 1 }));
        return piece !== text;
      };
      const apart = model.config.tokenizer.kind !== "characters";
      assert.deepEqual([await spaced("the cat"), await spaced("the cat "), await spaced("")], [apart, false, false]);
      // What was generated is read as it was written.
      const all = await written(model.generate(text, { seed: 3, topK: 20, maxTokens: 30 }));
      const known = all.filter(({ id }) => id !== 0);
      const again = await model.tokenize(known.map(({ piece }) => piece).join(""));
      assert.deepEqual(again.map(({ text }) => text), known.map(({ text }) => text));
      const end = all.findIndex(({ kind }) => kind === "end");
      assert.ok(end < 0 || end === all.length - 1);
    });

    test("generates until it is stopped", async () => {
      let count = 0;
      for await (const token of model.generate(text, { seed: 1, maxTokens: 1000 })) {
        assert.ok(token.rowsComputed > 0);
        if (++count === 3) break;
      }
      const stop = new AbortController();
      const rest = model.generate(text, { seed: 4, maxTokens: 1000, signal: stop.signal });
      await rest.next();
      stop.abort();
      await assert.rejects(async () => { for await (const _ of rest); }, { code: "ABORTED" });
      await assert.rejects(model.generate(text, { temperature: -1 }).next(), { code: "OPTION_INVALID" });
    });

    test("reads on what is typed", async () => {
      const reader = model.reader();
      const typed = name === "by words" ? "she was not at the" : "in the end";
      const same = (a, b) => {
        assert.deepEqual(a.tokens.map(({ text, kind }) => [text, kind]), b.tokens.map(({ text, kind }) => [text, kind]));
        assert.ok(a.tokens.every(({ bits = 0 }, i) => near(bits, b.tokens[i].bits ?? 0)));
      };
      for (let end = 1; end <= typed.length; end++) {
        same(await reader.update(typed.slice(0, end)), await model.score(typed.slice(0, end)));
        assert.ok(reader.computed <= 2, `${typed.slice(0, end)}: ${reader.computed}`);
      }
      same(await reader.append(" and his"), await model.score(`${typed} and his`));
      assert.ok(reader.computed <= 8);
      for (const call of ["update", "append"]) {
        await assert.rejects(reader[call]("other", { signal: AbortSignal.abort() }), { code: "ABORTED" });
      }
      assert.equal(reader.text, `${typed} and his`);
      const tokens = (await model.tokenize(reader.text)).map(({ text }) => text);
      assertNext(await reader.predict({ top: 4 }), reference.distributions(tokens).at(-1), 4);
      const unheard = new AbortController();
      const never = assert.rejects(reader.update(typed, { signal: unheard.signal }), { code: "ABORTED" });
      unheard.abort();
      await never;
      const typedTokens = (await model.tokenize(typed)).map(({ text }) => text);
      for (let again = 0; again < 2; again++) assertNext(await reader.predict({ top: 4 }), reference.distributions(typedTokens).at(-1), 4);
      const fresh = model.reader();
      assert.deepEqual((await fresh.predict({ top: 4 })).words, (await model.predict("", { top: 4 })).words);
      fresh.dispose();
      same(await reader.update(`he ${typed}`), await model.score(`he ${typed}`));
      reader.dispose();
      await assert.rejects(reader.update("a"), { code: "DISPOSED" });
    });

    test("reads a long text in pieces", async () => {
      const long = `${text}\n`.repeat(300);
      const told = [];
      const scoring = await model.score(long, { onProgress: ({ done, total }) => told.push([done, total]) });
      const count = scoring.tokens.length;
      assert.deepEqual(told.at(-1), [count, count]);
      assert.ok(told.length > 3 && told.every(([done], i) => i === 0 || done > told[i - 1][0]));
      assert.ok(near(await model.perplexity(long), scoring.perplexity));
      const stop = new AbortController();
      const stopped = model.score(long, { signal: stop.signal, onProgress: () => stop.abort() });
      await assert.rejects(stopped, { code: "ABORTED" });
    });
  });
}

describe("an adaptive softmax from a state_dict", () => {
  const words = (config) => [config.words, [...config.cutoffs]];

  for (const name of cases("adaptive_softmax")) {
    test(`computes what PyTorch does: ${name}`, async () => {
      const { case: config, bytes, tensors } = fixture("adaptive_softmax", name);
      const layer = await AdaptiveSoftmax.fromSafetensors(bytes, { prefix: "param." });
      assert.deepEqual([layer.words, layer.cutoffs, layer.inputSize], [...words(config), config.input_size]);
      const x = tensors["input.x"];
      const targets = tensors["input.targets"];
      const { logProb, rowsComputed } = await layer.logProb(x);
      assert.ok(difference(logProb, tensors["output.log_prob"]) <= 1e-5);
      assert.ok(rowsComputed.every((rows) => rows === config.words + config.cutoffs.length));
      const { output, loss } = await layer.loss(x, targets);
      assert.ok(difference(output.map((log) => -log), tensors["output.nll"].map(Math.abs)) <= 1e-5);
      assert.ok(difference([loss], tensors["output.loss"]) <= 1e-5);
      const top = await layer.topK(x, 4);
      const best = await layer.predict(x);
      for (let row = 0; row < targets.length; row++) {
        const all = [...logProb.slice(row * config.words, (row + 1) * config.words)];
        const order = [...all.keys()].sort((a, b) => all[b] - all[a] || a - b).slice(0, 4);
        const found = [...top.words.slice(4 * row, 4 * row + 4)];
        found.forEach((word, i) => assert.ok(Math.abs(all[word] - all[order[i]]) <= 1e-5 * Math.max(1, Math.abs(all[word]))));
        assert.equal(best.words[row], found[0]);
      }
      layer.dispose();
    });
  }

  test("refuses what is none", async () => {
    const { bytes } = fixture("adaptive_softmax", "two_tails");
    const prefix = "param.";
    const found = await AdaptiveSoftmax.fromSafetensors(bytes.slice(), { prefix, cutoffs: [6, 15], divValue: 4 });
    assert.deepEqual(found.cutoffs, [6, 15]);
    await assert.rejects(found.loss(new Float32Array(20), [30]), { code: "OPTION_INVALID" });
    await assert.rejects(found.loss(new Float32Array(20), [1, 2]), { code: "OPTION_INVALID" });
    await assert.rejects(found.topK(new Float32Array(20), 0), { code: "OPTION_INVALID" });
    const rows = new Float32Array(40);
    rows[23] = NaN;
    const message = /x: row 1, column 3: expected a finite number \(in f32\), found NaN$/;
    for (const ask of [() => found.logProb(rows), () => found.predict(rows), () => found.topK(rows, 2), () => found.loss(rows, [1, 2])]) {
      await assert.rejects(ask, { code: "OPTION_INVALID", message });
    }
    await assert.rejects(found.predict([Array(20).fill(1e300)]), { code: "OPTION_INVALID", message: /row 0, column 0: .*found Infinity$/ });
    const huge = new Float32Array(40).fill(3e38, 20);
    for (const ask of [() => found.logProb(huge), () => found.predict(huge), () => found.topK(huge, 2), () => found.loss(huge, [1, 2])]) {
      await assert.rejects(ask, { name: "ModelError", code: "MODEL_OVERFLOW" });
    }
    assert.equal((await found.predict([])).words.length, 0);
    await assert.rejects(AdaptiveSoftmax.fromSafetensors(bytes.slice(), { prefix, cutoffs: [5, 15] }), { code: "MODEL_TENSORS" });
    await assert.rejects(AdaptiveSoftmax.fromSafetensors(bytes.slice(), { prefix, divValue: 2 }), { code: "MODEL_TENSORS" });
    await assert.rejects(AdaptiveSoftmax.fromSafetensors(bytes.slice(), { prefix: "other." }), { code: "MODEL_TENSORS" });
    const { bytes: lstm } = fixture("lstm", cases("lstm")[0]);
    await assert.rejects(AdaptiveSoftmax.fromSafetensors(lstm), { code: "MODEL_TENSORS", message: /there is no AdaptiveSoftmax/ });
  });
});
