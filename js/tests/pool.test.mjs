/** Workers that answer for a model: as it does alone, in order, with few texts in memory; stopped, left and refused. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { address, AbortError, DisposedError, load, OptionError, withParser } from "./package.mjs";

const TEXT = "The old man didn't see the two films in Berlin, did he?";
const TREE = "(3 (2 Quite) (4 (3 good) (2 -RRB-)))";

/** Without what it took, which no two calls have in common. */
const untimed = (all) => all.map(({ timing, ...answer }) => answer);

async function gathered(answers) {
  const all = [];
  for await (const answer of answers) all.push(answer);
  return all;
}

/** A text by its number: short, long, empty and in other letters. */
const text = (i) => (i % 41 === 7 ? "" : i % 97 === 11 ? `${TEXT} `.repeat(5) : i % 13 === 5 ? `שלום ${i} 🎬` : `${TEXT.slice(35 + (i % 20))} And ${i}?`);
const tree = (i) => (i % 41 === 7 ? "" : `( ( word${i % 60}) ${i % 5 === 0 ? TREE : "( good)"})`);
/** How many make several batches for each worker. */
const MANY = 120;

/** What each kind of model is asked. */
const kinds = {
  classify: { file: "sst2-skim-lstm-small", name: "readAll", argument: "texts", given: text, ask: (model, texts, options) => model.readAll(texts, options) },
  predict: { file: "shakespeare-sru", name: "scoreAll", argument: "texts", given: text, streams: true },
  tag: { file: "ewt-tagger", name: "tagAll", argument: "texts", given: text, streams: true },
  parse: { file: "ewt-parser", name: "parseAll", argument: "texts", given: text, streams: true },
  tree: { file: "sst-tree-lstm", name: "classifyAll", argument: "trees", given: tree, streams: true },
  "tree of texts": { file: "sst-child-sum", name: "classifyAll", argument: "trees", given: text, streams: true, needsParser: true },
};
for (const kind of Object.values(kinds)) kind.ask ??= (model, texts, options) => gathered(model[kind.name](texts, options));

