/** Runs that several threads learn: the same bytes again, whoever leads, whoever is gone. */

import assert from "node:assert/strict";
import { Worker as Thread } from "node:worker_threads";
import { test } from "node:test";
import { thread } from "../dist/thread.js";
import { terminate, train, useWorker } from "../dist/train/node.js";
import { team } from "../dist/train/team.js";
import { open } from "./opened.mjs";
import { events, letters, losses, near, recorded, reviews, runs, skim, treebank, tags } from "./runs.mjs";

/** The threads there are, so that some can be ended. */
const threads = [];
useWorker(() =>
  thread((options) => {
    const made = new Thread(new URL("../dist/train/node-worker-entry.js", import.meta.url), options);
    threads.push(made);
    made.on("exit", () => threads.splice(threads.indexOf(made), 1));
    return made;
  }),
);

async function file(...given) {
  const run = open(...given);
  await run.finish();
  return run.file();
}

for (const [name, [data, settings]] of Object.entries(runs)) {
  test(`${name}: three threads give the same bytes again, in this thread or not`, async () => {
    const first = await file(data, settings, { workers: 3 });
    assert.deepEqual(await file(data, settings, { workers: 3, worker: false }), first);
    assert.notDeepEqual(await file(data, settings), first, "rounding differs");
  });
}

test("two threads find the losses of one", async () => {
  const all = await events(open(recorded.text, letters, { workers: 2 }));
  losses(all).forEach((found, step) => near(found, recorded.letters.losses[step], `step ${step}`));
});

test("a run goes on from a snapshot, with the knobs as they stood, in as many threads as one likes", async () => {
  // Long enough that the best model comes after the snapshot: a run is ahead of what it has told.
  const long = { ...skim, train: { ...skim.train, epochs: 8 } };
  const run = open(reviews, long, { workers: 2 });
  let steps = 0;
  for await (const event of run) {
    if (event.type !== "step") continue;
    if (++steps === 5) await run.set({ gamma: 0.5, temperature: 0.8 });
    if (steps === 9) break;
  }
  const snapshot = structuredClone(await run.snapshot());
  const ends = await Promise.all([2, 2, 1].map((workers) => file(reviews, long, { workers, resume: snapshot })));
  assert.deepEqual(ends[0], ends[1]);
  assert.notDeepEqual(ends[0], ends[2]);
});

test("a thread that fails is told of, and the model is as if it had not", async () => {
  const whole = await file(treebank, tags, { workers: 3 });
  const run = open(treebank, tags, { workers: 3 });
  const left = [];
  let steps = 0;
  const before = new Set(threads);
  for await (const event of run) {
    if (event.type === "left") left.push(event);
    if (event.type === "step" && ++steps === 3) {
      // One that helps: the one that leads all runs was there before.
      await threads.find((made) => !before.has(made)).terminate();
    }
  }
  assert.deepEqual(left.map(({ workers }) => workers), [2]);
  assert.match(left[0].reason, /exit code/);
  assert.deepEqual(await run.file(), whole);
});

test("a thread that ends before the run has begun is told of", async () => {
  const before = new Set(threads);
  const ending = async function* () {
    yield* reviews.dev;
    const made = threads.find((thread) => !before.has(thread));
    const exit = new Promise((resolve) => made.once("exit", resolve));
    await made.terminate();
    await exit;
  };
  const message = /^a worker of this run failed before the run had begun \(its thread ended with exit code 1\)$/;
  await assert.rejects(open({ ...reviews, dev: ending() }, skim, { workers: 3 }).finish(), { code: "ENGINE_FAILED", message });
});

test("of a run that a helper cannot begin, who leads keeps nothing", async () => {
  const asked = [];
  const leader = {
    async call(name, args) {
      asked.push([name, ...args]);
      return name === "begin" ? { id: 7 } : undefined;
    },
  };
  const refuse = (onAnswer) => ({
    post: ({ id, name }) => queueMicrotask(() => onAnswer(name === "begin" ? { id, error: { code: "MODEL_TENSORS", message: "other words" } } : { id, value: undefined })),
    terminate() {},
  });
  const two = team(leader, 1, refuse);
  await two.call("start", [{}]);
  await assert.rejects(two.call("begin", [3, undefined, undefined, "cpu"]), { code: "MODEL_TENSORS" });
  await two.call("release", [3]);
  assert.deepEqual(asked.slice(2), [["release", 7], ["release", 3]]);
});

test("who is done with a run is done with its threads", async () => {
  const before = new Set(threads);
  const run = open(reviews, skim, { workers: 4 });
  for await (const event of run) if (event.type === "step") break;
  const made = threads.filter((thread) => !before.has(thread));
  assert.equal(made.length, 3);
  const exits = made.map((thread) => new Promise((resolve) => thread.once("exit", resolve)));
  run.dispose();
  await Promise.all(exits);
  await assert.rejects(run.file(), { code: "DISPOSED" });
});

test("a run that did not begin leaves no threads", async () => {
  const before = [...threads];
  const left = async () => {
    for (let turns = 0; threads.length > before.length && turns < 1000; turns++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(threads.length, before.length);
  };
  await assert.rejects(open(reviews, skim, { workers: 3, from: "there/is/none.safetensors" }).finish(), { code: "FETCH_FAILED" });
  await left();
  await assert.rejects(open([], skim, { workers: 3 }).finish(), { code: "TRAINING_DATA" });
  await left();
  const stop = new AbortController();
  const stopped = assert.rejects(open(reviews, skim, { workers: 3, signal: stop.signal }).finish(), { code: "ABORTED" });
  while (threads.length === before.length) await new Promise(setImmediate);
  stop.abort();
  await stopped;
  await left();
});

for (const worker of [true, false]) {
  for (const [when, end] of [["between two steps", terminate], ["while a step is under way", () => setTimeout(terminate)]]) {
    test(`the end of all workers is that of a run ${worker ? "in one" : "in this thread"} with helpers, ${when}`, async () => {
      const before = new Set(threads);
      const run = open(reviews, { ...skim, train: { ...skim.train, epochs: 1000 } }, { workers: 3, worker });
      const gone = { code: "ENGINE_FAILED", message: "the worker was terminated" };
      let steps = 0;
      const exits = [];
      await assert.rejects(async () => {
        for await (const { type } of run) {
          if (type !== "step" || ++steps !== 5) continue;
          exits.push(...threads.filter((made) => !before.has(made)).map((made) => new Promise((resolve) => made.once("exit", resolve))));
          end();
        }
      }, gone);
      await assert.rejects(run.finish(), gone);
      await assert.rejects(run.file(), { code: "ENGINE_FAILED" });
      await Promise.all(exits);
    });
  }
}

test("what is no number of threads is told", () => {
  for (const workers of [0, -1, 1.5, 257, "auto", NaN]) {
    assert.throws(() => train(reviews, skim, { workers }), { code: "OPTION_INVALID", message: /options\.workers: expected a whole number from 1 to 256/ });
  }
  assert.throws(() => train(reviews, skim, { workers: 2, device: "webgpu" }), { code: "OPTION_INVALID", message: /options\.device: expected with workers "cpu"/ });
});
