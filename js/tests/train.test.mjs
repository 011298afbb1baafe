/** Training runs: interrupted and resumed, looked at in between, and what is no run. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { difference } from "./fixture.mjs";
import { open } from "./opened.mjs";
import { bytesOf, load } from "./package.mjs";
import { events, letters, losses, near, recorded, reviews, rows, skim, tags, treebank, words } from "./runs.mjs";
import { errorOf } from "../dist/errors.js";
import { training } from "../dist/train/local.js";
import { SaccadeError, train, Training } from "../dist/train/node.js";

describe("in between", () => {
  test("texts are read, and what follows is as if they had not been", async () => {
    const run = open(reviews, skim);
    const seen = [];
    const all = [];
    for await (const event of run) {
      all.push(event);
      if (event.type !== "evaluated") continue;
      const [reading, empty] = await run.read(["A lovely film.", ""]);
      assert.deepEqual(reading.tokens.map(({ text }) => text), ["a", "lovely", "film", "."]);
      assert.ok(Math.abs(reading.scores.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-6);
      assert.equal(empty.tokens.length, 0);
      seen.push(reading.label);
    }
    assert.deepEqual(seen, ["yes", "yes"]);
    losses(all).forEach((found, step) => near(found, recorded.skim.losses[step], `step ${step}`));
  });

  test("a text is written, the same by the same seed", async () => {
    const run = open(recorded.text, letters);
    await run.finish();
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => run.write("the ", { words: 40, seed })));
    assert.equal([...a].length, 40);
    assert.equal(a, b);
    assert.notEqual(a, c);
  });

  test("a run that goes on from a snapshot ends in the same bytes", async () => {
    const whole = open(reviews, skim);
    await whole.finish();
    for (const stopAfter of [1, 14, 20]) {
      const first = open(reviews, skim);
      let steps = 0;
      for await (const event of first) {
        if (event.type === "step" && ++steps === stopAfter) break;
      }
      const snapshot = structuredClone(await first.snapshot());
      const second = open(reviews, skim, { resume: snapshot });
      await second.finish();
      assert.deepEqual(await second.file(), await whole.file());
    }
  });

  test("what is no snapshot is refused at once, and runs beside it go on", async () => {
    const healthy = open(reviews, skim);
    await healthy[Symbol.asyncIterator]().next();
    const good = await healthy.snapshot();
    const { state, ...stateless } = good;
    const { adjusted, ...unadjusted } = good;
    for (const resume of [5, "a", {}, state, stateless, unadjusted, { ...good, state: [1] }, { ...good, kept: "a" }, JSON.parse(JSON.stringify(good))]) {
      assert.throws(() => train(reviews, skim, { resume }), { code: "OPTION_INVALID", message: /^train: options\.resume: expected a snapshot that run\.snapshot gave, found / });
    }
    assert.throws(() => train(reviews, skim, { resume: { ...good, adjusted: { gamma: "1" } } }), { code: "OPTION_INVALID", message: /options\.resume\.adjusted\.gamma: expected a number/ });
    await assert.rejects(open(reviews, skim, { resume: { ...good, state: new Uint8Array(5) } }).finish(), { code: "MODEL_TRUNCATED" });
    await open(reviews, skim, { resume: { state, kept: good.kept ?? null, adjusted: {} }, from: null }).finish();
    await healthy.finish();
  });

  test("a snapshot is of its texts, and has the model that was kept", async () => {
    const run = open(reviews, skim);
    for await (const event of run) if (event.type === "evaluated") break;
    const snapshot = await run.snapshot();
    const others = { ...reviews, train: reviews.train.toReversed() };
    for (const [texts, resume] of [[others, snapshot], [reviews, { ...snapshot, kept: undefined }]]) {
      await assert.rejects(open(texts, skim, { resume }).finish(), { code: "TRAINING_STATE" });
    }
    await assert.rejects(open(reviews, skim, { resume: { ...snapshot, kept: snapshot.kept.subarray(0, 99) } }).finish(), { code: /^MODEL_/ });
    await open(reviews, skim, { resume: snapshot }).finish();
  });

  test("a loop that ended early goes on where it stopped", async () => {
    const run = open(reviews, skim);
    const all = [];
    for (const most of [1, 5, 1000]) {
      let count = 0;
      for await (const event of run) {
        all.push(event);
        if (++count === most) break;
      }
    }
    losses(all).forEach((found, step) => near(found, recorded.skim.losses[step], `step ${step}`));
    assert.equal(all.at(-1).type, "ended");
  });

  test("knobs act from the next step on", async () => {
    const run = open(reviews, skim);
    const after = [];
    for await (const event of run) {
      if (event.type === "begun") await run.set({ learningRate: 1e-9, gamma: 0 });
      if (event.type === "step") after.push(event.losses.loss);
    }
    assert.notEqual(after[1], recorded.skim.losses[1][0]);
    await assert.rejects(train(reviews, { ...skim, model: { encoder: [{ type: "gru", hiddenSize: 4 }] }, train: {} }).set({ gamma: 1 }), /train\.skim\.gamma: expected a layer that skims, found none/);
    await assert.rejects(train(reviews, { ...skim, model: { encoder: [{ type: "gru", hiddenSize: 4 }] }, train: {} }).set({ temperature: 1 }), /train\.skim\.temperature: expected a layer that skims, found none/);
    await assert.rejects(train(reviews, skim).set({ temperature: 0 }), /train\.skim\.temperature: expected a positive number/);
  });

  test("what is set at an evaluation acts from the very next step", async () => {
    // Small enough for many steps, and the evaluations after them, to fit in one turn of the engine.
    const data = Array.from({ length: 64 }, (_, n) => ({ text: n % 2 ? `good film ${n % 5}` : `bad film ${n % 7}`, label: n % 2 }));
    const settings = { task: "classify", model: { embeddingSize: 4, encoder: [{ type: "gru", hiddenSize: 4 }] }, train: { epochs: 3, batch: 32, learningRate: 0.1 } };
    const run = open({ train: data, dev: data }, settings);
    const found = [];
    for await (const event of run) {
      if (event.type !== "evaluated") continue;
      found.push(event.dev.loss);
      await run.set({ learningRate: 1e-12 });
    }
    found.forEach((loss) => near([loss], [found[0]], "loss"));
  });

  test("what a run is told is checked", async () => {
    const run = open(reviews, skim);
    const mistakes = [
      [() => run.set({ gama: 1 }), /run\.set: adjusted\.gama: there is no such option; did you mean gamma/],
      [() => run.set({ learningRate: "fast" }), /adjusted\.learningRate: expected a number/],
      [() => run.set({ learningRate: -1 }), /train\.learningRate: expected a positive number/],
      [() => run.set({ gamma: -0.1 }), /train\.skim\.gamma: expected 0 or above, found -0\.1/],
      [() => run.read("one text"), /texts: expected an array of strings, .*: give one text in an array$/],
      [() => run.write(5), /text: expected a string/],
      [() => run.write("a", { temperatur: 1 }), /options\.temperatur: there is no such option/],
      [() => run.write("a", { words: 10_001 }), /options\.words: expected a whole number from 0 to 10000, found 10001/],
      [() => run.write("a", { words: 1.5 }), /options\.words: expected a whole number/],
    ];
    for (const [ask, message] of mistakes) await assert.rejects(ask, (error) => error.code === "OPTION_INVALID" && message.test(error.message));
    await assert.rejects(run.write("a"), /run\.write: expected a run whose task is "predict", found "classify"/);
    await assert.rejects(open(recorded.text, letters).read(["a"]), /run\.read: expected a run whose task is "classify"/);
  });

  test("a model starts from another", async () => {
    const first = open(reviews, skim);
    const { dev } = await first.finish();
    const second = open(reviews, { ...skim, seed: 9 }, { from: await first.file() });
    const all = await events(second);
    assert.deepEqual([all[0].transferred.taken.length, all[0].transferred.kept.length], [13, 0]);
    assert.ok(all.at(-1).dev.loss < 0.9 * dev.loss, `${all.at(-1).dev.loss} after ${dev.loss}`);
  });

  describe("one of ours, on fifty texts of somebody's own", () => {
    const texts = Array.from({ length: 50 }, (_, at) => `The ${["zog", "mip", "bla"][at % 3]} is a ${at % 2 ? "good" : "dull"} film.`);
    const labelled = texts.map((text, at) => ({ text, label: at % 2 ? "positive" : "negative" }));
    const learning = { batch: 10, epochs: 4, learningRate: 0.005 };
    /** The same keys as in the package's settings. */
    const layer = (found) => Object.fromEntries(Object.entries(found).map(([key, value]) => [key.replace(/_./g, ([, letter]) => letter.toUpperCase()), value]));
    /** The settings that a model was made with, for texts such as these. */
    const like = (config, train) => {
      const { bidirectional: _, ...encoder } = layer(config.encoder[0]);
      const { kind, lowercase } = config.tokenizer;
      const task = config.task?.predict ? "predict" : "classify";
      return { task, data: { tokenizer: { kind, lowercase } }, model: { embeddingSize: config.embedding_size, encoder: [encoder] }, train: { ...learning, ...train } };
    };
    const configOf = (bytes) => JSON.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))))).__metadata__.saccade);
    const ours = ["imdb-lstm", "imdb-skim-lstm", "sst2-lstm", "sst2-skim-lstm", "sst2-skim-lstm-small", "sst2-sru", "trec-skim-lstm", "novels-lm", "novels-lstm", "shakespeare-elman", "shakespeare-lstm", "shakespeare-sru"];
    for (const name of ours) {
      test(name, async () => {
        const from = await bytesOf(`models/${name}.safetensors`);
        const settings = like(configOf(from));
        const run = open(settings.task === "predict" ? texts.join("\n") : labelled, settings, { from });
        const all = await events(run);
        const { taken, kept } = all[0].transferred;
        const encoder = ({ name }) => name.startsWith("encoder.");
        assert.ok(taken.some(encoder));
        assert.deepEqual(kept.filter(encoder), []);
        const [[first], { dev }] = [losses(all)[0], all.at(-1)];
        assert.ok(dev.loss < first, `${dev.loss} after ${first}`);
      });
    }

    test("layers are left as they are, or thaw one after the other", async () => {
      const from = await bytesOf("models/sst2-skim-lstm-small.safetensors");
      const learn = async (layers) => losses(await events(open(labelled, like(configOf(from), { layers }), { from }))).map(([loss]) => loss);
      const frozen = await learn({ embedding: { rate: 0 }, encoder: [{ rate: 0 }] });
      assert.deepEqual(await learn({ embedding: { from: 3 }, encoder: [{ from: 2 }] }).then((found) => found.slice(0, 11)), frozen.slice(0, 11));
      const [encoder, both] = [await learn({ embedding: { rate: 0 }, encoder: [{ from: 2 }] }), await learn({ embedding: { from: 3 }, encoder: [{ from: 2 }] })];
      const apart = (a, b) => a.findIndex((loss, step) => loss !== b[step]);
      // Five steps an epoch, and the first that learns shows in the loss of the next.
      assert.deepEqual([frozen.length, apart(frozen, encoder), apart(encoder, both)], [20, 11, 16]);
    });
  });

  test("of a run that no browser keeps it is told, and it goes on", async (t) => {
    const keeps = async () => {
      const all = await events(open(reviews, skim, { checkpoint: "learn", checkpointSeconds: 0 }));
      assert.equal(all.at(-1).type, "ended");
      return new Set(all.filter(({ type }) => type === "checkpoint").map(({ failed }) => failed));
    };
    assert.deepEqual(await keeps(), new Set(["there is no IndexedDB here"]));
    const opens = {
      "refused": () => { throw new DOMException("refused", "SecurityError"); },
      "InvalidStateError": () => {
        const request = { error: new DOMException("", "InvalidStateError") };
        queueMicrotask(() => request.onerror());
        return request;
      },
    };
    t.after(() => delete globalThis.indexedDB);
    for (const [told, open] of Object.entries(opens)) {
      globalThis.indexedDB = { open };
      assert.deepEqual(await keeps(), new Set([told]));
    }
  });

  /** A run whose first checkpoint finds it as `first` leaves it. */
  function interrupted(first) {
    let asked = 0;
    const trainer = { call: (name, ...rest) => (name === "snapshot" && ++asked === 1 ? first() : training.call(name, ...rest)) };
    // Far longer than what the engine does in one go, before the end of which nothing is kept.
    const settings = { ...skim, train: { ...skim.train, epochs: 200 } };
    return new Training({ trainer, sets: reviews, settings, options: { checkpoint: "learn", checkpointSeconds: 0 } });
  }

  test("of a GPU that is lost as it is to be kept it is told, and it goes on", async () => {
    const run = interrupted(() => Promise.reject(errorOf("DEVICE_LOST", "the GPU is gone")));
    const all = await events(run);
    const failed = all.filter(({ type }) => type === "checkpoint").map(({ failed }) => failed);
    assert.equal(failed[0], "the GPU is gone");
    assert.deepEqual(new Set(failed.slice(1)), new Set(["there is no IndexedDB here"]));
    recorded.skim.losses.forEach((expected, step) => near(losses(all)[step], expected, `step ${step}`));
    assert.equal(all.at(-1).type, "ended");
    run.dispose();
  });

  test("one that is disposed of as it is to be kept ends", async () => {
    const run = interrupted(() => {
      run.dispose();
      return Promise.reject(errorOf("DISPOSED", "this run was disposed"));
    });
    const told = [];
    await assert.rejects(async () => {
      for await (const { type } of run) told.push(type);
    }, { code: "DISPOSED" });
    assert.ok(!told.includes("checkpoint"));
  });
});

