/** Mistakes in a graph are errors on the line that makes them, in words, and the graph goes on. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Adam, Parameters, SaccadeError, Sgd } from "../dist/graph/node.js";

const none = new Parameters();

describe("mistakes", () => {
  const parameters = new Parameters();
  const [words, lstm, out] = [parameters.embedding("words", 3, 2), parameters.lstm("lstm", 2, 4), parameters.linear("out", 4, 2)];
  const [w, b] = [parameters.parameter("w", 3, 2), parameters.parameter("b", 3)];
  const other = new Parameters();
  const foreign = other.linear("out", 4, 2);

  for (const [name, wrong, message] of [
    ["shapes", (g) => g.input(2, 3).add(g.input(3, 2)), "add: expected the same shape, found 2 x 3 and 3 x 2"],
    ["a product", (g) => g.input(2, 3).matmul(g.input(2, 3)), "matmul: expected 3 rows on the right for 3 columns on the left, found 2 x 3 and 2 x 3"],
    ["a layer's input", (g) => out(g.input(1, 3)), 'linear "out": expected 4 columns, found 1 x 3'],
    ["an LSTM's input", (g) => lstm(g.input(1, 3)), 'lstm "lstm": expected 2 columns, found 1 x 3'],
    ["a step of two rows", (g) => lstm.step(g.input(2, 2)), 'lstm "lstm".step: expected 1 row, found 2 x 2'],
    ["a state", (g) => lstm(g.input(1, 2), { h: g.input(1, 4), c: g.input(1, 3) }), 'lstm "lstm": state.c: expected 1 x 4, found 1 x 3'],
    ["half a state", (g) => lstm(g.input(1, 2), { h: g.input(1, 4) }), 'lstm "lstm": state.c: expected an expression, found undefined'],
    ["a word", (g) => words(g, [0, 3]), 'embedding "words": ids[1]: expected a whole number below 3, found 3'],
    ["half a word", (g) => words(g, [0.5]), 'embedding "words": ids[0]: expected a whole number below 3, found 0.5'],
    ["no graph", () => words([0]), 'embedding "words": graph: expected a graph, found an array of 1: the graph comes first'],
    ["a target", (g) => g.input(2, 3).crossEntropy([0, 3]), "crossEntropy: targets[1]: expected a whole number below 3, found 3"],
    ["targets", (g) => g.input(2, 3).crossEntropy([0]), "crossEntropy: targets: expected 2, one a row of 2 x 3, found 1"],
    ["NaN", (g) => g.input(1, 2, [1, NaN]), "input: values[1]: expected a number, found NaN"],
    ["strings", (g) => g.input(1, 2, ["1", 2]), 'input: values[0]: expected a number, found "1" (a string)'],
    ["too few values", (g) => g.input(2, 2, [1, 2, 3]), "input: values: expected 4 numbers for 2 x 2, found 3"],
    ["rows", (g) => g.input(-1, 2), "input: rows: expected a whole number from 0 to 2 ** 31 - 1, found -1"],
    ["too many numbers", (g) => g.input(1e6, 1e6), "input: expected at most 2 ** 28 numbers, found 1000000 x 1000000"],
    ["too many products", (g) => g.input(65536, 1).matmul(g.input(1, 65536)), "matmul: expected at most 2 ** 28 numbers, found 65536 x 65536"],
    ["too many rows", (g) => g.input(0, 100).scatterAdd([], 2 ** 30), "scatterAdd: expected at most 2 ** 28 numbers, found 1073741824 x 100"],
    ["a factor", (g) => g.input(1, 1).scale(Infinity), "scale: factor: expected a finite number, found Infinity"],
    ["a number for an expression", (g) => g.input(1, 1).add(1), "add: other: expected an expression, found 1"],
    ["a promise for an expression", (g) => g.input(1, 1).add(Promise.resolve()), "add: other: expected an expression, found a Promise: it is a promise, await it"],
    ["no values to join", (g) => g.concatRows([]), "concatRows: expected an expression or more, found none"],
    ["columns to join", (g) => g.concatRows([g.input(1, 2), g.input(1, 3)]), "concatRows: expected as many columns as one another, found 1 x 2 and 1 x 3"],
    ["rows to join", (g) => g.concatColumns([g.input(1, 2), g.input(2, 2)]), "concatColumns: expected as many rows as one another, found 1 x 2 and 2 x 2"],
    ["a mean", (g) => g.mean([g.input(1, 2), g.input(1, 3)]), "mean: expected as many columns as one another, found 1 x 2 and 1 x 3"],
    ["rows to pick", (g) => g.input(2, 2).pickRows([2]), "pickRows: numbers[0]: expected a whole number below 2, found 2"],
    ["no columns", (g) => g.input(2, 0).maxColumns(), "maxColumns: expected a column or more, found 2 x 0"],
    ["a rate", (g) => g.input(1, 1).dropout(1), "dropout: rate: expected a finite number from 0 to below 1, found 1"],
    ["an option", (g) => g.input(1, 1).dropout(0, { sameForAllRow: true }), "dropout: options.sameForAllRow: there is no such option; did you mean sameForAllRows?"],
    ["a weight", (g) => g.input(1, 3).affine(w), 'affine: expected 3 columns of the weight "w", found 1 x 3 and 3 x 2'],
    ["a bias", (g) => g.input(1, 2).affine(w, w), "affine: bias: expected a vector of 3 for 1 x 2, found 3 x 2"],
    ["a function to join", (g) => g.join([async () => 1]), "join: [0]: expected a promise, found a function: call the function"],
    ["how to join", (g) => g.join([], { settle: true }), "join: options.settle: there is no such option; did you mean settled?"],
    ["no signal to join", (g) => g.join([], { signal: new AbortController() }), "join: options.signal: expected an AbortSignal, found an AbortController"],
    ["other parameters", (g) => foreign(g.input(1, 4)), "affine: weight: it belongs to other parameters than the graph"],
    ["a scalar", (g) => g.input(2, 1).scalar(), "scalar: expected 1 x 1, found 2 x 1"],
    ["a gradient of what is no variable", (g) => g.input(2, 1).gradient(), "gradient: expected a variable of the graph (`graph.variable`)"],
    ["a gradient too early", (g) => g.variable(2, 1).gradient(), "gradient: there is none before `graph.backward`"],
    ["a loss", (g) => g.backward(g.input(2, 1)), "backward: expected a loss of 1 x 1 (`graph.mean` makes one of many), found 2 x 1"],
    ["no training", (g) => g.backward(g.input(1, 1)), "backward: expected a graph that trains: { training: true }"],
  ]) {
    test(name, async () => {
      await parameters.run(async (graph) => {
        // On the line that is wrong: nothing waits for the engine.
        await assert.rejects(async () => wrong(graph), (error) => {
          assert.ok(error instanceof SaccadeError && error.code === "OPTION_INVALID");
          assert.equal(error.message, message);
          assert.match(error.stack, /graph-mistakes\.test\.mjs/);
          return true;
        });
        // The graph goes on.
        assert.equal(await graph.input(1, 1, [2]).scale(2).scalar(), 4);
      });
    });
  }

  test("a variable that came after the way back has no gradient, whether it was computed or not", async () => {
    await parameters.run(async (graph) => {
      const variable = graph.variable(1, 1, [2]);
      await graph.backward(variable.multiply(variable));
      const message = "gradient: the variable was recorded after `graph.backward`";
      const late = graph.variable(1, 1, [3]);
      await assert.rejects(async () => late.gradient(), { code: "OPTION_INVALID", message });
      await late.value();
      await assert.rejects(async () => late.gradient(), { code: "OPTION_INVALID", message });
      assert.deepEqual([...(await variable.gradient())], [4]);
      await graph.backward(late.multiply(late));
      assert.deepEqual([...(await late.gradient())], [6]);
    }, { training: true });
  });

  test("what cannot be made is told by whatever asks, and always the same", async () => {
    const twice = new Parameters();
    twice.linear("first", 1, 1);
    const layer = twice.lstm("lstm", 1, 1);
    twice.parameter("out.weight", 1, 1);
    twice.linear("out", 1, 1);
    const use = () => twice.run((graph) => layer(graph.input(1, 1, [1])).value());
    for (const ask of [use, use, () => twice.names(), () => twice.save()]) {
      await assert.rejects(ask, { code: "OPTION_INVALID", message: /out\.weight.* defined twice/ });
    }
  });

  test("options, names, and what comes too late", async () => {
    assert.throws(() => new Parameters({ sed: 1 }), { code: "OPTION_INVALID", message: "Parameters: options.sed: there is no such option; did you mean seed?" });
    assert.throws(() => new Adam(parameters, { rate: -1 }), { code: "OPTION_INVALID" });
    for (const [name, beta] of ["beta1", "beta2"].flatMap((name) => [-0.1, 1, 1 - 1e-9, Number.NaN, "0.9"].map((beta) => [name, beta]))) {
      assert.throws(() => new Adam(parameters, { [name]: beta }), { code: "OPTION_INVALID", message: new RegExp(`options\\.${name}: expected a number from 0 to below 1`) });
    }
    new Adam(parameters, { beta1: 0, beta2: 0.9999999 });
    assert.throws(() => new Sgd({}), { code: "OPTION_INVALID" });
    await assert.rejects(none.run((graph) => graph, { device: "gpu" }), { code: "OPTION_INVALID" });
    await assert.rejects(none.run(3), { code: "OPTION_INVALID" });
    await assert.rejects(none.run((graph) => graph, { device: "webgpu-only" }), { code: "DEVICE_UNAVAILABLE" });
    assert.equal(await none.run((graph) => graph.device, { device: "webgpu" }), "cpu");
    const fresh = new Parameters();
    fresh.linear("a", 1, 1);
    assert.throws(() => fresh.lstm("a", 1, 1), { code: "OPTION_INVALID", message: 'lstm "a": there is one of this name' });
    assert.throws(() => fresh.parameter("b", 1, 1, { bound: 1e39 }), { code: "OPTION_INVALID", message: /options\.bound: expected a number/ });
    assert.throws(() => fresh.linear("b", 1e6, 1e6), { code: "OPTION_INVALID", message: /^linear "b": expected at most/ });
    assert.throws(() => fresh.parameter("b", 1e6, 1e6), { code: "OPTION_INVALID" });
    assert.throws(() => fresh.gru("b", 0, 1), { code: "OPTION_INVALID", message: /^gru "b": inputSize: / });
    await assert.rejects(fresh.values("c"), { code: "OPTION_INVALID" });
    assert.throws(() => fresh.sru("d", 1, 1), { code: "OPTION_INVALID", message: /in use and grow no more/ });
    await assert.rejects(fresh.set("a.weight", [1, 2]), { code: "OPTION_INVALID", message: "set: values: expected 1 numbers for 1 x 1, found 2" });
    await assert.rejects(new Adam(parameters).learn((graph) => graph.input(2, 1)), { code: "OPTION_INVALID", message: /^learn: / });
    await assert.rejects(new Adam(parameters).learn(() => undefined), { code: "OPTION_INVALID", message: /^learn: / });
    await assert.rejects(new Adam(parameters).step({}), { code: "OPTION_INVALID" });
    const gradients = await other.run((graph) => graph.backward(foreign(graph.input(1, 4)).sumColumns()), { training: true });
    await assert.rejects(new Adam(parameters).step(gradients), { code: "OPTION_INVALID", message: /other parameters/ });
    await assert.rejects(gradients.of(w), { code: "OPTION_INVALID" });
    assert.equal((await gradients.of(foreign.weight)).length, 8);
    assert.equal((await gradients.of("out.bias")).length, 2);
    assert.equal(b.size, 3);
  });
});
