/** Programs on a graph: what waits together is batched, what fails fails by itself, and what a scope made ends with it. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { difference } from "./fixture.mjs";
import { Adam, Parameters, Sgd } from "../dist/graph/node.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const none = new Parameters();
const near = (found, expected, what) => assert.ok(difference(found, expected) <= 1e-5, `${what}: ${found} instead of ${expected}`);

/** Doubles a number until it exceeds 100; how often. */
async function doublings(graph, start) {
  let x = graph.input(1, 1, [start]);
  let steps = 0;
  for (; (await x.scalar()) <= 100; steps++) x = x.scale(2);
  return steps;
}

describe("programs that decide by values", () => {
  test("batches grow with the longest, not with the number", async () => {
    const starts = Array.from({ length: 100 }, (_, i) => 1 + i);
    const { steps, batches } = await none.run(async (graph) => {
      const steps = await graph.join(starts.map((start) => doublings(graph, start)));
      return { steps, ...(await graph.explain()) };
    });
    assert.deepEqual(steps, starts.map((start) => Math.floor(Math.log2(100 / start)) + 1));
    assert.equal(batches.filter(({ op }) => op === "scale").length, Math.max(...steps));
    assert.equal(batches.find(({ op }) => op === "scale").lanes, 100);
    assert.ok(batches.length <= 2 * Math.max(...steps));
  });

  test("any number of functions calls may lie between a program and its values", async () => {
    const deep = async (graph, x, depth) => (depth === 0 ? x.scalar() : (await deep(graph, x.scale(1), depth - 1)) + 1);
    const { found, batches } = await none.run(async (graph) => {
      const found = await graph.join([5, 17, 40].map(async (depth) => deep(graph, graph.input(1, 1, [0.5]), depth)));
      return { found, ...(await graph.explain()) };
    });
    assert.deepEqual(found, [5.5, 17.5, 40.5]);
    assert.equal(batches.filter(({ op }) => op === "scale").length, 40);
  });

  test("a program that throws rejects its own promise, and one that waits for a timer holds nobody", async () => {
    await none.run(async (graph) => {
      const order = [];
      const settled = await graph.join(
        [
          doublings(graph, 1).finally(() => order.push("doublings")),
          (async () => {
            await graph.input(1, 1).value();
            throw new TypeError("enough");
          })(),
          (async () => {
            await graph.input(1, 1).value();
            await pause(200);
            const steps = await doublings(graph, 3);
            order.push("timer");
            return steps;
          })(),
          (async () => graph.input(1, 2).add(graph.input(2, 1)))(),
          doublings(graph, 50),
        ],
        { settled: true },
      );
      assert.deepEqual(settled.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
      assert.deepEqual(settled.map(({ value }) => value), [7, undefined, 6, undefined, 2]);
      assert.equal(settled[1].reason.message, "enough");
      assert.match(settled[3].reason.message, /^add: expected the same shape, found 1 x 2 and 2 x 1$/);
      assert.deepEqual(order, ["doublings", "timer"]);
      assert.equal(await doublings(graph, 99), 1);
    });
    await assert.rejects(
      none.run((graph) => graph.join([doublings(graph, 1), Promise.reject(new TypeError("first"))])),
      { message: "first" },
    );
  });

  test("those that come back from elsewhere at once are batched again", async () => {
    const explained = await none.run(async (graph) => {
      let open;
      const gate = new Promise((resolve) => (open = resolve));
      const programs = Array.from({ length: 10 }, async (_, i) => {
        await gate;
        return graph.input(1, 1, [i]).tanh().value();
      });
      setTimeout(open, 20);
      await graph.join(programs);
      return graph.explain();
    });
    assert.deepEqual(explained.batches.filter(({ op }) => op === "tanh").map(({ lanes }) => lanes), [10]);
  });

  test("strategies agree, and say how they ran", async () => {
    const ran = {};
    for (const strategy of ["unbatched", "depth", "agenda", "levels"]) {
      ran[strategy] = await none.run(
        async (graph) => ({ steps: await graph.join([1, 2, 3, 40].map((start) => doublings(graph, start))), ...(await graph.explain()) }),
        { strategy },
      );
    }
    for (const { steps } of Object.values(ran)) assert.deepEqual(steps, [7, 6, 6, 2]);
    const { batches, lowerBound, nodes } = ran.levels;
    assert.ok(ran.unbatched.batches.length > batches.length);
    assert.ok(lowerBound > 0 && lowerBound <= batches.length && nodes >= batches.length);
    assert.ok(ran.unbatched.batches.every(({ lanes, op, rows, copied }) => lanes === 1 && op && rows >= 0 && copied >= 0));
  });
});

/** One that reads a value and then waits for what never comes. */
async function endless(graph) {
  await graph.input(1, 1).value();
  await new Promise(() => undefined);
}

describe("a program that never settles", { timeout: 300_000 }, () => {
  const starts = [1, 3, 40];

  test("holds up nobody but who waits for the join, and costs no batch", async () => {
    const ran = async (others) =>
      none.run(async (graph) => {
        const programs = starts.map((start) => doublings(graph, start));
        let settled = false;
        const joined = graph.join([...programs, ...others(graph)]);
        joined.then(() => (settled = true), () => (settled = true));
        assert.deepEqual(await Promise.all(programs), [7, 6, 2]);
        // The graph is free for more, joined or not.
        assert.deepEqual(await graph.join([doublings(graph, 50), graph.input(1, 1, [3]).scalar()]), [2, 3]);
        return { settled, batches: (await graph.explain()).batches.map(({ op, lanes }) => `${lanes} ${op}`) };
      });
    const lastly = await ran((graph) => [graph.input(1, 1).value()]);
    const held = await ran((graph) => [endless(graph)]);
    assert.deepEqual([lastly.settled, held.settled], [true, false]);
    assert.deepEqual(held.batches, lastly.batches);
  });

  test("is let go of when the graph ends, and what the others came to is kept", async () => {
    const joins = await none.run(async (graph) => {
      const programs = () => [...starts.map((start) => doublings(graph, start)), endless(graph), new Promise(() => undefined)];
      const joins = [graph.join(programs()), graph.join(programs(), { settled: true })];
      joins[0].catch(() => undefined);
      await graph.join(starts.map((start) => doublings(graph, start)));
      // An array, so that this function does not wait for them.
      return joins;
    });
    await assert.rejects(joins[0], { code: "DISPOSED", message: /^this graph has ended/ });
    const settled = await joins[1];
    assert.deepEqual(settled.slice(0, 3).map(({ value }) => value), [7, 6, 2]);
    assert.deepEqual(settled.slice(3).map(({ status, reason }) => [status, reason.code]), Array(2).fill(["rejected", "DISPOSED"]));
  });

  test("is given up by a signal, after which the parameters are as free as before", async () => {
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 1);
    await parameters.set(w, [1]);
    const sgd = new Sgd(parameters, { rate: 1 });
    const product = (graph) => graph.input(1, 1, [1]).affine(w);
    const work = {
      run: (scope) => parameters.run(scope),
      learn: (scope) => sgd.learn(scope),
    };
    for (const [by, open] of Object.entries(work)) {
      const stop = new AbortController();
      const found = [];
      const begun = open(async (graph) => {
        const read = async (i) => void (found[i] = await product(graph).scalar());
        await graph.join([read(0), endless(graph), read(1)], { signal: stop.signal });
      });
      begun.catch(() => undefined);
      while (found.length < 2) await pause(1);
      assert.deepEqual(found, [1, 1], by);
      // Whoever would change them is not made to wait for what never ends.
      await assert.rejects(parameters.set(w, [2]), { code: "OPTION_INVALID", message: /^set: a graph of these parameters is open/ });
      // Another graph may read.
      assert.equal(await parameters.run((graph) => product(graph).scalar()), 1, by);
      stop.abort("enough");
      await assert.rejects(begun, { name: "AbortError", code: "ABORTED", cause: "enough" });
      assert.deepEqual([...(await parameters.values(w))], [1], by);
    }
    assert.equal(await sgd.learn(product), 1);
    assert.deepEqual([...(await parameters.values(w))], [0]);
  });

  test("is given up by a signal, after which the graph goes on", async () => {
    await none.run(async (graph) => {
      const stop = new AbortController();
      const programs = () => [doublings(graph, 40), endless(graph)];
      const settled = graph.join([...programs(), Promise.reject(new Error("mine"))], { settled: true, signal: stop.signal });
      const joined = graph.join(programs(), { signal: stop.signal });
      assert.equal(await doublings(graph, 3), 6);
      stop.abort("enough");
      await assert.rejects(joined, { code: "ABORTED", cause: "enough" });
      assert.deepEqual((await settled).map(({ value, reason }) => value ?? reason.code ?? reason.message), [2, "ABORTED", "mine"]);
      // One that was aborted before ends its join whatever the programs come to, and not the programs.
      const late = doublings(graph, 50);
      for (const given of [[], [1], [late], [Promise.reject(new Error("mine"))]]) {
        await assert.rejects(graph.join(given, { signal: stop.signal }), { code: "ABORTED", cause: "enough" });
      }
      assert.deepEqual(await graph.join([late, doublings(graph, 1)], { signal: new AbortController().signal }), [2, 7]);
    });
  });

  test("who waits for a value where a signal ends the join and the join the graph hears that it has ended", async () => {
    const stop = new AbortController();
    const programs = [];
    const begun = none.run((graph) => {
      const forever = async () => {
        for (let x = graph.input(1, 1); ; x = x.tanh()) await x.value();
      };
      programs.push(forever(), forever());
      return graph.join(programs, { signal: stop.signal });
    });
    begun.catch(() => undefined);
    while (programs.length < 2) await pause(1);
    await pause(5);
    stop.abort();
    await assert.rejects(begun, { code: "ABORTED" });
    for (const program of programs) await assert.rejects(program, { code: "DISPOSED" });
  });
});