describe("samples", () => {
  const again = { ...letters, train: { ...letters.train, epochs: 3, evaluations: 2 } };
  const [prompt, how] = ["the ", { words: 12, temperature: 0.7, seed: 5 }];
  const samples = (all) => all.filter(({ type }) => type === "sample");

  test("one follows every evaluation, wherever a run computes, and what is learned is the same", async () => {
    for (const options of [{}, { worker: false }, { workers: 2 }]) {
      const [plain, run] = [open(recorded.text, again, options), open(recorded.text, again, { ...options, sample: { prompt, ...how } })];
      const [expected, all] = [await events(plain), []];
      for await (const event of run) {
        all.push(event);
        if (event.type !== "sample") continue;
        run.pause();
        setTimeout(() => run.resume());
      }
      assert.deepEqual(all.filter(({ type }) => type !== "sample"), expected);
      assert.deepEqual(await run.file(), await plain.file());
      const written = all.flatMap((event, at) => (event.type === "sample" ? [[all[at - 1].type, all[at - 1].epoch, event.epoch]] : []));
      assert.deepEqual(written, [0.5, 1, 1.5, 2, 2.5, 3].map((epoch) => ["evaluated", epoch, epoch]));
      assert.deepEqual(Object.keys(samples(all)[0]), ["type", "epoch", "text"]);
      // The last one is by the model as it still is.
      assert.equal(samples(all).at(-1).text, await run.write(prompt, how));
      assert.notEqual(samples(all)[0].text, samples(all).at(-1).text);
    }
  });

  test("one follows every so many steps, through all epochs, and is of just that step", async () => {
    const [each, some] = [await events(open(recorded.text, again, { sample: { every: 1, ...how } })), await events(open(recorded.text, again, { sample: { every: 5, ...how } }))];
    const steps = each.filter(({ type }) => type === "step");
    assert.deepEqual(samples(each).map(({ epoch }) => epoch), steps.map(({ epoch, step, steps }) => epoch + (step + 1) / steps));
    // An epoch is no whole number of fives.
    assert.notEqual(steps[0].steps % 5, 0);
    assert.deepEqual(samples(some), samples(each).filter((_, at) => at % 5 === 4));
    each.forEach(({ type }, at) => type === "sample" && assert.equal(each[at - 1].type, "step"));
    assert.ok(new Set(samples(each).map(({ text }) => text)).size > 3);
  });

  test("a run that is resumed writes what the whole one writes, and ends in the same bytes", async () => {
    const options = { sample: { prompt, every: 7, ...how } };
    const whole = open(recorded.text, again, options);
    const expected = samples(await events(whole));
    const first = open(recorded.text, again, options);
    let steps = 0;
    for await (const { type } of first) if (type === "step" && ++steps === 10) break;
    const second = open(recorded.text, again, { ...options, resume: await first.snapshot() });
    const rest = await events(second);
    const { epoch, step, steps: of } = rest.find(({ type }) => type === "step");
    const later = expected.filter((sample) => sample.epoch > epoch + step / of);
    assert.ok(later.length > 0 && later.length < expected.length);
    assert.deepEqual(samples(rest), later);
    assert.deepEqual(await second.file(), await whole.file());
  });

  test("a signal ends a run at a sample, a loop that ends there leaves it", async () => {
    const stop = new AbortController();
    const run = train(recorded.text, again, { sample: { every: 2, words: 3 }, signal: stop.signal });
    for await (const { type } of run) if (type === "sample") break;
    const told = [];
    await assert.rejects(async () => {
      for await (const { type } of run) {
        told.push(type);
        if (type === "sample") stop.abort();
      }
    }, { code: "ABORTED" });
    assert.deepEqual(told.filter((type) => type !== "evaluated"), ["step", "step", "sample"]);
  });

  const mistakes = {
    "what is no object": [letters, true, /sample: expected an object, found true/],
    "a misspelt option": [letters, { promt: "a" }, /sample\.promt: there is no such option; did you mean prompt\?/],
    "a prompt that is no text": [letters, { prompt: 5 }, /sample\.prompt: expected a string, found 5/],
    "after no steps": [letters, { every: 0 }, /sample\.every: expected a whole number from 1 to 2 \*\* 32 - 1, found 0/],
    "after half a step": [letters, { every: 0.5 }, /sample\.every: expected a whole number/],
    "too many words": [letters, { words: 10_001 }, /sample\.words: expected a whole number from 0 to 10000, found 10001/],
    "a temperature below 0": [letters, { temperature: -1 }, /sample\.temperature: expected a number from 0/],
    "a seed that is no number": [letters, { seed: "a" }, /sample\.seed: expected a whole number/],
    "a classifier": [skim, {}, /sample: expected a run whose task is "predict", found "classify"/],
    "a tagger": [tags, { words: 3 }, /sample: expected a run whose task is "predict", found "tag"/],
  };
  for (const [what, [settings, sample, message]] of Object.entries(mistakes)) {
    test(what, () => assert.throws(() => train(recorded.text, settings, { sample }), (error) => error.code === "OPTION_INVALID" && error.message.startsWith("train: options.") && message.test(error.message)));
  }
});

