/** Graphs: every operation against a loop in JavaScript, its gradient against differences, layers against the package's. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { difference } from "./fixture.mjs";
import { Elman, Gru, Lstm, Sru } from "./package.mjs";
import { Adam, Gradients, Parameters, Sgd } from "../dist/graph/node.js";

const BOUND = 1e-5;
const none = new Parameters();

/** Numbers without a pattern, between -1 and 1. */
function numbers(count, seed = 1) {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));
}

function near(found, expected, what, bound = BOUND) {
  assert.ok(difference(found, expected) <= bound, `${what}: ${difference(found, expected)}: ${found} instead of ${expected}`);
}

/** A matrix, by a function of row and column. */
function matrix(rows, columns, of) {
  const values = Array.from({ length: rows * columns }, (_, i) => of(Math.floor(i / columns), i % columns));
  return { rows, columns, values, at: (row, column) => values[row * columns + column] };
}

const each = (of) => (x, y) => matrix(x.rows, x.columns, (r, c) => of(x.at(r, c), y?.at(r, c)));
const row = (x, r) => x.values.slice(r * x.columns, (r + 1) * x.columns);
const column = (x, c) => Array.from({ length: x.rows }, (_, r) => x.at(r, c));
const sum = (values) => values.reduce((a, b) => a + b, 0);
const logSumExp = (values) => Math.log(sum(values.map(Math.exp)));
const byRow = (of) => (x) => matrix(x.rows, 1, (r) => of(row(x, r)));
const byColumn = (of) => (x) => matrix(1, x.columns, (_, c) => of(column(x, c)));

/** Operations on the graph and as loops, and the shapes of their operands. */
const operations = {
  tanh: [(g, x) => x.tanh(), each(Math.tanh)],
  sigmoid: [(g, x) => x.sigmoid(), each((x) => 1 / (1 + Math.exp(-x)))],
  relu: [(g, x) => x.relu(), each((x) => Math.max(0, x))],
  exp: [(g, x) => x.exp(), each(Math.exp)],
  log: [(g, x) => x.exp().log(), each((x) => x)],
  scale: [(g, x) => x.scale(-2.5), each((x) => -2.5 * x)],
  add: [(g, x, y) => x.add(y), each((x, y) => x + y), [3, 4], [3, 4]],
  subtract: [(g, x, y) => x.subtract(y), each((x, y) => x - y), [3, 4], [3, 4]],
  multiply: [(g, x, y) => x.multiply(y), each((x, y) => x * y), [3, 4], [3, 4]],
  "a value by itself": [(g, x) => x.multiply(x), each((x) => x * x)],
  matmul: [(g, x, y) => x.matmul(y), (x, y) => matrix(2, 4, (r, c) => sum([0, 1, 2].map((k) => x.at(r, k) * y.at(k, c)))), [2, 3], [3, 4]],
  sliceColumns: [(g, x) => x.sliceColumns(1, 3), (x) => matrix(3, 2, (r, c) => x.at(r, c + 1))],
  pickRows: [(g, x) => x.pickRows([2, 0, 2]), (x) => matrix(3, 4, (r, c) => x.at([2, 0, 2][r], c))],
  row: [(g, x) => x.row(1), (x) => matrix(1, 4, (_, c) => x.at(1, c))],
  scatterAdd: [(g, x) => x.scatterAdd([3, 0, 3], 5), (x) => matrix(5, 4, (r, c) => (r === 3 ? x.at(0, c) + x.at(2, c) : r === 0 ? x.at(1, c) : 0))],
  concatRows: [(g, x, y) => g.concatRows([x, y]), (x, y) => matrix(5, 4, (r, c) => (r < 3 ? x.at(r, c) : y.at(r - 3, c))), [3, 4], [2, 4]],
  concatColumns: [(g, x, y) => g.concatColumns([x, y, x]), (x, y) => matrix(3, 10, (r, c) => (c < 4 ? x.at(r, c) : c < 6 ? y.at(r, c - 4) : x.at(r, c - 6))), [3, 4], [3, 2]],
  mean: [(g, x, y) => g.mean([x, y]), (x, y) => matrix(1, 4, (_, c) => sum([...column(x, c), ...column(y, c)]) / 5), [3, 4], [2, 4]],
  sumRows: [(g, x) => x.sumRows(), byColumn(sum)],
  meanRows: [(g, x) => x.meanRows(), byColumn((values) => sum(values) / values.length)],
  maxRows: [(g, x) => x.maxRows(), byColumn((values) => Math.max(...values))],
  lastRow: [(g, x) => x.lastRow(), byColumn((values) => values.at(-1))],
  sumColumns: [(g, x) => x.sumColumns(), byRow(sum)],
  meanColumns: [(g, x) => x.meanColumns(), byRow((values) => sum(values) / values.length)],
  logSumExp: [(g, x) => x.logSumExp(), byRow(logSumExp)],
  maxColumns: [(g, x) => x.maxColumns()[0], byRow((values) => Math.max(...values))],
  "maxColumns: the column": [(g, x) => x.maxColumns()[1], byRow((values) => values.indexOf(Math.max(...values)))],
  softmax: [(g, x) => x.softmax(), (x) => matrix(3, 4, (r, c) => Math.exp(x.at(r, c) - logSumExp(row(x, r))))],
  logSoftmax: [(g, x) => x.logSoftmax(), (x) => matrix(3, 4, (r, c) => x.at(r, c) - logSumExp(row(x, r)))],
  crossEntropy: [(g, x) => x.crossEntropy([3, 0, 2]), (x) => matrix(3, 1, (r) => logSumExp(row(x, r)) - x.at(r, [3, 0, 2][r]))],
  "dropout at rate 0": [(g, x) => x.dropout(0), each((x) => x)],
};