/** A cell of a binary Tree-LSTM, as a function of its children's h and c. */
function treeCell(parameters, size) {
  const map = parameters.linear("tree", 2 * size, 5 * size);
  return (lh, lc, rh, rc) => {
    const gates = map(lh.graph.concatColumns([lh, rh]));
    const gate = (i) => gates.sliceColumns(i * size, (i + 1) * size);
    const c = gate(0).sigmoid().multiply(gate(1).tanh()).add(gate(2).sigmoid().multiply(lc)).add(gate(3).sigmoid().multiply(rc));
    return [gate(4).sigmoid().multiply(c.tanh()), c];
  };
}

describe("cells", () => {
  test("a cell is the same function in one node, its gradients too", async () => {
    const parameters = new Parameters({ seed: 2 });
    const [words, plain] = [parameters.embedding("words", 6, 4), treeCell(parameters, 4)];
    const cell = parameters.cell("tree", [4, 4, 4, 4], plain);
    const grow = (graph, tree, run) => {
      if (typeof tree === "number") return [words(graph, [tree]), words(graph, [tree]).tanh()];
      const [[lh, lc], [rh, rc]] = tree.map((branch) => grow(graph, branch, run));
      return run(lh, lc, rh, rc);
    };
    const trees = [[[0, 1], [2, [3, 4]]], [5, [0, [1, 2]]], [[[3, 1], 2], [4, 5]]];
    const ran = async (run) =>
      parameters.run(
        async (graph) => {
          const roots = trees.map((tree) => grow(graph, tree, run)[0]);
          const gradients = await graph.backward(graph.mean(roots).sumColumns());
          const values = await graph.values(roots);
          return { values, of: await Promise.all((await parameters.names()).map((name) => gradients.of(name))), ...(await graph.explain()) };
        },
        { training: true },
      );
    const [one, other] = [await ran(plain), await ran(cell)];
    for (const [i, values] of one.values.entries()) near(other.values[i], values, `root ${i}`);
    for (const [i, values] of one.of.entries()) near(other.of[i], values, `gradient ${i}`);
    const cells = other.batches.filter(({ op }) => op === "tree");
    assert.equal(cells.reduce((all, { lanes }) => all + lanes, 0), 11);
    // As many as the highest tree is high.
    assert.equal(cells.length, 3);
    assert.ok(other.nodes < one.nodes / 3);
  });

  test("cells in cells, constants in cells, one result, many rows, many graphs", async () => {
    const parameters = new Parameters();
    const w = parameters.parameter("w", 2, 2);
    const inner = parameters.cell("inner", [2], (x) => x.affine(w).tanh());
    const outer = parameters.cell("outer", [2, 2], (x, y) => {
      const [one] = [inner(x)];
      return [one.add(x.graph.input(1, 2, [10, 20])), inner(y)];
    });
    await parameters.set(w, [1, 2, 3, 4]);
    const expected = [1, 0, 0, 1].map((_, i, x) => Math.tanh((i % 2 ? 3 : 1) * x[i - (i % 2)] + (i % 2 ? 4 : 2) * x[i - (i % 2) + 1]));
    for (let i = 0; i < 2; i++) {
      await parameters.run(async (graph) => {
        const x = graph.input(2, 2, [1, 0, 0, 1]);
        const [sum, plain] = outer(x, x);
        near(await plain.value(), expected, "inner");
        near(await sum.value(), expected.map((value, at) => value + (at % 2 ? 20 : 10)), "outer");
        near(await inner(x).value(), expected, "inner by itself");
      });
    }
  });

  test("what a cell cannot do is an error where it is recorded", () => {
    const parameters = new Parameters();
    const lstm = parameters.lstm("lstm", 2, 2);
    const wrong = (run, message) => assert.throws(() => parameters.cell("wrong", [2], run), { code: "OPTION_INVALID", message });
    wrong((x) => x.sumRows(), /^pool: the cell "wrong" makes each row .* record this outside of it$/);
    wrong((x) => lstm(x).output, /^layer: /);
    wrong((x) => x.graph.variable(1, 2), /^variable: /);
    wrong((x) => x.add(x.graph.input(2, 2)), /1 row/);
    wrong((x) => x.sliceColumns(0, 3), /^sliceColumns: expected columns from 0 to 3 within the value, found 1 x 2$/);
    wrong(() => [], /an expression or an array/);
    wrong(() => 3, /an expression or an array/);
    wrong(async (x) => x, /an expression or an array/);
    wrong((x) => [x, none], /result 1: expected an expression/);
    assert.throws(() => parameters.cell("none", [], () => []), { code: "OPTION_INVALID" });
    let kept;
    parameters.cell("kept", [2], (x) => (kept = x));
    assert.throws(() => kept.tanh(), { code: "OPTION_INVALID", message: /was recorded already/ });
    assert.rejects(kept.value(), { code: "OPTION_INVALID" });
  });
});