describe("data", () => {
  const gru = { task: "classify", model: { embeddingSize: 4, encoder: [{ type: "gru", hiddenSize: 4 }] }, train: { epochs: 1 } };
  const begun = async (data, settings = gru) => {
    const run = open(data, settings);
    return (await run[Symbol.asyncIterator]().next()).value;
  };

  test("arrays, iterables and files hold the same texts", async () => {
    const file = new File([recorded.train], "train.txt");
    async function* later() {
      yield* reviews.train;
    }
    for (const data of [reviews.train, new Set(reviews.train), later(), file, new TextEncoder().encode(recorded.train)]) {
      const { texts, words } = await begun(data);
      assert.deepEqual(texts, { train: 180, dev: 20, test: 0 });
      assert.ok(words > 12);
    }
  });

  test("any Unicode, and a class that is empty", async () => {
    const odd = [..."🦊é\u0000\u200d中", "", " ", "a\ud800b", "𝕏".repeat(5000)].map((text, i) => ({ text, label: i % 2 === 0 }));
    const settings = { ...gru, data: { holdOut: 2, labels: [{ file: "true", name: "yes" }, { file: "false", name: "no" }, { file: "?", name: "never" }] } };
    const run = open(odd, settings);
    const { dev } = await run.finish();
    assert.equal(dev.n, 2);
  });

  test("a line of a file ends where a line feed is, and with nothing else", async () => {
    for (const within of ["\u2028", "\u2029", "\r", "\v"]) {
      const { texts } = await begun(new Blob([recorded.train.replace("\n", `${within}fine\n`)]));
      assert.deepEqual(texts, { train: 180, dev: 20, test: 0 });
    }
  });

  test("a text in parts is one text, wherever it is cut", async () => {
    // After 4,033 units, of which the last is half a character, a portion is full.
    const text = "a \u{1f98a} b \u{1f98a}\ud83e".repeat(600);
    async function* units() {
      for (let at = 0; at < text.length; at++) yield text[at];
    }
    const settings = { ...letters, data: { ...letters.data, devShare: 0.5 } };
    const expected = losses(await events(open(text, settings)));
    assert.ok(expected.length > 0);
    assert.deepEqual(losses(await events(open(units(), settings))), expected);
    assert.deepEqual(losses(await events(open([text.slice(0, 3), "", text.slice(3)], settings))), expected);
  });

  test("a block of the texts may be held out, as many as of a random sample", async () => {
    const settings = { ...gru, data: { devBlock: true, holdOut: undefined } };
    const { texts } = await begun(reviews.train, settings);
    assert.deepEqual(texts, { train: 180, dev: 20, test: 0 });
    const given = losses(await events(open(reviews.train, { ...gru, data: { devBlock: true, holdOut: 20 } })));
    assert.deepEqual(losses(await events(open(reviews.train, settings))), given);
    assert.notDeepEqual(losses(await events(open(reviews.train, gru))), given);
  });

  test("a set to choose by that is null is none", async () => {
    const { texts } = await begun({ train: reviews.train, dev: null, test: null });
    assert.deepEqual(texts, { train: 180, dev: 20, test: 0 });
  });

  test("a table that cannot be read any more says so", async () => {
    const file = new File(["yes,fine"], "a.csv");
    file.slice = () => Object.assign(new Blob(), { arrayBuffer: async () => { throw new DOMException("it has changed", "NotReadableError"); } });
    await assert.rejects(open(file, gru).finish(), { code: "FETCH_FAILED", message: /cannot be read \(it has changed\): .* choose it again/ });
  });

  test("the only text of a label may be held out", async () => {
    for (let rare = 0; rare < 30; rare++) {
      const data = Array.from({ length: 30 }, (_, at) => ({ text: `film ${at}`, label: at === rare ? "rare" : at % 2 ? "a" : "b" }));
      const run = open(data, gru);
      assert.equal((await run.finish()).dev.n, 3);
      run.dispose();
    }
  });

  test("a table is read as its rows are, whatever holds it and whoever names its columns", async () => {
    const quoted = (value) => `"${value.replaceAll('"', '""')}"`;
    const rows = reviews.train.map(({ text, label }) => ({ text: `${text}, "so",\nthey say`, label }));
    const expected = losses(await events(open({ ...reviews, train: rows }, gru)));
    const csv = ["label,id,text", ...rows.map(({ text, label }, id) => `${label},${id},${quoted(text)}`)].join("\r\n");
    const named = csv.replace("label,id,text", "grade,id,review");
    for (const table of [
      new File([csv], "reviews.csv"),
      { file: new Blob([csv]), format: "csv" },
      { file: new TextEncoder().encode(named), format: "csv", text: "review", label: "grade" },
      { file: new Response(named), format: "csv", text: 2, label: "grade" },
    ]) {
      assert.deepEqual(losses(await events(open({ ...reviews, train: table }, gru))), expected);
    }
    const plain = losses(await events(open(reviews, gru)));
    const tsv = reviews.train.map(({ text, label }) => `${label}\t${text}`).join("\n");
    assert.deepEqual(losses(await events(open({ ...reviews, train: new File([tsv], "Reviews.TSV") }, gru))), plain);
  });

  const mistakes = {
    "a row of a table without a text": [new File(["yes,fine\nno\n"], "a.csv"), gru, "TRAINING_DATA", /data\.train: line 2: expected at least 2 values, found 1/],
    "a text with a comma, out of quotes": [new File(["text,label\nfine,yes\na plot, a cast,no\n"], "a.csv"), gru, "TRAINING_DATA", /data\.train: line 3: expected at most 2 values, as many as the first row has, found 3/],
    "a column that is not there": [{ file: new Blob(["a,b\n1,2"]), format: "csv", text: "review" }, gru, "TRAINING_DATA", /line 1: there is no column "review"; there are a, b/],
    "a table that is not UTF-8": [new File([new Uint8Array([0x61, 0x2c, 0xff, 0x0a])], "a.csv"), gru, "TRAINING_DATA", /line 1: is not UTF-8/],
    "a table of another format": [{ file: new Blob(["a"]), format: "xml" }, gru, "OPTION_INVALID", /data\.train\.format: expected "csv" or "tsv"/],
    "a table with another key": [{ file: new Blob(["a"]), format: "csv", column: 1 }, gru, "OPTION_INVALID", /column/],
    "no texts": [[], gru, "TRAINING_DATA", /there is no training text/],
    "one text, of which none is left": [[{ text: "a", label: 1 }], gru, "TRAINING_DATA", /there is no training text/],
    "texts that are all held out": [reviews.train, { ...gru, data: { holdOut: 500 } }, "TRAINING_DATA", /there is no training text beside the 500 held out to choose by, found 200 in all/],
    "texts that are held out beside others to choose by": [reviews, { ...gru, data: { holdOut: 5 } }, "OPTION_INVALID", /data\.holdOut: expected 0 where data\.dev is given, found 5/],
    "a block of no texts that are held out": [reviews, { ...gru, data: { devBlock: true } }, "OPTION_INVALID", /data\.devBlock: expected false without data\.holdOut, found true/],
    "no text to choose by": ["ab ".repeat(99), { ...letters, data: { ...letters.data, devShare: 0 } }, "OPTION_INVALID", /settings\.data\.devShare: expected a number between 0 and 1/],
    "nothing at all": [undefined, gru, "OPTION_INVALID", /data\.train: expected an iterable of texts, .*, found undefined/],
    "a row in place of rows": [{ text: "a", label: 1 }, gru, "OPTION_INVALID", /data\.train: expected an iterable of texts, .*, found an object with text, label/],
    "a promise of rows": [Promise.resolve(reviews.train), gru, "OPTION_INVALID", /data\.train: expected an iterable of texts, .*; of a promise, give what it resolves to/],
    "texts without labels": [["fine", "dull"], gru, "OPTION_INVALID", /data\.train\[0\]: expected an object with text and label, found "fine"/],
    "pairs in place of rows": [new Map([["fine", 1]]), gru, "OPTION_INVALID", /data\.train\[0\]: expected an object with text and label, found an array of 2/],
    "files in place of rows": [[new Blob(["yes fine"])], gru, "OPTION_INVALID", /data\.train\[0\]: expected an object with text and label, found a Blob/],
    "a label that is no number": [[{ text: "a", label: NaN }], gru, "OPTION_INVALID", /data\.train\[0\]\.label: expected a string, a number or a boolean, found NaN/],
    "a row without a text": [[{ text: "a", label: 1 }, { label: 1 }], gru, "OPTION_INVALID", /data\.train\[1\]\.text: expected a string, found undefined/],
    "half a character in a label": [[{ text: "a", label: "\ud83d" }], gru, "OPTION_INVALID", /data\.train\[0\]\.label: expected a name without half a character/],
    "half a character in a tag": [[{ words: ["a"], tags: ["\udc00"] }], tags, "OPTION_INVALID", /data\.train\[0\]\.tags\[0\]: expected a name without half a character/],
    "half a character in the name of the data": [reviews, { ...gru, data: { name: "\ud83d" } }, "OPTION_INVALID", /settings\.data\.name: expected a string without half a character/],
    "half a character in the first word": [recorded.text, { ...letters, prediction: { start: "\ud83d" } }, "OPTION_INVALID", /settings\.prediction\.start: expected a string without half a character/],
    "a label without a name": [[{ text: "a", label: "" }], gru, "OPTION_INVALID", /data\.train\[0\]\.label: expected a name that is not empty/],
    "a label that nobody knows": [{ train: reviews.train, dev: [{ text: "a", label: "maybe" }] }, gru, "TRAINING_DATA", /data\.dev\[0\]: the label "maybe" is none of no, yes/],
    "a list of no texts to choose by": [{ train: reviews.train, dev: [] }, gru, "TRAINING_DATA", /^train: data\.dev: expected at least one text, found none$/],
    "a file of no texts to report on": [{ train: reviews.train, test: new Blob(["\n"]) }, gru, "TRAINING_DATA", /^train: data\.test: expected at least one text, found none$/],
    "no words to choose by": [{ train: "ab ".repeat(99), dev: "" }, letters, "TRAINING_DATA", /./],
    "a line without a label": [new Blob(["yes fine\nno"]), gru, "TRAINING_DATA", /data\.train: line 2: expected a label/],
    "bytes that are no text": [new Uint8Array([0xff, 0xfe]), gru, "TRAINING_DATA", /is not UTF-8/],
    "a text without two words": ["", letters, "TRAINING_DATA", /there is no training text/],
    "a set that is none": [{ train: [], test_: [] }, gru, "OPTION_INVALID", /data\.test_: there is no such set/],
    "a number": [5, gru, "OPTION_INVALID", /data\.train: expected/],
    "too many weights": [reviews, { ...gru, model: { encoder: [{ type: "gru", hiddenSize: 60000 }] } }, "MODEL_CONFIG", /at most 268435456 weights, found \d+ weights/],
    "a size out of range": [reviews, { ...gru, model: { encoder: [{ type: "gru", hiddenSize: 0 }] } }, "MODEL_CONFIG", /hiddenSize/],
    "layers that are not there": [reviews, { ...gru, train: { layers: { encoder: [{}, {}, {}] } } }, "OPTION_INVALID", /train\.layers\.encoder: expected at most as many/],
    "a layer by another name": [reviews, { ...gru, train: { layers: { heads: { rate: 0 } } } }, "OPTION_INVALID", /heads/],
    "an epoch that never comes": [reviews, { ...gru, train: { epochs: 2, layers: { head: { from: 2 } } } }, "OPTION_INVALID", /train\.layers\.head\.from: expected below/],
    "a label of a file that nobody knows": [{ train: reviews.train, dev: new Blob(["yes a\nmaybe a\n"]) }, gru, "TRAINING_DATA", /data\.dev:2: the label "maybe"/],
    "a divisor without tails": [recorded.text, { ...letters, prediction: { divValue: 2 } }, "OPTION_INVALID", /: prediction\.divValue: expected/],
    "a language model that pools": [recorded.text, { ...letters, model: { ...letters.model, pool: "last" } }, "OPTION_INVALID", /settings\.model\.pool: there is no such/],
    "a language model that skims": [recorded.text, { ...letters, model: skim.model }, "OPTION_INVALID", /settings\.model\.encoder\[0\]\.type: expected "elman", "lstm", "gru" or "sru", found "skim"/],
    "a tagger that skims": [treebank, { ...tags, model: skim.model }, "OPTION_INVALID", /settings\.model\.encoder\[0\]\.type: expected .* found "skim"/],
    "no batch": [reviews, { ...gru, train: { batch: 0 } }, "OPTION_INVALID", /train\.batch: expected at least 1/],
  };
  for (const [what, [data, settings, code, message]] of Object.entries(mistakes)) {
    test(what, () => assert.rejects(async () => train(data, settings).finish(), (error) => error.code === code && message.test(error.message)));
  }

  test("what the caller's own iterables and rows throw is told with its place", async () => {
    function* after(rows, thrown) {
      yield* rows;
      throw thrown;
    }
    async function* later(rows, thrown) {
      yield* after(rows, thrown);
    }
    const row = { text: "a", label: "yes" };
    const sentence = { words: ["a"], tags: ["DET"] };
    const unread = (mine, key) => Object.defineProperty({}, key, { get: () => { throw mine; } });
    for (const mine of [new Error("mine"), undefined]) {
      const cases = [
        [after([row], mine), gru, "train[1]"],
        [{ train: reviews.train, dev: later([row, row], mine) }, gru, "dev[2]"],
        [[row, unread(mine, "text")], gru, "train[1]"],
        [after(["a"], mine), letters, "train[1]"],
        [later([], mine), letters, "train[0]"],
        [later([sentence], mine), tags, "train[1]"],
        [[unread(mine, "words")], tags, "train[0]"],
      ];
      for (const [data, settings, place] of cases) {
        const message = `train: data.${place}: it cannot be read (${mine ? "mine" : "undefined"})`;
        await assert.rejects(train(data, settings).finish(), (error) => {
          assert.deepEqual([error.code, error.message, error.cause], ["OPTION_INVALID", message, mine]);
          return true;
        });
      }
    }
    const ours = new SaccadeError("FETCH_FAILED", "no such file");
    await assert.rejects(train(after([row], ours), gru).finish(), (error) => error === ours);
  });

  test("a signal ends a run whose texts never end, and others have their turn meanwhile", { timeout: 300_000 }, async () => {
    function* endless(row) {
      for (;;) yield row;
    }
    for (const [row, settings] of [[{ text: "", label: 1 }, gru], ["", letters], [{ words: [], tags: [] }, tags]]) {
      for (const worker of [true, false]) {
        const stop = new AbortController();
        setTimeout(() => stop.abort(), 50);
        await assert.rejects(train(endless(row), settings, { worker, signal: stop.signal }).finish(), { code: "ABORTED" });
      }
    }
  });

  test("a signal ends a run whose texts never come", { timeout: 300_000 }, async () => {
    const begins = async function* (rows) {
      yield* rows;
      await new Promise(() => undefined);
    };
    const cases = [
      [begins([]), gru],
      [{ train: reviews.train, dev: begins(reviews.train) }, gru],
      [begins(["a"]), letters],
      [begins([{ words: ["a"], tags: ["DET"] }]), tags],
    ];
    for (const [data, settings] of cases) {
      const stop = new AbortController();
      const run = train(data, settings, { signal: stop.signal });
      setTimeout(() => stop.abort(), 50);
      await assert.rejects(run.finish(), { code: "ABORTED" });
    }
    let closed = 0;
    const silent = { next: () => new Promise(() => undefined), return: async () => ({ done: true, value: closed++ }) };
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await assert.rejects(train({ [Symbol.asyncIterator]: () => silent }, gru, { signal: stop.signal }).finish(), { code: "ABORTED" });
    assert.equal(closed, 1);
  });

  const settings = {
    "a task that is none": [{ ...gru, task: "clasify" }, /settings\.task: expected "classify", "predict" or "tag"/],
    "a misspelt option": [{ ...gru, train: { learningrate: 1 } }, /settings\.train\.learningrate: there is no such option; did you mean learningRate/],
    "a layer that is none": [{ ...gru, model: { encoder: [{ type: "lsmt", hiddenSize: 4 }] } }, /encoder\[0\]\.type: expected/],
    "a layer without a size": [{ ...gru, model: { encoder: [{ type: "lstm" }] } }, /encoder\[0\]\.hiddenSize: expected a whole number/],
    nothing: [undefined, /settings\.task: expected/],
  };
  for (const [what, [given, message]] of Object.entries(settings)) {
    test(what, () => assert.throws(() => train(reviews, given), (error) => error.code === "OPTION_INVALID" && message.test(error.message)));
  }
});

