/** Taggers, parsers and tree classifiers: the command line's answers, in this thread and in a worker, in Node and in a page. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { address, bytesOf, load, SaccadeError, hasGpu } from "./package.mjs";

const FILES = { tag: "models/ewt-tagger.safetensors", parse: "models/ewt-parser.safetensors", tree: "models/sst-tree-lstm.safetensors" };
const fixtures = JSON.parse(new TextDecoder().decode(await bytesOf("js/tests/structure/fixtures.json")));
const TEXT = "The old man didn't see the two films in Berlin, did he?";
const TREE = "(3 (2 Quite) (4 (3 good) (2 -RRB-)))";
/** How far apart the probabilities of two processors may lie. */
const BOUND = 1e-4;

/** Checks a token or node: numbers to within rounding, all else exactly. */
function assertAnswer({ probability, probabilities, ...found }, { probability: p, probabilities: all, ...expected }) {
  assert.deepEqual(found, expected);
  const pairs = all ? Object.entries(all).map(([label, q]) => [probabilities[label], q]) : [[probability, p]];
  for (const [a, b] of pairs) assert.ok(Math.abs(a - b) < BOUND, `${found.text}: ${a} instead of ${b}`);
}

/** A node as the command line writes it. */
function written({ nodes }) {
  const numbers = new Map(nodes.map((node, i) => [node, i]));
  return nodes.map(({ probability, scores, children, ...node }) => {
    assert.equal(probability, Math.max(...scores.map(({ probability }) => probability)));
    const probabilities = Object.fromEntries(scores.map(({ label, probability }) => [label, probability]));
    return { ...node, probabilities, children: children.length === 0 ? null : children.map((child) => numbers.get(child)) };
  });
}

async function gathered(answers) {
  const all = [];
  for await (const answer of answers) all.push(answer);
  return all;
}

const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

/** What each kind of model is asked, and how. */
const kinds = {
  tag: { ask: "tag", each: "tagAll", one: TEXT, parts: ({ tokens }) => tokens, argument: "texts" },
  parse: { ask: "parse", each: "parseAll", one: TEXT, parts: ({ tokens }) => tokens, argument: "texts" },
  tree: { ask: "classify", each: "classifyAll", one: TREE, parts: written, argument: "trees" },
};