describe("sizes", () => {
  test("nothing, no rows, no columns", async () => {
    const parameters = new Parameters();
    const [words, lstm, out] = [parameters.embedding("words", 3, 2), parameters.lstm("lstm", 2, 2), parameters.linear("out", 2, 4)];
    await parameters.run(
      async (graph) => {
        assert.deepEqual(await graph.join([]), []);
        assert.deepEqual(await graph.values([]), []);
        const empty = words(graph, []);
        assert.deepEqual([empty.rows, empty.columns], [0, 2]);
        const { output, state } = lstm(empty);
        const all = [output, state.h, out(output), empty.meanRows(), empty.maxRows(), empty.lastRow(), empty.sumRows(), graph.input(3, 0)];
        const values = await graph.values([...all, graph.input(3, 0).sumColumns(), graph.concatRows([empty, graph.input(1, 2, [1, 2])])]);
        assert.deepEqual(values.map((of) => [...of]), [[], [0, 0], [], [0, 0], [0, 0], [0, 0], [0, 0], [], [0, 0, 0], [1, 2]]);
        (await graph.backward(out(output).crossEntropy([]).sumRows())).dispose();
        assert.deepEqual((await graph.explain()).batches.every(({ lanes }) => lanes > 0), true);
      },
      { training: true },
    );
    assert.deepEqual(await none.run(() => 3), 3);
  });

  test("a tree 2,000 deep", async () => {
    const parameters = new Parameters({ seed: 1 });
    const cell = parameters.cell("tree", [4, 4, 4, 4], treeCell(parameters, 4));
    const adam = new Adam(parameters);
    const loss = await adam.learn((graph) => {
      const leaf = graph.input(1, 4, [1, 2, 3, 4]);
      let [h, c] = [leaf, leaf];
      for (let i = 0; i < 2000; i++) [h, c] = cell(h, c, leaf, leaf);
      return h.sumColumns();
    });
    assert.ok(Number.isFinite(loss));
  });

  test("1,000 sentences at once run as few batches as one, and learn the same", async () => {
    const make = () => {
      const parameters = new Parameters({ seed: 4 });
      const [words, lstm, out] = [parameters.embedding("words", 50, 8), parameters.lstm("lstm", 8, 8), parameters.linear("out", 8, 2)];
      return { parameters, loss: (graph, ids) => out(lstm(words(graph, ids)).state.h).crossEntropy([ids.length % 2]) };
    };
    const sentences = Array.from({ length: 1000 }, (_, i) => Array.from({ length: 1 + (i % 13) }, (_, k) => (7 * i + 3 * k) % 50));
    const [many, one] = [make(), make()];
    let batches = 0;
    await new Sgd(many.parameters).learn(async (graph) => {
      const losses = await graph.join(
        sentences.map(async (ids) => {
          const loss = many.loss(graph, ids);
          assert.equal((await loss.value()).length, 1);
          return loss;
        }),
      );
      ({ batches: { length: batches } } = await graph.explain());
      return graph.mean(losses);
    });
    assert.ok(batches < 10, `${batches}`);
    await new Sgd(one.parameters).learn((graph) => graph.mean(sentences.map((ids) => one.loss(graph, ids))), { strategy: "unbatched" });
    for (const name of await one.parameters.names()) near(await many.parameters.values(name), await one.parameters.values(name), name);
  });
});

