/** Taggers, parsers and tree classifiers: the command line's answers, in this thread and in a worker, in Node and in a page. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { address, bytesOf, hasGpu, load, ofOtherThread, SaccadeError, withParser } from "./package.mjs";

/** A tagger with a conditional random field (`structure/field.mjs`). */
const FIELD = "js/tests/structure/field.safetensors";
const PARSER = "models/ewt-parser.safetensors";
const OF_BRACKETS = "models/sst-tree-lstm.safetensors";
const OF_TEXTS = "models/sst-child-sum.safetensors";
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

/** A node of a parser's tree as the command line writes it. */
function writtenPhrases({ nodes, roots }) {
  assert.deepEqual(roots, nodes.filter(({ token }) => token.head === null));
  nodes.forEach((node, at) => assert.deepEqual(node.children, nodes.filter(({ token }) => token.head === at)));
  return nodes.map(({ token: { text: word, tag, head, relation }, probability, scores, children, ...node }) => {
    assert.equal(probability, Math.max(...scores.map(({ probability }) => probability)));
    return { ...node, word, tag, head, relation, probabilities: Object.fromEntries(scores.map(({ label, probability }) => [label, probability])) };
  });
}

async function gathered(answers) {
  const all = [];
  for await (const answer of answers) all.push(answer);
  return all;
}

const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

const tagged = { task: "tag", ask: "tag", each: "tagAll", one: TEXT, parts: ({ tokens }) => tokens, argument: "texts" };
const classified = { task: "tree", ask: "classify", each: "classifyAll", argument: "trees" };
/** What each kind of model is asked, and how, by the fixtures' names. */
const kinds = {
  tag: { ...tagged, file: "models/ewt-tagger.safetensors" },
  field: { ...tagged, file: FIELD },
  parse: { ...tagged, task: "parse", ask: "parse", each: "parseAll", file: PARSER },
  tree: { ...classified, one: TREE, parts: written, file: OF_BRACKETS },
  heads: { ...classified, one: TEXT, parts: writtenPhrases, file: OF_TEXTS, needsParser: true },
};