describe("operations", () => {
  for (const [name, [record, loop, ...shapes]] of Object.entries(operations)) {
    test(name, async () => {
      if (shapes.length === 0) shapes.push([3, 4]);
      const given = shapes.map(([rows, columns], i) => numbers(rows * columns, i + 1));
      const looped = (values) => loop(...shapes.map(([rows, columns], i) => matrix(rows, columns, (r, c) => values[i][r * columns + c])));
      const expected = looped(given);
      const weights = numbers(expected.values.length, 9);
      await none.run(
        async (graph) => {
          const variables = shapes.map(([rows, columns], i) => graph.variable(rows, columns, given[i]));
          const result = record(graph, ...variables);
          assert.deepEqual([result.rows, result.columns], [expected.rows, expected.columns]);
          near(await result.value(), expected.values, name);
          const loss = result.multiply(graph.input(result.rows, result.columns, weights)).sumColumns().sumRows();
          if (name === "maxColumns: the column") return;
          (await graph.backward(loss)).dispose();
          for (const [i, variable] of variables.entries()) {
            const differences = Array.from(given[i], (value, at) => {
              const [more, less] = [1e-4, -1e-4].map((by) => {
                const moved = given.map((values) => Array.from(values));
                moved[i][at] = value + by;
                return sum(looped(moved).values.map((result, k) => result * weights[k]));
              });
              return (more - less) / 2e-4;
            });
            near(await variable.gradient(), differences, `gradient of operand ${i}`, 1e-4);
          }
        },
        { training: true },
      );
    });
  }

  test("dropout drops while training, and scales up what is left", async () => {
    const dropped = (options, how) => none.run((graph) => graph.input(50, 20, new Float32Array(1000).fill(1)).dropout(0.5, how).value(), options);
    assert.ok((await dropped()).every((value) => value === 1));
    const first = await dropped({ training: true, seed: 1 });
    assert.ok(first.every((value) => value === 0 || value === 2));
    assert.ok(Math.abs(sum([...first]) / 1000 - 1) < 0.2);
    assert.deepEqual(await dropped({ training: true, seed: 1 }), first);
    assert.notDeepEqual(await dropped({ training: true, seed: 2 }), first);
    const whole = matrix(50, 20, (r, c) => first[r * 20 + c]);
    assert.notDeepEqual(row(whole, 0), row(whole, 1));
    const columns = await dropped({ training: true, seed: 1 }, { sameForAllRows: true });
    const same = matrix(50, 20, (r, c) => columns[r * 20 + c]);
    for (let r = 1; r < 50; r++) assert.deepEqual(row(same, r), row(same, 0));
  });
});