for (const [task, { ask, each, one, parts, argument }] of Object.entries(kinds)) {
  describe(`a model of the task ${task}`, () => {
    let model;
    before(async () => (model = await load(address(FILES[task]))));
    after(() => model.dispose());

    test("is told by its file", async () => {
      assert.deepEqual([model.task, model.config.task, model.device], [task, task, "cpu"]);
      assert.match(model.deviceReason, /where it is asked for/);
      assert.ok(model.config.labels.length > 1 && model.config.vocabularySize > 1000);
      const { config, parameters, tensors } = await model.inspect();
      assert.deepEqual(config, model.config);
      assert.equal(parameters, tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
      const again = await load(bytesOf(FILES[task]), { task, device: "cpu", precision: "bf16", warmUp: false });
      assert.match(again.deviceReason, /as asked/);
      assert.equal(parts(await again[ask](one)).length, parts(await model[ask](one)).length);
      again.dispose();
      for (const other of ["classify", "predict", "tag", "parse", "tree"].filter((other) => other !== task)) {
        await assert.rejects(load(address(FILES[task]), { task: other }), { code: "MODEL_CONFIG", message: new RegExp(`"${other}", found "${task}"`) });
      }
      await assert.rejects(load(address("models/sst2-skim-lstm-small.safetensors"), { task }), { code: "MODEL_CONFIG", message: /found "classify"/ });
    });

    test("answers as the command line does, one by one, all together and as a stream", async () => {
      const given = fixtures[task].map(({ given }) => given);
      assert.ok(given.length > 3);
      const singly = [];
      for (const text of given) singly.push(await model[ask](text));
      for (const answers of [singly, await model[ask](new Set(given)), await gathered(model[each](given))]) {
        assert.equal(answers.length, given.length);
        fixtures[task].forEach(({ answer, given }, i) => {
          const found = parts(answers[i]);
          const expected = answer.tokens ?? answer.nodes;
          assert.equal(found.length, expected.length);
          found.forEach((part, at) => assertAnswer(part, expected[at]));
          const text = answers[i].text ?? given;
          for (const { text: own, start, end } of found) assert.equal(own, text.slice(start, end));
        });
      }
      assert.deepEqual([await model[ask]([]), await gathered(model[each]([]))], [[], []]);
    });

    test("answers many in their order, and tells how far it is", async () => {
      const given = Array.from({ length: 700 }, (_, i) => (task === "tree" ? `( ( word${i}) ( good))` : `Word${i} was good.`));
      const told = [];
      const all = await model[ask](given, { onProgress: ({ done, total }) => told.push([done, total]) });
      all.forEach((answer, i) => assert.equal(parts(answer)[0].text.toLowerCase(), `word${i}`));
      assert.ok(told.length > 1 && told.every(([done, total], i) => total === 700 && done > (told[i - 1]?.[0] ?? 0)));
      assert.deepEqual(told.at(-1), [700, 700]);
    });

    test("takes of a stream no more than it is asked for, and closes it", async () => {
      let [taken, closed] = [0, false];
      function* endless() {
        try {
          for (;;) yield one.replace(/man|good/, `w${taken++}`);
        } finally {
          closed = true;
        }
      }
      let answered = 0;
      for await (const answer of model[each](endless())) {
        assert.ok(parts(answer).some(({ text }) => text === `w${answered}`));
        answered += 1;
        assert.ok(taken - answered < 256, `${taken} were taken to answer ${answered}`);
        if (answered === 300) break;
      }
      assert.ok(closed);
    });

    test("answers what has arrived before the rest does, and stops while it waits", async () => {
      let closed = false;
      async function* slow() {
        try {
          yield one;
          yield one;
          await later(50);
          yield one;
          await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
        } finally {
          closed = true;
        }
      }
      const stop = new AbortController();
      const told = [];
      const answers = model[each](slow(), { signal: stop.signal, onProgress: (progress) => told.push(progress) });
      for (let i = 0; i < 3; i++) assert.ok(parts((await answers.next()).value).length > 1);
      const waiting = answers.next();
      stop.abort("enough");
      await assert.rejects(waiting, { code: "ABORTED", cause: "enough" });
      assert.deepEqual(told.at(-1), { done: 3, total: null });
      assert.deepEqual(await answers.next(), { done: true, value: undefined });
      while (!closed) await later(1);
    });

    test("says what is wrong with a stream", async () => {
      async function* broken() {
        yield one;
        throw new Error("the disk is gone");
      }
      await assert.rejects(gathered(model[each](broken())), { code: "OPTION_INVALID", message: new RegExp(`${each}: ${argument}: .*the disk is gone`) });
      await assert.rejects(gathered(model[each]([one, 5])), { code: "OPTION_INVALID", message: new RegExp(`${each}: ${argument}\\[1\\]: expected a string, found 5`) });
      for (const wrong of ["a string", 5, null, {}]) {
        await assert.rejects(gathered(model[each](wrong)), { code: "OPTION_INVALID", message: new RegExp(`${each}: ${argument}: `) });
      }
    });

    test("refuses what it does not take, by name", async () => {
      await assert.rejects(model[ask](5), { name: "OptionError", code: "OPTION_INVALID", message: new RegExp(`${ask}: ${argument}: expected a string`) });
      await assert.rejects(model[ask]([one, null]), { code: "OPTION_INVALID", message: new RegExp(`${argument}\\[1\\]`) });
      await assert.rejects(model[ask](one, { devise: "cpu" }), { code: "OPTION_INVALID", message: /did you mean device/ });
      await assert.rejects(model[ask](one, { threshold: 0.5 }), { code: "OPTION_INVALID" });
      await assert.rejects(model[ask](one, {}, 1), { code: "OPTION_INVALID" });
      await assert.rejects(model[ask](one, { signal: AbortSignal.abort() }), { code: "ABORTED" });
      const only = model[ask](one, { device: "webgpu-only" });
      if (hasGpu) assert.ok(parts(await only).length > 0);
      else await assert.rejects(only, { code: "DEVICE_UNAVAILABLE" });
      assert.ok(parts(await model[ask](one, { device: "webgpu" })).length > 0);
      assert.match(model.deviceReason, hasGpu ? /^WebGPU, as asked/ : /^CPU, since /);
    });

    test("is stopped in the midst of what is long, and goes on with others", async () => {
      const long = task === "tree" ? Array(500).fill(TREE) : `${TEXT} `.repeat(3000);
      const stop = new AbortController();
      let told = 0;
      const onProgress = () => {
        told += 1;
        stop.abort("enough");
      };
      await assert.rejects(model[ask](long, { signal: stop.signal, onProgress }), { code: "ABORTED", cause: "enough" });
      assert.equal(told, 1);
      const throws = () => {
        throw new Error("mine");
      };
      await assert.rejects(model[ask](long, { onProgress: throws }), { code: "CALLBACK_FAILED", message: /mine/ });
      assert.ok(parts(await model[ask](one)).length > 0);
    });

    test("is disposed, also while it answers", async () => {
      const gone = await load(address(FILES[task]), { warmUp: false });
      const asked = gone[ask](one);
      gone.dispose();
      await assert.rejects(asked, { code: "DISPOSED" });
      await assert.rejects(gone[ask](one), { code: "DISPOSED" });
      await assert.rejects(gathered(gone[each]([one])), { code: "DISPOSED" });
    });

    test("does not open by halves", async () => {
      const file = await bytesOf(FILES[task]);
      await assert.rejects(load(file.slice(0, file.length - 100)), { code: "MODEL_TRUNCATED" });
      const text = new TextDecoder("latin1").decode(file.subarray(0, 2_000_000));
      const renamed = file.slice();
      renamed[text.search(/"head\.(slots\.)?bias"/) + 1] = "x".charCodeAt(0);
      await assert.rejects(load(renamed), { name: "ModelError", code: "MODEL_TENSORS" });
      const otherTask = file.slice();
      otherTask[text.indexOf(`\\"${task}\\"`) + 2] = "x".charCodeAt(0);
      await assert.rejects(load(otherTask), { name: "ModelError", code: "MODEL_CONFIG" });
    });
  });
}

describe("a parser", () => {
  let model;
  before(async () => (model = await load(address(FILES.parse))));
  after(() => model.dispose());

  test("gives every sentence one root, and words heads in it", async () => {
    const text = `${TEXT} `.repeat(40);
    const { tokens } = await model.parse(text);
    const roots = tokens.filter(({ head }) => head === null);
    assert.equal(roots.length, 40);
    assert.ok(roots.every(({ relation }) => relation === "root"));
    assert.ok(model.config.relations.length > 20 && !model.config.relations.includes("root"));
    for (const { head, relation } of tokens) {
      if (head !== null) assert.ok(tokens[head] && model.config.relations.includes(relation));
    }
  });
});

describe("a tree classifier", () => {
  let model;
  before(async () => (model = await load(address(FILES.tree))));
  after(() => model.dispose());

  test("gives a tree of any depth, whose root is its last node", async () => {
    const depth = 400;
    const deep = `${"( ( very) ".repeat(depth)}( good)${")".repeat(depth)}`;
    const { root, nodes, text } = await model.classify(deep);
    assert.equal(nodes.length, 2 * depth + 1);
    assert.ok(root === nodes.at(-1) && root.text === text);
    let [node, at] = [root, 0];
    for (; node.children.length > 0; at++) node = node.children[1];
    assert.deepEqual([at, node.text], [depth, "good"]);
    assert.deepEqual(await model.classify(" \n"), { text: "", root: null, nodes: [] });
  });

  test("says which tree is none, and where", async () => {
    await assert.rejects(model.classify("(3 (2 a) (2 b)"), { code: "OPTION_INVALID", message: /^classify: tree: line 1, column 1: a bracket opens/ });
    const many = [...Array(600).fill(TREE), "( ( a))"];
    await assert.rejects(model.classify(many), { code: "OPTION_INVALID", message: /^classify: trees\[600\]: line 1, column 1: a node has 1 child/ });
    await assert.rejects(gathered(model.classifyAll(many)), { code: "OPTION_INVALID", message: /^classifyAll: trees\[600\]: / });
    await assert.rejects(model.classify("a film"), (error) => error instanceof SaccadeError && /expected a tree in brackets/.test(error.message));
  });
});

test("a classifier of a parser's trees is refused by the field that says so, and others open after it", async () => {
  const refused = { name: "ModelError", code: "MODEL_CONFIG", message: /task\.tree\.cell.*expected binary.*found child_sum/ };
  for (const options of [{}, { task: "tree" }]) await assert.rejects(load(address("models/sst-child-sum.safetensors"), options), refused);
  const model = await load(address(FILES.tree), { task: "tree" });
  assert.ok((await model.classify(TREE)).nodes.length > 0);
  model.dispose();
});