for (const [task, { file, name, argument, given, ask, streams = false, needsParser = false }] of Object.entries(kinds)) {
  describe(`workers for the task ${task}`, () => {
    let model;
    let parser;
    const opened = async (options) => {
      const loaded = await load(address(`models/${file}.safetensors`), options);
      return needsParser ? withParser(parser, loaded) : loaded;
    };
    before(async () => {
      if (needsParser) parser = await load(address("models/ewt-parser.safetensors"));
      model = await opened();
    });
    after(() => {
      model.dispose();
      parser?.dispose();
    });
    const some = (count, from = 0) => Array.from({ length: count }, (_, i) => given(from + i));

    test("answer as the model does alone, in the same order", async () => {
      const texts = some(MANY);
      const alone = untimed(await ask(model, texts));
      for (const workers of [2, 3, "auto", 0]) {
        const told = [];
        const found = untimed(await ask(model, texts, { workers, onProgress: ({ done, total }) => told.push([done, total]) }));
        assert.deepEqual(found, alone);
        assert.deepEqual(told.at(-1), [MANY, MANY]);
        const portions = told.map(([done], i) => done - (told[i - 1]?.[0] ?? 0));
        assert.ok(portions.every((texts) => texts > 0));
        // Two workers have as many texts as one another, to the rounding of a portion.
        if (workers === 2) assert.deepEqual([...new Set(portions)], [MANY / 8]);
      }
      assert.equal(model.device, "cpu");
      for (const workers of [2, 0]) {
        const none = [];
        assert.deepEqual(await ask(model, [], { workers, onProgress: (progress) => none.push(progress) }), []);
        assert.deepEqual(none, [{ done: 0, total: 0 }]);
      }
      assert.deepEqual(untimed(await ask(model, new Set(some(2)), { workers: 2 })), alone.slice(0, 2));
    });

    test("are counted from 0, and refused with a GPU", async () => {
      for (const workers of [-1, 0.5, NaN, Infinity, 1025, 2 ** 32, "many", "2", true, {}, 2n]) {
        await assert.rejects(ask(model, some(2), { workers }), (error) => {
          assert.ok(error instanceof OptionError && error.code === "OPTION_INVALID");
          assert.match(error.message, new RegExp(`^${name}: options\\.workers: expected a whole number from 0 to 1,024, or "auto", found `));
          return true;
        });
      }
      const message = new RegExp(`^${name}: options\\.device: expected with workers "cpu" or "auto", since workers compute on the CPU, found "webgpu`);
      for (const device of ["webgpu", "webgpu-only"]) await assert.rejects(ask(model, some(2), { workers: 2, device }), { code: "OPTION_INVALID", message });
      const there = await opened({ device: "webgpu", warmUp: false });
      await assert.rejects(ask(there, some(2), { workers: 2 }), { code: "OPTION_INVALID", message });
      assert.equal((await ask(there, some(2), { workers: 2, device: "cpu" })).length, 2);
      there.dispose();
    });

    test("stop together, at once and in the midst, and others go on", async () => {
      await assert.rejects(ask(model, some(2), { workers: 2, signal: AbortSignal.abort("early") }), { code: "ABORTED", cause: "early" });
      const stop = new AbortController();
      let told = 0;
      const stopped = ask(model, some(1500), { workers: 2, signal: stop.signal, onProgress: () => ++told === 2 && stop.abort("enough") });
      await assert.rejects(stopped, (error) => error instanceof AbortError && error.cause === "enough");
      assert.equal(told, 2);
      if (task !== "classify" && task !== "tree") return;
      // While they begin as well.
      const fresh = new AbortController();
      const begun = ask(model, some(1500), { workers: 2, signal: fresh.signal });
      setTimeout(() => fresh.abort("at once"), 1);
      await assert.rejects(begun, { code: "ABORTED", cause: "at once" });
      const throws = () => {
        throw new Error("mine");
      };
      await assert.rejects(ask(model, some(1500), { workers: 2, onProgress: throws }), { code: "CALLBACK_FAILED", message: /mine/ });
      assert.deepEqual(untimed(await ask(model, some(30), { workers: 2 })), untimed(await ask(model, some(30))));
    });

    test("end with the model", async () => {
      const gone = await opened({ warmUp: false });
      assert.equal((await ask(gone, some(50), { workers: 2 })).length, 50);
      const asked = ask(gone, some(1500), { workers: 2 });
      setTimeout(() => gone.dispose(), 20);
      await assert.rejects(asked, (error) => error instanceof DisposedError);
      await assert.rejects(ask(gone, some(2), { workers: 2 }), { code: "DISPOSED" });
    });

    if (!streams) return;

    test("are taken up by the calls that stream, one in the midst of the other", async () => {
      let inner = 0;
      for await (const _ of model[name](some(60), { workers: 2 })) {
        if (inner === 0) inner = (await gathered(model[name](some(40), { workers: 2 }))).length;
      }
      assert.equal(inner, 40);
    });

    test("answer all texts before one that is none", async () => {
      for (const workers of [0, 2]) {
        let answered = 0;
        const all = async () => {
          for await (const _ of model[name]([...some(9), 7, ...some(9)], { workers })) answered += 1;
        };
        await assert.rejects(all(), { code: "OPTION_INVALID", message: new RegExp(`^${name}: ${argument}\\[9\\]: expected a string, found 7`) });
        assert.equal(answered, 9);
      }
    });

    // All calls that stream are one: the rest is asked of the fastest.
    if (task !== "tree") return;

    test("are not given once the signal is aborted, or the model disposed of", async () => {
      for (const workers of [0, 2]) {
        const gone = await opened({ warmUp: false });
        for (const [end, error] of [
          [(stop) => stop.abort("enough"), { code: "ABORTED", cause: "enough" }],
          [() => gone.dispose(), { code: "DISPOSED" }],
        ]) {
          const stop = new AbortController();
          let answered = 0;
          const all = async () => {
            for await (const _ of gone[name](some(300), { workers, signal: stop.signal })) if (++answered === 2) end(stop);
          };
          await assert.rejects(all(), error);
          assert.equal(answered, 2);
        }
      }
    });

    test("tell how many there were when they end, though nobody knew before", async () => {
      function* all() {
        for (let i = 0; i < 256; i++) yield TREE;
      }
      for (const workers of [0, 2]) {
        const told = [];
        await gathered(model[name](all(), { workers, onProgress: ({ done, total }) => told.push([done, total]) }));
        assert.deepEqual(told.at(-1), [256, 256]);
      }
    });

    test("take a few batches of endless texts, and leave them when they are left", async () => {
      let taken = 0;
      let closed = 0;
      async function* later() {
        try {
          for (;;) yield given(taken++);
        } finally {
          closed += 1;
        }
      }
      function* endless() {
        try {
          for (;;) yield given(taken++);
        } finally {
          closed += 1;
        }
      }
      const first = untimed(await ask(model, some(5)));
      for (const source of [later, endless]) {
        taken = 0;
        let answered = 0;
        const found = [];
        for await (const answer of model[name](source(), { workers: 2 })) {
          if (found.length < 5) found.push(answer);
          answered += 1;
          // Two batches of 256 for each of the two, and what is being given away.
          assert.ok(taken - answered <= 6 * 256, `${taken} were taken to answer ${answered}`);
          if (answered === 300) break;
        }
        assert.deepEqual(untimed(found), first);
      }
      for (let turns = 0; closed < 2 && turns < 5000; turns++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(closed, 2);
    });

    test("are left whatever the end of the texts throws", async () => {
      function* endless() {
        try {
          for (;;) yield given(0);
        } finally {
          throw new Error("mine");
        }
      }
      for (const workers of [0, 2]) {
        for await (const _ of model[name](endless(), { workers })) break;
        const stop = new AbortController();
        await assert.rejects(async () => {
          for await (const _ of model[name](endless(), { workers, signal: stop.signal })) stop.abort();
        }, { code: "ABORTED" });
      }
    });

    test("wait for whoever takes their answers", async () => {
      let taken = 0;
      async function* later() {
        for (;;) yield given(taken++);
      }
      const answers = model[name](later(), { workers: 2 });
      await answers.next();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const before = taken;
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(taken, before);
      await answers.return();
      assert.deepEqual(await answers.next(), { done: true, value: undefined });
    });

    test("answer what has arrived while the rest is awaited", async () => {
      let go;
      const rest = new Promise((resolve) => (go = resolve));
      async function* slow() {
        yield given(0);
        await rest;
        yield given(1);
      }
      const answers = model[name](slow(), { workers: 2 });
      assert.equal((await answers.next()).done, false);
      go();
      assert.deepEqual([(await answers.next()).done, (await answers.next()).done], [false, true]);
      // And what is wrong comes in its place.
      async function* broken() {
        yield* some(300);
        throw new Error("the disk is gone");
      }
      for (const workers of [0, 2]) {
        let answered = 0;
        const all = async () => {
          for await (const _ of model[name](broken(), { workers })) answered += 1;
        };
        await assert.rejects(all(), { code: "OPTION_INVALID", message: new RegExp(`^${name}: ${argument}\\[300\\]: .*the disk is gone`) });
        assert.equal(answered, 300);
      }
    });
  });
}

test("a tree that is none is named by its number after all before it, whoever has it", async () => {
  const model = await load(address("models/sst-tree-lstm.safetensors"), { warmUp: false });
  const many = [...Array(700).fill(TREE), "( ( a))", ...Array(700).fill(TREE)];
  for (const workers of [0, 2]) {
    let answered = 0;
    const all = async () => {
      for await (const { text } of model.classifyAll(many, { workers })) answered += Number(text.length > 0);
    };
    await assert.rejects(all(), { code: "OPTION_INVALID", message: /^classifyAll: trees\[700\]: line 1, column 1: a node has 1 child/ });
    assert.equal(answered, 700, "those before it have their answers");
  }
  await assert.rejects(model.classify(many), { code: "OPTION_INVALID", message: /^classify: trees\[700\]: / });
  model.dispose();
});

test("texts that are read piece by piece are dealt out with the others", async () => {
  const model = await load(address("models/sst2-skim-lstm-small.safetensors"), { warmUp: false });
  const long = `${TEXT} `.repeat(700);
  const texts = [TEXT, long, "a", long, long, "film"];
  assert.deepEqual(untimed(await model.readAll(texts, { workers: 2, threshold: 0.4 })), untimed(await model.readAll(texts, { threshold: 0.4 })));
  model.dispose();
});