/** Gradients of some numbers of each parameter, against differences of the loss. */
async function checkGradients(parameters, scope) {
  const made = await parameters.run(async (graph) => graph.backward(await scope(graph)), { training: true });
  assert.ok(made instanceof Gradients);
  const loss = () => parameters.run(async (graph) => (await scope(graph)).scalar());
  for (const name of await parameters.names()) {
    const [values, gradient] = [await parameters.values(name), await made.of(name)];
    assert.equal(gradient.length, values.length);
    for (const at of new Set([0, values.length >> 1, values.length - 1])) {
      const moved = async (by) => {
        const changed = values.slice();
        changed[at] += by;
        await parameters.set(name, changed);
        return loss();
      };
      const slope = ((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2;
      assert.ok(Math.abs(slope - gradient[at]) < 2e-3 + 2e-2 * Math.abs(slope), `${name}[${at}]: ${gradient[at]} instead of ${slope}`);
    }
    await parameters.set(name, values);
  }
  made.dispose();
}

describe("parameters and layers", () => {
  test("what was recorded before is recorded again, with as many rows or others, now and after a flush", async () => {
    const parameters = new Parameters({ seed: 1 });
    const [linear, gru] = [parameters.linear("linear", 2, 2), parameters.gru("gru", 3, 2)];
    const cell = parameters.cell("cell", [2, 2], (x, y) => [x.add(y).tanh(), x.multiply(y)]);
    const value = (graph, rows, seed) => {
      const x = linear(graph.input(rows, 2, numbers(2 * rows, seed)));
      const [sum, product] = cell(x, x.sigmoid());
      const first = gru.step(graph.input(1, 3, numbers(3, seed)));
      const { output, state } = gru.step(graph.input(1, 3, numbers(3, -seed)), first.state);
      return graph.concatRows([graph.concatColumns([sum, product.subtract(sum)]), graph.concatColumns([output, state.h])]).value();
    };
    const sizes = [1, 1, 3, 1, 3, 3, 2].map((rows, seed) => [rows, seed + 1]);
    const together = await parameters.run(async (graph) => {
      const half = await Promise.all(sizes.slice(0, 4).map((size) => value(graph, ...size)));
      return half.concat(await Promise.all(sizes.slice(4).map((size) => value(graph, ...size))));
    });
    for (const [i, size] of sizes.entries()) near(together[i], await parameters.run((graph) => value(graph, ...size)), `${size}`);
  });

  test("affine, layer normalisation, embedding and linear layers compute what they say", async () => {
    const parameters = new Parameters({ seed: 3 });
    const [weight, bias] = [parameters.parameter("weight", 2, 3), parameters.parameter("bias", 2)];
    const [scale, shift] = [parameters.parameter("scale", 3), parameters.parameter("shift", 3)];
    const [words, out] = [parameters.embedding("words", 5, 3), parameters.linear("out", 3, 2)];
    assert.deepEqual(await parameters.names(), ["weight", "bias", "scale", "shift", "words.weight", "out.weight", "out.bias"]);
    assert.ok((await parameters.values(bias)).every((value) => value === 0));
    await parameters.set(weight, [1, 2, 3, 4, 5, 6]);
    await parameters.set("bias", [0.5, -0.5]);
    await parameters.set(scale, [1, 2, 3]);
    await parameters.set(shift, Float32Array.of(0, 0, 1));
    await parameters.set(words.weight, Array.from({ length: 15 }, (_, i) => i));
    await parameters.set(out.weight, [1, 0, 0, 0, 1, 0]);
    await parameters.set(out.bias, [10, 20]);
    await parameters.run(async (graph) => {
      const x = graph.input(1, 3, [1, 0, -1]);
      const all = [x.affine(weight, bias), x.affine(weight), x.layerNorm(scale, shift), words(graph, [4, 0, 4]), out(words(graph, [1]))];
      const [affine, product, normal, looked, mapped] = await graph.values(all);
      assert.deepEqual([...affine], [-1.5, -2.5]);
      assert.deepEqual([...product], [-2, -2]);
      near(normal, [Math.sqrt(1.5), 0, 1 - 3 * Math.sqrt(1.5)], "layer normalisation", 1e-4);
      assert.deepEqual([...looked], [12, 13, 14, 0, 1, 2, 12, 13, 14]);
      assert.deepEqual([...mapped], [13, 24]);
    });
    const parts = (graph) => [words(graph, [1, 2]).scale(0.1).affine(weight, bias).tanh(), out(words(graph, [3]).scale(0.1).layerNorm(scale, shift)).sigmoid()];
    await checkGradients(parameters, (graph) => graph.mean(parts(graph)).sumColumns());
  });

  for (const [kind, Layer] of Object.entries({ elman: Elman, lstm: Lstm, gru: Gru, sru: Sru })) {
    for (const bidirectional of [false, true]) {
      test(`${kind}${bidirectional ? ", both ways" : ""}: the package's layer, and its gradients`, async () => {
        const parameters = new Parameters({ seed: 5 });
        // An SRU of as many columns as its input has a highway past it.
        const [input, hidden] = kind === "sru" ? [bidirectional ? 8 : 4, 4] : [3, 4];
        const layer = parameters[kind]("layer", input, hidden, { bidirectional });
        const x = numbers(6 * input);
        const stored = await Layer.fromSafetensors(await parameters.save(), { prefix: "layer.", bidirectional });
        const { output, state } = await stored.forward(x);
        await parameters.run(async (graph) => {
          const made = layer(graph.input(6, input, x));
          near(await made.output.value(), output, "output");
          for (const part of ["h", "c"].filter((part) => state[part])) {
            const parts = bidirectional ? [made.forward[part], made.backward[part]] : [made.state[part]];
            near(await graph.concatColumns(parts).value(), state[part], part);
          }
        });
        await checkGradients(parameters, (graph) => graph.mean([layer(graph.input(6, input, x)).output]).meanColumns());
        if (!bidirectional) return;
        // Forward goes on where it was; backward begins anew.
        await parameters.run(async (graph) => {
          const rows = graph.input(6, input, x);
          const [whole, first] = [layer(rows), layer(rows.pickRows([0, 1]))];
          const zeros = Object.fromEntries(Object.keys(first.backward).map((part) => [part, graph.input(1, hidden)]));
          const rest = layer(rows.pickRows([2, 3, 4, 5]), { forward: first.forward, backward: zeros });
          const [expected, found] = await graph.values([whole.output.pickRows([2, 3, 4, 5]), rest.output]);
          near(found, expected, "the rest");
        });
      });
    }

    test(`${kind}: steps and pieces are the sequence`, async () => {
      const parameters = new Parameters();
      const layer = parameters[kind]("layer", 3, 4);
      await parameters.run(async (graph) => {
        const x = graph.input(6, 3, numbers(18));
        const whole = layer(x);
        let state;
        const rows = [];
        for (let i = 0; i < 6; i++) {
          const next = layer.step(x.row(i), state);
          rows.push(next.output);
          state = next.state;
        }
        const begun = layer(x.pickRows([0, 1]));
        const ended = layer(x.pickRows([2, 3, 4, 5]), begun.state);
        const all = [whole.output, graph.concatRows(rows), graph.concatRows([begun.output, ended.output])];
        const [expected, stepped, pieces] = await graph.values(all);
        near(stepped, expected, "steps");
        near(pieces, expected, "pieces");
        for (const part of Object.keys(whole.state)) {
          const [a, b, c] = await graph.values([whole.state[part], state[part], ended.state[part]]);
          near(b, a, part);
          near(c, a, part);
        }
      });
    });
  }

  test("what is saved is loaded, by names and shapes", async () => {
    const make = (seed, size = 3) => {
      const parameters = new Parameters({ seed });
      parameters.lstm("lstm", size, 4, { bidirectional: true });
      parameters.parameter("own", 2, 2);
      return parameters;
    };
    const [one, other] = [make(1), make(2)];
    assert.notDeepEqual(await one.values("own"), await other.values("own"));
    assert.deepEqual(await make(1).values("own"), await one.values("own"));
    await other.load(await one.save());
    for (const name of await one.names()) assert.deepEqual(await other.values(name), await one.values(name), name);
    await assert.rejects(make(1, 5).load(await one.save()), { code: /^MODEL_/ });
    await assert.rejects(one.load(new Uint8Array(3)), { code: /^MODEL_/ });
  });
});

describe("learning", () => {
  for (const [name, make] of [
    ["Adam", (parameters) => new Adam(parameters, { rate: 0.05 })],
    ["Sgd", (parameters) => new Sgd(parameters, { rate: 0.5, momentum: 0.9, clip: 1 })],
  ]) {
    test(`an LSTM learns by ${name} which word came first`, async () => {
      const parameters = new Parameters({ seed: 1 });
      const [words, lstm, out] = [parameters.embedding("words", 4, 8), parameters.lstm("lstm", 8, 8), parameters.linear("out", 8, 4)];
      const examples = Array.from({ length: 24 }, (_, i) => Array.from({ length: 2 + (i % 3) }, (_, k) => (i * (k + 1) + k * k) % 4));
      const scores = (graph, ids) => out(lstm(words(graph, ids)).state.h);
      const optimizer = make(parameters);
      const step = () => optimizer.learn((graph) => graph.mean(examples.map((ids) => scores(graph, ids).crossEntropy([ids[0]]))));
      const first = await step();
      assert.ok(Math.abs(first - Math.log(4)) < 0.3, `${first}`);
      let last = first;
      for (let i = 0; i < 60; i++) last = await step();
      assert.ok(last < first / 5, `${first} became ${last}`);
      const guesses = await parameters.run(async (graph) => graph.join(examples.map(async (ids) => scores(graph, ids).maxColumns()[1].scalar())));
      assert.ok(guesses.filter((guess, i) => guess === examples[i][0]).length >= 22);
    });
  }

  test("a step by hand: gradient descent takes the rate times the gradient, and clips it", async () => {
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 2);
    await parameters.set(w, [1, 2]);
    // (w · (3, 4))² has the gradient 2 · 11 · (3, 4).
    const squared = (graph) => {
      const product = graph.input(1, 2, [3, 4]).affine(w);
      return product.multiply(product);
    };
    const sgd = new Sgd(parameters, { rate: 0.01 });
    near([await sgd.learn(squared)], [121], "loss");
    near(await parameters.values(w), [1 - 0.66, 2 - 0.88], "weights");
    await parameters.set(w, [1, 2]);
    const gradients = await parameters.run(async (graph) => graph.backward(squared(graph)), { training: true });
    near(await gradients.of(w), [66, 88], "gradients");
    const clipped = new Sgd(parameters, { rate: 1, clip: 1 });
    near([await clipped.step(gradients)], [110], "norm");
    near(await parameters.values(w), [1 - 0.6, 2 - 0.8], "clipped");
    await assert.rejects(clipped.step(gradients), { code: "DISPOSED" });
    const adam = new Adam(parameters, { rate: 0.1 });
    await adam.learn(squared);
    near(await parameters.values(w), [0.3, 1.1], "Adam's first step is the rate", 1e-4);
    // As a library's proxy of it does.
    const proxied = new Proxy(adam, {});
    proxied.rate = 0;
    assert.deepEqual([adam.rate, proxied.rate], [0, 0]);
    await adam.learn(squared);
    near(await parameters.values(w), [0.3, 1.1], "no step", 1e-4);
  });

  test("steps started together draw what steps one after the other draw, and learn from the weights before the first", async () => {
    const steps = async (together) => {
      const parameters = new Parameters();
      const w = parameters.parameter("w", 1, 1, { bound: 0 });
      const sgd = new Sgd(parameters, { rate: 0.1 });
      const drawn = [];
      const learn = (number) => sgd.learn(async (graph) => {
        drawn[number] = [...(await graph.input(1, 16, Array(16).fill(1)).dropout(0.5).value())];
        const miss = graph.input(1, 1, [1]).affine(w).subtract(graph.input(1, 1, [1]));
        return miss.multiply(miss);
      });
      if (together) await Promise.all([learn(0), learn(1)]);
      else for (const number of [0, 1]) await learn(number);
      return { drawn, weights: await parameters.values(w) };
    };
    const [apart, together] = [await steps(false), await steps(true)];
    assert.notDeepEqual(apart.drawn[0], apart.drawn[1]);
    assert.deepEqual(together.drawn, apart.drawn);
    near(apart.weights, [0.36], "one after the other");
    near(together.weights, [0.4], "together");
  });

  test("a loss that is no number changes nothing", async () => {
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 1);
    await parameters.set(w, [-1]);
    const adam = new Adam(parameters);
    await assert.rejects(adam.learn((graph) => graph.input(1, 1, [1]).affine(w).log()), { code: "MODEL_OVERFLOW" });
    assert.deepEqual([...(await parameters.values(w))], [-1]);
  });

  test("gradients that are no numbers change nothing, and a step tells so", async () => {
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 1, { bound: 0 });
    // At 0 it is 0, and its slope 0 times infinity.
    const loss = (graph) => {
      const x = graph.input(1, 1, [1]).affine(w);
      return x.log().exp().add(x.scale(3));
    };
    const adam = new Adam(parameters);
    await assert.rejects(adam.learn(loss), { code: "MODEL_OVERFLOW", message: "learn: the norm of the gradients is NaN; the parameters are as they were" });
    assert.deepEqual([...(await parameters.values(w))], [0]);
    const gradients = await parameters.run((graph) => graph.backward(loss(graph)), { training: true });
    assert.equal(await adam.step(gradients), NaN);
    assert.deepEqual([...(await parameters.values(w))], [0]);
  });
});
