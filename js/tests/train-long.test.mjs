/** Training runs that are long, large, cut short, or learn from strange texts. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { terminate, train } from "../dist/train/node.js";

after(terminate);

const words = ["good", "bad", "fine", "dull", "the", "film", "was", "and"];
const texts = Array.from({ length: 96 }, (_, i) => {
  const text = Array.from({ length: 3 + (i % 5) }, (_, j) => words[(i * 7 + j * j * 5 + (i >> 3)) % 8]);
  return { text: text.join(" "), label: text.includes("good") };
});
const settings = (train) => ({
  task: "classify",
  model: { embeddingSize: 4, encoder: [{ type: "skim", cell: "gru", hiddenSize: 6, smallSize: 2 }] },
  train: { batch: 4, epochs: 2, learningRate: 0.01, ...train },
});

/** Of the binary with runs in this thread. */
const memory = async () => (await (await import("../pkg/saccade_train.js")).default()).memory.buffer.byteLength;

test("memory does not grow over 10,000 steps", { timeout: 600_000 }, async () => {
  const run = train({ train: texts, dev: texts.slice(0, 4) }, settings({ epochs: 420 }), { worker: false });
  let steps = 0;
  let early = 0;
  for await (const { type } of run) {
    if (type !== "step") continue;
    steps += 1;
    if (steps === 500) early = await memory();
  }
  assert.equal(steps, 420 * 24);
  assert.equal(await memory(), early);
  run.dispose();
});

describe("a run that is stopped", { timeout: 600_000 }, () => {
  for (const worker of [false, true]) {
    test(`at 50 moments, in ${worker ? "a worker" : "this thread"}, ends at once and leaves nothing behind`, async () => {
      // Drawn, and the same each time.
      let state = 7;
      const draw = (bound) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % bound;
      let before = 0;
      for (let time = 0; time < 50; time++) {
        const stopper = new AbortController();
        // It would go on for long.
        const run = train(texts, settings({ epochs: 1000 }), { worker, signal: stopper.signal });
        const [later, at] = [draw(2) === 0, draw(20)];
        let events = 0;
        const told = async () => {
          for await (const _ of run) if (!later && events++ === at) stopper.abort();
        };
        if (later) setTimeout(() => stopper.abort(), at);
        await assert.rejects(told, { name: "AbortError" });
        await assert.rejects(run.file(), { name: "AbortError" });
        if (!worker && time === 10) before = await memory();
      }
      if (!worker) assert.equal(await memory(), before);
      const whole = train(texts, settings(), { worker });
      const { dev } = await whole.finish();
      assert.ok(dev.n > 0);
      whole.dispose();
    });
  }
});

test("a million rows are handed over and learned from", { timeout: 600_000 }, async () => {
  async function* rows() {
    for (let row = 0; row < 1_000_000; row++) yield { text: row % 2 ? "yes it is" : "no", label: row % 2 };
  }
  const settings = { task: "classify", model: { embeddingSize: 2, encoder: [{ type: "gru", hiddenSize: 2 }] }, train: { batch: 512 } };
  const run = train({ train: rows(), dev: texts.map(({ text }, at) => ({ text, label: at % 2 })) }, settings);
  const told = [];
  for await (const event of run) {
    told.push(event);
    if (event.type === "step") break;
  }
  assert.deepEqual([told[0].texts.train, told[1].steps], [1_000_000, Math.ceil(1_000_000 / 512)]);
  assert.ok(Number.isFinite(told[1].losses.loss));
  run.dispose();
});

describe("texts", { timeout: 600_000 }, () => {
  const plain = { task: "classify", model: { embeddingSize: 4, encoder: [{ type: "gru", hiddenSize: 4 }] }, train: { batch: 4, epochs: 2 } };
  const learn = async (data, settings) => {
    const run = train(data, settings);
    const end = await run.finish();
    const model = await run.model();
    run.dispose();
    return { end, model };
  };

  test("of any Unicode are learned from and read", async () => {
    const odd = ["\u{1f600}\u{1f469}\u200d\u{1f467}", "\ud800 alone", "\0 nothing", "שלום עולם", "e\u0301 é", "\u202e turned", " \u00a0 \u3000 ", "字".repeat(3000)];
    const rows = odd.flatMap((text, at) => [{ text, label: `\u{1f44d}${at % 2}` }, { text: `${text} ${text}`, label: `\u{1f44d}${at % 2}` }]);
    const { end, model } = await learn({ train: rows, dev: rows }, plain);
    assert.equal(end.dev.n, rows.length);
    for (const text of odd) {
      const { scores } = await model.read(text);
      assert.deepEqual(scores.map(({ label }) => label).sort(), ["\u{1f44d}0", "\u{1f44d}1"]);
    }
    model.dispose();
  });

  test("of one class only are told from nothing, and a class without texts is never likely", async () => {
    const rows = texts.map(({ text }) => ({ text, label: "all" }));
    const one = await learn(rows, plain);
    const { scores: alone } = await one.model.read(texts[0].text);
    assert.deepEqual([one.end.dev.accuracy, alone.map(({ label }) => label)], [1, ["all"]]);
    one.model.dispose();
    const labels = ["all", "none"].map((name) => ({ file: name, name }));
    const { end, model } = await learn(rows, { ...plain, data: { labels }, train: { ...plain.train, epochs: 8 } });
    assert.equal(end.dev.accuracy, 1);
    const { scores } = await model.read(texts[0].text);
    assert.ok(scores.find(({ label }) => label === "none").probability < 0.2);
    model.dispose();
  });
});