describe("tags", () => {
  /** Sentences of a treebank as rows. */
  const sentences = (bank) =>
    bank.trim().split("\n\n").map((sentence) => {
      const columns = sentence.split("\n").map((line) => line.split("\t"));
      return { words: columns.map(([, word]) => word), tags: columns.map(([, , , tag]) => tag) };
    });
  const [learned, scored] = [recorded.treebank, recorded.devTreebank].map(sentences);
  const asText = ({ words, tags }) => ({ text: words.join(" "), tags });

  test("words and texts are learned from alike, and side by side", async () => {
    const expected = recorded.tags.losses;
    const mixed = learned.map((row, i) => (i % 3 ? row : asText(row)));
    for (const rows of [learned, learned.map(asText), mixed]) {
      losses(await events(open({ train: rows, dev: scored }, tags))).forEach((found, step) => near(found, expected[step], `step ${step}`));
    }
  });

  test("the only sentence with a tag may be held out", async () => {
    for (let rare = 0; rare < 20; rare++) {
      const rows = Array.from({ length: 20 }, (_, at) => ({ words: ["one", "two"], tags: ["A", at === rare ? "RARE" : "B"] }));
      const run = open(rows, { ...tags, train: { ...tags.train, epochs: 1 } });
      assert.ok((await run.finish()).dev.n > 0);
      run.dispose();
    }
  });

  test("the model is a tagger, at once and in between", async () => {
    const run = open({ train: learned, dev: scored }, tags);
    const found = [];
    for await (const event of run) if (event.type === "evaluated") found.push((await run.tag(["the dog washed", ""])).map((tokens) => tokens.length));
    assert.deepEqual(found, [[3, 0], [3, 0]]);
    const model = await run.model();
    assert.equal(model.task, "tag");
    const [{ tokens }] = await model.tag(["the dog washed"]);
    const [now] = await run.tag(["the dog washed"]);
    assert.deepEqual(tokens.map(({ tag }) => tag), ["DET", "NOUN", "VERB"]);
    assert.deepEqual(now.map(({ text, start, end }) => [text, start, end]), [["the", 0, 3], ["dog", 4, 7], ["washed", 8, 14]]);
    assert.ok(difference(now.map(({ probability }) => probability), tokens.map(({ probability }) => probability)) < 1e-5);
    assert.deepEqual(await model.save(), await run.file());
    model.dispose();
  });

  test("nothing is held out beside texts to choose by", async () => {
    const held = { ...tags, data: { ...tags.data, holdOut: 5 } };
    await assert.rejects(open({ train: learned, dev: scored }, held).finish(), { code: "OPTION_INVALID", message: /hold_?out.*data\.dev is given/i });
    const { dev } = await open(learned, held).finish();
    assert.equal(dev.sentences, 5);
  });

  test("letters, among which are spaces, have their texts", async () => {
    const rows = ["a b", "b a", " ab", "ba "].flatMap((text) => [{ text, label: "space" }, { text: text.trim().replace(" ", "c"), label: "none" }]);
    const run = open({ train: rows, dev: rows }, {
      task: "classify",
      data: { tokenizer: { kind: "characters", lowercase: true } },
      model: { embeddingSize: 4, encoder: [{ type: "gru", hiddenSize: 4 }] },
      train: { batch: 8, epochs: 1, learningRate: 0.01 },
    });
    await run.finish();
    const model = await run.model();
    for (const text of ["a bc d", " ", "   ", "", "  a b  ", "A\n 🎬 İ"]) {
      const { tokens } = await model.read(text);
      assert.deepEqual(tokens.map(({ text }) => text), [...text].map((letter) => letter.toLowerCase()));
    }
    model.dispose();
  });

  test("letters of names", async () => {
    // A vowel is what its neighbour makes of it.
    const names = Array.from({ length: 108 }, (_, i) => [1, 3, 9].map((base, at) => ["bdk", "aou", "lmn"][at][Math.floor(i / base) % 3]).join("") + (i % 54 < 27 ? "e" : ""));
    const rows = names.map((text) => ({ text, tags: [...text].map((letter, i) => (letter === "e" ? "-" : i === 1 && text.endsWith("e") ? letter.toUpperCase() : letter)) }));
    const settings = {
      task: "tag",
      data: { tokenizer: { kind: "characters", lowercase: true } },
      model: { embeddingSize: 8, encoder: [{ type: "lstm", hiddenSize: 16, bidirectional: true }] },
      train: { batch: 8, epochs: 20, learningRate: 0.02 },
    };
    const run = open(rows, settings);
    const { dev } = await run.finish();
    assert.equal(dev.accuracy, 1);
    const model = await run.model();
    const { tokens } = await model.tag("Kume");
    assert.deepEqual(tokens.map(({ text, tag }) => [text, tag]), [["K", "k"], ["u", "U"], ["m", "m"], ["e", "-"]]);
    model.dispose();
  });

  test("a run that goes on from a snapshot ends in the same bytes", async () => {
    const [whole, first] = [0, 1].map(() => open({ train: learned, dev: scored }, tags));
    await whole.finish();
    let steps = 0;
    for await (const event of first) if (event.type === "step" && ++steps === 17) break;
    const second = open({ train: learned, dev: scored }, tags, { resume: structuredClone(await first.snapshot()) });
    await second.finish();
    assert.deepEqual(await second.file(), await whole.file());
  });

  const good = learned.slice(0, 4);
  const mistakes = {
    "a text without a tag for each token": [[...good, { text: "the old dog", tags: ["DET", "NOUN"] }], "TRAINING_DATA", /data\.train\[4\]: expected one tag for each of its 3 tokens, found 2/],
    "words without a tag for each": [[...good, { words: ["a"], tags: [] }], "TRAINING_DATA", /data\.train\[4\]: expected one tag for each of its 1 words, found 0/],
    "a word without a letter": [[{ words: ["a", ""], tags: ["DET", "NOUN"] }], "OPTION_INVALID", /data\.train\[0\]\.words\[1\]: expected a word that is not empty/],
    "sentences without tags": [["the dog"], "OPTION_INVALID", /data\.train\[0\]: expected an object with text or words, and tags, found "the dog"/],
    "no tags": [[{ text: "a" }], "OPTION_INVALID", /data\.train\[0\]\.tags: expected an array of strings/],
    "a tag that is no string": [[{ words: ["a"], tags: [1] }], "OPTION_INVALID", /data\.train\[0\]\.tags\[0\]: expected a string/],
    "neither text nor words": [[{ tags: [] }], "OPTION_INVALID", /data\.train\[0\]\.text: expected a string, or words/],
    "a tag that nobody knows": [{ train: learned, dev: [{ words: ["a"], tags: ["X"] }] }, "TRAINING_DATA", /data\.dev\[0\]: the label "X" is none of ADJ, DET/],
    "a line that is no word": [new Blob(["1\ta\t_\tDET\t_\t_\t0\tdep\t_\t_\n2\tdog\n"]), "TRAINING_DATA", /data\.train: line 2: expected a word in CoNLL-U/],
    "no sentences": [[], "TRAINING_DATA", /there is no training text/],
    "no words": [Array(4).fill({ words: [], tags: [] }), "TRAINING_DATA", /there is no training text/],
  };
  for (const [what, [data, code, message]] of Object.entries(mistakes)) {
    test(what, () => assert.rejects(async () => train(data, tags).finish(), (error) => error.code === code && message.test(error.message)));
  }

  test("settings that suit no tagger", async () => {
    assert.throws(() => train(learned, { ...tags, model: { ...tags.model, pool: "last" } }), { code: "OPTION_INVALID" });
    await assert.rejects(open(learned, tags).read(["a"]), /run\.read: expected a run whose task is "classify"/);
  });
});