describe("changes beside graphs", { timeout: 300_000 }, () => {
  /** One weight, 1, that is the loss: each step takes 1 from it. */
  const one = async () => {
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 1);
    await parameters.set(w, [1]);
    const value = async () => [...(await parameters.values(w))];
    return { parameters, w, value, product: (graph) => graph.input(1, 1, [1]).affine(w), sgd: new Sgd(parameters, { rate: 1 }) };
  };
  const refused = (by) => ({ name: "OptionError", code: "OPTION_INVALID", message: new RegExp(`^${by}: a graph of these parameters is open, .* must end first$`) });

  test("graphs of the same parameters overlap, and a step waits for them", async () => {
    const { parameters, value, product, sgd } = await one();
    const seen = [];
    const read = parameters.run(async (graph) => {
      for (let i = 0; i < 30; i++) seen.push(await product(graph).scalar());
      seen.push(await parameters.run((inner) => product(inner).scalar()));
      seen.push(...(await graph.backward(product(graph)).then((gradients) => gradients.of("w"))));
      assert.deepEqual(await value(), [1]);
      assert.equal((await parameters.save()).length > 0, true);
    }, { training: true });
    const losses = await Promise.all([sgd.learn(product), sgd.learn(product), read]);
    assert.deepEqual(seen, Array(32).fill(1));
    assert.deepEqual(losses.slice(0, 2), [1, 1]);
    assert.deepEqual(await value(), [-1]);
  });

  test("steps that are started together take turns", async () => {
    const { parameters, w, value, product, sgd } = await one();
    const program = (steps) => async (graph) => {
      for (let i = 0; i < steps; i++) await product(graph).scalar();
      return product(graph);
    };
    const losses = await Promise.all([1, 9, 0, 5, 3].map((steps) => sgd.learn(program(steps))));
    assert.ok(losses.every((loss) => Number.isInteger(loss) && loss <= 1));
    assert.deepEqual(await value(), [-4]);
    const loops = [0, 1].map(async () => {
      for (let i = 0; i < 10; i++) await sgd.learn(program(i));
    });
    await Promise.all([...loops, parameters.values(w), parameters.save()]);
    assert.deepEqual(await value(), [-24]);
  });

  test("a change that a graph's own function waits for is refused; the graph goes on, and nothing has changed", async () => {
    const { parameters, w, value, product, sgd } = await one();
    const file = await parameters.save();
    const changes = {
      learn: () => sgd.learn(product),
      step: (gradients) => sgd.step(gradients),
      set: () => parameters.set(w, [2]),
      load: () => parameters.load(file),
    };
    for (const [by, change] of Object.entries(changes)) {
      const gradients = await parameters.run((graph) => graph.backward(product(graph)), { training: true });
      await parameters.run(async (graph) => {
        await assert.rejects(change(gradients), refused(by));
        assert.equal(await product(graph).scalar(), 1);
        await parameters.run(() => assert.rejects(change(gradients), refused(by)));
        await graph.join([doublings(graph, 1), assert.rejects(change(gradients), refused(by))]);
      });
      await assert.rejects(sgd.learn(async (graph) => (await change(gradients), product(graph))), refused(by));
      assert.deepEqual(await value(), [1]);
      gradients.dispose();
    }
    // Gradients of a step that was refused are not spent.
    const gradients = await parameters.run((graph) => graph.backward(product(graph)), { training: true });
    await parameters.run(() => assert.rejects(sgd.step(gradients), refused("step")));
    assert.equal(await sgd.step(gradients), 1);
    assert.deepEqual(await value(), [0]);
  });

  test("one that was asked for before is refused to whoever waits for it within a graph", async () => {
    const { parameters, value, product, sgd } = await one();
    const first = sgd.learn(product);
    await parameters.run(() => assert.rejects(first, refused("learn")));
    await sgd.learn(product);
    assert.deepEqual(await value(), [0]);
  });

  test("a graph whose function waits for something else holds no change up: it is refused", async () => {
    const { parameters, w, value } = await one();
    let open;
    const gate = new Promise((resolve) => (open = resolve));
    const held = parameters.run(() => gate);
    await assert.rejects(parameters.set(w, [2]), refused("set"));
    open("done");
    assert.equal(await held, "done");
    await parameters.set(w, [2]);
    assert.deepEqual(await value(), [2]);
  });
});