for (const [kind, { task, ask, each, one, parts, argument, file: path, needsParser = false }] of Object.entries(kinds)) {
  const name = ({ word, text }) => word ?? text;
  describe(`a model of the task ${task}: ${path}`, () => {
    let model;
    let parser;
    const opened = async (options, from = address(path)) => {
      const loaded = await load(from, options);
      return needsParser ? withParser(parser, loaded) : loaded;
    };
    before(async () => {
      if (needsParser) parser = await load(address(PARSER), { task: "parse" });
      model = await opened();
    });
    after(() => {
      model.dispose();
      parser?.dispose();
    });

    test("is told by its file", async () => {
      assert.deepEqual([model.task, model.config.task, model.device], [task, task, "cpu"]);
      assert.match(model.deviceReason, /where it is asked for/);
      assert.ok(model.config.labels.length > 1 && model.config.vocabularySize > 10);
      const { config, parameters, tensors } = await model.inspect();
      assert.deepEqual(config, model.config);
      assert.equal(parameters, tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
      const again = await opened({ task, device: "cpu", precision: "bf16", warmUp: false }, bytesOf(path));
      assert.match(again.deviceReason, /as asked/);
      assert.equal(parts(await again[ask](one)).length, parts(await model[ask](one)).length);
      again.dispose();
      for (const other of ["classify", "predict", "tag", "parse", "tree"].filter((other) => other !== task)) {
        await assert.rejects(load(address(path), { task: other }), { code: "MODEL_CONFIG", message: new RegExp(`"${other}", found "${task}"`) });
      }
      await assert.rejects(load(address("models/sst2-skim-lstm-small.safetensors"), { task }), { code: "MODEL_CONFIG", message: /found "classify"/ });
    });

    test("answers as the command line does, one by one, all together and as a stream", async () => {
      const given = fixtures[kind].map(({ given }) => given);
      assert.ok(given.length > 3);
      const singly = [];
      for (const text of given) singly.push(await model[ask](text));
      for (const answers of [singly, await model[ask](new Set(given)), await gathered(model[each](given))]) {
        assert.equal(answers.length, given.length);
        fixtures[kind].forEach(({ answer, given }, i) => {
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
      const given = Array.from({ length: 700 }, (_, i) => (one === TREE ? `( ( word${i}) ( good))` : `Word${i} was good.`));
      const told = [];
      const all = await model[ask](given, { onProgress: ({ done, total }) => told.push([done, total]) });
      all.forEach((answer, i) => assert.equal(name(parts(answer)[0]).toLowerCase(), `word${i}`));
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
        assert.ok(parts(answer).some((part) => name(part) === `w${answered}`));
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
      await assert.rejects(gathered(model[each](broken())), { code: "OPTION_INVALID", message: new RegExp(`${each}: ${argument}\\[1\\]: .*the disk is gone`) });
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
      const long = one === TREE ? Array(500).fill(TREE) : `${TEXT} `.repeat(3000);
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
      const gone = await opened({ warmUp: false });
      const asked = gone[ask](one);
      gone.dispose();
      await assert.rejects(asked, { code: "DISPOSED" });
      await assert.rejects(gone[ask](one), { code: "DISPOSED" });
      await assert.rejects(gathered(gone[each]([one])), { code: "DISPOSED" });
    });

    test("does not open by halves", async () => {
      const file = await bytesOf(path);
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

describe("a tagger with a conditional random field", () => {
  test("knows a word's tag by those beside it", async () => {
    const model = await load(address(FIELD));
    const { tokens } = await model.tag("The man washed it. She saw the washed man.");
    assert.deepEqual(tokens.filter(({ text }) => text === "washed").map(({ tag }) => tag), ["VERB", "ADJ"]);
    assert.ok((await model.inspect()).tensors.some(({ name }) => name === "head.crf.transitions"));
    model.dispose();
  });
});

describe("a parser", () => {
  let model;
  before(async () => (model = await load(address(PARSER))));
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

  test("reads a word of any length by its ends", async () => {
    const [start, end] = ["un".repeat(128), "ly".repeat(128)];
    const given = async (word) => (await model.parse(`They ${word} go .`)).tokens.map(({ tag, probability, relation, head }) => ({ tag, probability, relation, head }));
    const all = await given(start + end);
    assert.deepEqual(await given(`${start}${"x".repeat(1_000_000)}${end}`), all);
    assert.notDeepEqual(await given(start + end.replace(/ly$/, "ed")), all);
  });
});

describe("a tree classifier", () => {
  let model;
  before(async () => (model = await load(address(OF_BRACKETS))));
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

describe("a classifier of a parser's trees", () => {
  let [model, parser, ofBrackets] = [];
  before(async () => {
    [model, parser, ofBrackets] = await Promise.all([OF_TEXTS, PARSER, OF_BRACKETS].map((path) => load(address(path), { warmUp: false })));
  });
  after(() => [model, parser, ofBrackets].forEach((one) => one.dispose()));

  test("is told by its cell", () => assert.deepEqual([model.config.cell, ofBrackets.config.cell], ["child-sum", "binary"]));

  test("labels the trees that the parser makes, in the parser's own order", async () => {
    const { tokens } = await parser.parse(TEXT);
    const { nodes, roots } = await model.classify(TEXT, { parser });
    assert.deepEqual(nodes.map(({ token }) => token), tokens);
    assert.deepEqual(roots.map(({ text }) => text), [TEXT]);
    // A library's proxy stands for the parser.
    assert.deepEqual((await model.classify(TEXT, { parser: new Proxy(parser, {}) })).nodes, nodes);
    assert.deepEqual(await model.classify(" ", { parser }), { text: " ", roots: [], nodes: [] });
  });

  test("says which models belong together", async () => {
    for (const [name, ask] of [["classify", (model, options) => model.classify(TEXT, options)], ["classifyAll", (model, options) => gathered(model.classifyAll([TEXT], options))]]) {
      const refuses = (model, options, message, code = "OPTION_INVALID") =>
        assert.rejects(ask(model, options), (error) => {
          assert.ok(error instanceof SaccadeError && error.code === code, String(error));
          assert.match(error.message, new RegExp(`^${name}: options\\.parser: ${message}`));
          return true;
        });
      for (const options of [undefined, {}, { parser: null }]) await refuses(model, options, "expected a parser, since .*child-sum.*, found undefined$");
      await refuses(ofBrackets, { parser }, "expected none, since .*brackets.*binary.*, found a parser$");
      await refuses(model, { parser: model }, 'expected a parser, .*, whose task is "tree"$');
      for (const wrong of [5, "ewt", {}, { task: "parse" }, parser.parse, [parser]]) await refuses(model, { parser: wrong }, "expected a parser, as load makes of a file of that task, found ");
      const stranger = await (await ofOtherThread()).load(address(PARSER), { warmUp: false });
      await refuses(model, { parser: stranger }, "expected a parser of the model's thread: both from saccade-rnn, or both from saccade-rnn/worker$");
      stranger.dispose();
      const gone = await load(address(PARSER), { warmUp: false });
      gone.dispose();
      await refuses(model, { parser: gone }, "this parser was disposed$", "DISPOSED");
    }
  });

  test("ends a call whose parser is disposed in its midst", async () => {
    for (const workers of [0, 2]) {
      const gone = await load(address(PARSER), { warmUp: false });
      const answers = model.classifyAll(Array(2000).fill("It rained."), { parser: gone, workers });
      assert.equal((await answers.next()).value.roots.length, 1);
      gone.dispose();
      await assert.rejects(gathered(answers), { code: "DISPOSED", message: /options\.parser: this parser was disposed/ });
      assert.equal((await gathered(model.classifyAll([TEXT, TEXT], { parser, workers }))).length, 2);
    }
  });
});

test("a model that is disposed while a device is looked for takes no other with it", async () => {
  const [own, other] = await Promise.all(["tagger", "tagger"].map((name) => load(address(`models/ewt-${name}.safetensors`), { warmUp: false })));
  const tagging = own.tag("a film", { device: "webgpu" });
  own.dispose();
  await assert.rejects(tagging, { code: "DISPOSED" });
  assert.equal((await other.tag("a film")).tokens.length, 2);
  other.dispose();
});
