/** Training and gradients wherever the package runs: the losses of the command line, and what a graph's backward pass gives. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { difference } from "./fixture.mjs";
import { inNode, load, thread } from "./package.mjs";
import { events, losses, near, recorded, runs } from "./runs.mjs";

const entry = inNode ? "node" : "index";
const { train } = await import(`../dist/train/${entry}.js`);
const { Adam, Parameters } = await import(`../dist/graph/${entry}.js`);

describe("the command line's run", () => {
  for (const [name, [data, settings]] of Object.entries(runs)) {
    test(name, async () => {
      const run = train(data, settings, { worker: thread === "worker" });
      const all = await events(run);
      const expected = recorded[name];
      assert.equal(losses(all).length, expected.losses.length);
      losses(all).forEach((found, step) => near(found, expected.losses[step], `step ${step}`));
      const end = all.at(-1);
      assert.equal(end.type, "ended");
      near([end.dev.loss], [expected.dev.loss], "dev");
      if ("accuracy" in end.dev) assert.equal(end.dev.accuracy, expected.dev.accuracy);
      const model = await load(await run.file());
      assert.equal(model.task, settings.task);
      model.dispose();
      run.dispose();
    });
  }
});

describe("a graph", () => {
  const parameters = new Parameters({ seed: 1 });
  const step = parameters.linear("step", 5, 3);
  /** The mean squared state after words of unequal sequences, whose steps run in batches. */
  const loss = async (graph) => {
    const squares = await graph.join(
      [1, 2, 4].map(async (length) => {
        let state = graph.input(1, 3, [0.5, -0.25, 0]);
        for (let word = 0; word < length; word++) state = step(graph.concatColumns([state, graph.input(1, 2, [word / 4, 1 - length / 4])])).tanh();
        return state.multiply(state).sumColumns();
      }),
    );
    return graph.mean(squares);
  };
  const valueOf = () => parameters.run(async (graph) => (await loss(graph)).scalar());

  test("has the gradients of differences", async () => {
    const made = await parameters.run(async (graph) => graph.backward(await loss(graph)), { training: true });
    for (const name of await parameters.names()) {
      const [values, gradient] = [await parameters.values(name), await made.of(name)];
      const found = [];
      for (const at of values.keys()) {
        const [more, less] = [[], []];
        for (const [by, into] of [[1e-2, more], [-1e-2, less]]) {
          const moved = values.slice();
          moved[at] += by;
          await parameters.set(name, moved);
          into.push(await valueOf());
        }
        found.push((more[0] - less[0]) / 2e-2);
      }
      await parameters.set(name, values);
      assert.ok(difference(found, gradient) < 1e-3, `${name}: ${gradient} instead of ${found}`);
    }
    made.dispose();
  });

  test("learns", async () => {
    const before = await valueOf();
    const adam = new Adam(parameters, { rate: 0.05 });
    for (let i = 0; i < 30; i++) await adam.learn(loss);
    assert.ok((await valueOf()) < before / 4);
  });
});