describe("what ends", () => {
  test("a graph ends with its function, also one that throws", async () => {
    let kept;
    await none.run((graph) => void (kept = graph.input(1, 1)));
    const gone = { code: "DISPOSED", message: /^this graph has ended/ };
    assert.throws(() => kept.tanh(), gone);
    assert.throws(() => kept.graph.input(1, 1), gone);
    await assert.rejects(kept.value(), gone);
    await assert.rejects(kept.graph.explain(), gone);
    await assert.rejects(none.run((graph) => { kept = graph.input(1, 1); throw new TypeError("mine"); }), { message: "mine" });
    await assert.rejects(kept.value(), gone);
    let left;
    await none.run((graph) => { left = graph.input(1, 1).value(); left.catch(() => undefined); });
    await assert.rejects(left, gone);
    await assert.rejects(kept.graph.join([kept.value(), new Promise(() => undefined)]), gone);
    await none.run((graph) => assert.throws(() => graph.input(1, 1).add(kept), { code: "OPTION_INVALID", message: /another graph/ }));
  });

  test("what was disposed says so", async () => {
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 1);
    const adam = new Adam(parameters);
    const loss = (graph) => graph.input(1, 1, [1]).affine(w);
    await adam.learn(loss);
    adam.dispose();
    adam.dispose();
    await assert.rejects(adam.learn(loss), { code: "DISPOSED" });
    const gradients = await parameters.run((graph) => graph.backward(loss(graph)), { training: true });
    gradients.dispose();
    gradients.dispose();
    await assert.rejects(gradients.of(w), { code: "DISPOSED" });
    await parameters.run(async (graph) => {
      parameters.dispose();
      assert.equal((await loss(graph).value()).length, 1);
    });
    await assert.rejects(parameters.run(loss), { code: "DISPOSED" });
    await assert.rejects(parameters.values(w), { code: "DISPOSED" });
    new Parameters().dispose();
  });

  test("what waited for its turn when the parameters were disposed says so, and other parameters go on", async () => {
    const other = new Parameters();
    other.parameter("w", 1, 1);
    await other.set("w", [7]);
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 1);
    const file = await parameters.save();
    const adam = new Adam(parameters);
    const loss = (graph) => graph.input(1, 1, [1]).affine(w);
    const gradients = await parameters.run((graph) => graph.backward(loss(graph)), { training: true });
    let waiting;
    await parameters.run(async (graph) => {
      waiting = [parameters.load(file), parameters.set(w, [1]), adam.step(gradients)];
      for (const one of waiting) one.catch(() => undefined);
      // They wait for the graph as long as it computes.
      for (let times = 0; times < 3; times++) await loss(graph).value();
      parameters.dispose();
    });
    for (const one of waiting) await assert.rejects(one, { code: "DISPOSED" });
    assert.deepEqual([...(await other.values("w"))], [7]);
  });

  test("memory stays where it is over many graphs and forgotten parameters", async () => {
    const glue = await import("../pkg/saccade_graph.js");
    const memory = async () => (await glue.default()).memory.buffer.byteLength;
    const learn = async () => {
      const parameters = new Parameters();
      const linear = parameters.linear("linear", 500, 500);
      const adam = new Adam(parameters);
      for (let i = 0; i < 3; i++) await adam.learn((graph) => linear(graph.input(100, 500)).meanRows().meanColumns());
      await parameters.run((graph) => graph.backward(linear(graph.input(1, 500)).meanColumns()), { training: true });
      const thrown = parameters.run(async (graph) => {
        await linear(graph.input(100, 500)).value();
        throw new TypeError();
      });
      await assert.rejects(thrown, TypeError);
      const left = await parameters.run(async (graph) => {
        const left = graph.join([linear(graph.input(100, 500)).value(), endless(graph)]);
        left.catch(() => undefined);
        await linear(graph.input(100, 500)).value();
        return [left];
      });
      await assert.rejects(left[0], { code: "DISPOSED" });
    };
    const many = async (times) => {
      for (let i = 0; i < times; i++) {
        await learn();
        collect();
        await pause(2);
      }
    };
    await many(6);
    const before = await memory();
    // Each has more than 4 MB of weights, moments and gradients.
    await many(15);
    assert.ok((await memory()) <= before + 24_000_000, `${before} bytes grew to ${await memory()}`);
  });

  test("an engine that stops takes all that it held with it, and new parameters get a fresh one", async () => {
    const { Program } = await import("../pkg/saccade_graph.js");
    const parameters = new Parameters();
    const w = parameters.parameter("w", 1, 1);
    const { run } = Program.prototype;
    Program.prototype.run = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    const failed = { code: "ENGINE_FAILED", message: /make new parameters \(unreachable\)$/ };
    try {
      const settled = await parameters.run((graph) => graph.join([doublings(graph, 1), doublings(graph, 2)], { settled: true }));
      for (const { reason } of settled) assert.throws(() => { throw reason; }, failed);
    } finally {
      Program.prototype.run = run;
    }
    await assert.rejects(parameters.values(w), failed);
    await assert.rejects(parameters.run((graph) => doublings(graph, 1)), failed);
    parameters.dispose();
    assert.equal(await new Parameters().run((graph) => doublings(graph, 1)), 7);
  });
});