describe("tokenizers", () => {
  const all = ["spaces", "characters", "treebank", "universal"];
  const kinds = { classify: all.slice(0, 3), predict: all.slice(0, 3), tag: all.slice(0, 2) };
  for (const [task, data, settings] of [["classify", reviews, skim], ["predict", recorded.text, letters], ["tag", treebank, tags]]) {
    test(`${task}: one that does not train is refused by its name, before a text is read`, () => {
      const unread = { get [Symbol.iterator]() { assert.fail("it was read"); } };
      for (const kind of all) {
        const told = { ...settings, data: { tokenizer: { kind, lowercase: true } } };
        if (kinds[task].includes(kind)) {
          train(data, told).dispose();
          continue;
        }
        const message = new RegExp(`settings\\.data\\.tokenizer\\.kind: expected "spaces".*, found "${kind}"`);
        assert.throws(() => train(unread, told), { code: "OPTION_INVALID", message });
      }
    });
  }
});

describe("the end", () => {
  test("a signal ends a run, whenever it comes", async () => {
    for (const after of [0, 1, 3, 17]) {
      const stop = new AbortController();
      const run = train(reviews, skim, { signal: stop.signal });
      let told = 0;
      await assert.rejects(async () => {
        if (after === 0) stop.abort();
        for await (const _ of run) if (++told === after) stop.abort();
      }, { code: "ABORTED" });
      await assert.rejects(run.file(), { code: "ABORTED" });
    }
  });

  test("whoever ends a run need not wait for texts or a file that never come", { timeout: 60_000 }, async () => {
    const never = () => new Promise(() => {});
    const stalled = () => new Response(new ReadableStream({}));
    const waits = [
      (options) => train(never(), skim, options),
      (options) => train(stalled(), skim, options),
      (options) => train({ file: stalled(), format: "csv" }, skim, options),
      (options) => train(reviews, skim, { ...options, from: never() }),
      (options) => train(reviews, skim, { ...options, from: stalled() }),
    ];
    for (const begin of waits) {
      const stop = new AbortController();
      const [aborted, disposed] = [begin({ signal: stop.signal }), begin({})];
      const ends = [assert.rejects(aborted.finish(), { code: "ABORTED" }), assert.rejects(disposed.finish(), { code: "DISPOSED" })];
      await new Promise((resolve) => setTimeout(resolve, 20));
      stop.abort();
      disposed.dispose();
      await Promise.all(ends);
    }
  });

  test("a signal ends a run at the event that was told, though more is done", async () => {
    const stop = new AbortController();
    const few = reviews.train.slice(0, 4);
    const run = train({ train: few, dev: few }, { ...skim, train: { ...skim.train, epochs: 100, batch: 1 } }, { signal: stop.signal });
    const told = [];
    await assert.rejects(async () => {
      for await (const { type } of run) if (told.push(type) === 20) stop.abort();
    }, { code: "ABORTED" });
    assert.equal(told.length, 20);
    await assert.rejects(run.file(), { code: "ABORTED" });
  });

  test("a run that was disposed of", async () => {
    const run = train(reviews, skim);
    await run[Symbol.asyncIterator]().next();
    run.dispose();
    // Of what is over nothing can be put off.
    run.pause();
    await assert.rejects(run.finish(), { code: "DISPOSED" });
  });

  test("a run that is stopped as the engine makes it is freed once it is made", async () => {
    const stop = new AbortController();
    const released = [];
    let [begin, free] = [];
    const begun = new Promise((resolve) => (begin = resolve));
    const freed = new Promise((resolve) => (free = resolve));
    const answers = {
      start: () => undefined,
      texts: () => 1,
      labelled: () => undefined,
      begin() {
        stop.abort();
        return begun;
      },
      release: (id) => free(released.push(id)),
    };
    const trainer = { call: async (name, args) => answers[name](...args) };
    const run = new Training({ trainer, sets: reviews, settings: skim, options: { signal: stop.signal } });
    await assert.rejects(run.finish(), { code: "ABORTED" });
    begin({ id: 2 });
    await freed;
    assert.deepEqual(released, [2]);
  });

  test("a run that failed or was stopped says so to every loop, one that ended ends", async () => {
    const loops = (run) => Array.from({ length: 3 }, () => () => events(run));
    for (const loop of loops(train([], skim))) await assert.rejects(loop, { code: "TRAINING_DATA" });
    const stop = new AbortController();
    const stopped = train(reviews, skim, { signal: stop.signal });
    await stopped[Symbol.asyncIterator]().next();
    stop.abort();
    for (const loop of loops(stopped)) await assert.rejects(loop, { code: "ABORTED" });
    const whole = open(reviews, skim);
    await whole.finish();
    for (const loop of loops(whole)) assert.deepEqual(await loop(), []);
  });

  test("a loss that is no number stops it, and the best model is kept", async () => {
    const run = open(reviews, { ...skim, train: { ...skim.train, epochs: 50, clip: 0 } });
    await assert.rejects(async () => {
      for await (const event of run) if (event.type === "evaluated") await run.set({ learningRate: 1e30 });
    }, { code: "TRAINING_DIVERGED", message: /a lower learningRate or clip may help/ });
    assert.equal((await load(await run.file())).task, "classify");
  });
});
