/** What the chapter Train says and offers at moments of its runs, as the page is made of them. */

import { render } from "svelte/server";
import { afterEach, expect, test, vi } from "vitest";
import type * as engine from "../src/engine.ts";
import { Study } from "../src/study/study.svelte.ts";
import { remembering } from "../src/train/far/memory.svelte.ts";
import Far from "../src/train/far/Scene.svelte";
import Letters from "../src/train/letters/Scene.svelte";
import { writer } from "../src/train/letters/writer.svelte.ts";
import Name from "../src/train/name/Scene.svelte";
import { namer } from "../src/train/name/namer.svelte.ts";
import { fileRows } from "../src/train/skim/data.ts";
import { KNOBS } from "../src/train/skim/knobs.ts";
import { learner } from "../src/train/skim/learner.svelte.ts";
import Skim from "../src/train/skim/Scene.svelte";

vi.mock("../src/engine.ts", async (original) => ({ ...(await original<typeof engine>()), prepare: async () => undefined }));
vi.stubGlobal("fetch", () => Promise.reject(new Error("no net")));

const props = { study: new Study({}), go: () => undefined };
/** The text of a scene without its marks. */
const text = (body: string) => body.replace(/<!--.*?-->|<[^>]*>/g, " ").replace(/\s+/g, " ");
const status = (body: string) => text([...body.matchAll(/<p class="[^"]*" role="status">(.*?)<\/p>/gs)].at(-1)?.[1] ?? "");

afterEach(() => {
  for (const run of [learner, writer, namer, remembering]) run.forget();
});

test("before anything is learned a recorded run stands there and says so, but not under knobs or data that it is not of", () => {
  const bodies = () => [render(Skim, { props }), render(Letters, { props }), render(Far, { props }), render(Name, { props })].map(({ body }) => text(body));
  const say = () => bodies().map((body) => /when we (let|had) (it|them) learn/.test(body));
  expect(say()).toEqual([true, true, true, true]);
  expect(text(render(Skim, { props }).body)).toMatch(/\d+% new sentences right .+ reads: .+ says (good|bad)/);
  expect(text(render(Name, { props }).body)).toMatch(/It says \/\S+\//);
  expect(text(render(Letters, { props }).body)).toMatch(/What it wrote after \d+ passes/);
  for (const run of [learner, writer, namer, remembering]) run.stage = "starting";
  expect(say()).toEqual([false, false, false, false]);
  for (const run of [learner, writer, namer, remembering]) run.forget();
  [learner.brought, learner.chosen] = [{ name: "mine.tsv", taken: fileRows(Array.from({ length: 60 }, (_, at) => `${at % 2}\ttext ${at}`).join("\n")) }, "file"];
  [writer.cell, remembering.length, namer.name] = ["sru", 20, "Zoe"];
  expect(say()).toEqual([false, false, false, true]);
  expect(text(render(Name, { props }).body)).toMatch(/will stand below it, once it learns/);
  [learner.brought, learner.chosen, writer.cell, remembering.length, namer.name] = [null, "own", "lstm", 60, "Siobhan"];
});

test("what is announced at the end is also of the model that is handed on, where that is an earlier one", () => {
  const moment = { loss: 0.1, skimRate: 0.5, reads: [], knobs: KNOBS };
  learner.moments = [
    { ...moment, epoch: 1, kept: true, accuracy: 0.9 },
    { ...moment, epoch: 2, kept: false, accuracy: 1, skimRate: 0.25 },
  ];
  learner.stage = "ended";
  expect(status(render(Skim, { props }).body)).toMatch(/gets 100% .+ skims 25% .+: 90% right, 50% skimmed/);
  learner.moments = learner.moments.map((one) => ({ ...one, kept: true }));
  expect(status(render(Skim, { props }).body)).not.toMatch(/90%/);

  writer.moments = [
    { epoch: 1, kept: true, bits: 2.25, sample: "" },
    { epoch: 2, kept: false, bits: 2.5, sample: "" },
  ];
  writer.stage = "ended";
  expect(status(render(Letters, { props }).body)).toMatch(/2\.50 bits .+: 2\.25 bits a letter/);
  namer.moments = [
    { epoch: 1, kept: true, sounds: 0.8, words: 0.4, said: {} },
    { epoch: 2, kept: false, sounds: 0.7, words: 0.5, said: {} },
  ];
  namer.stage = "ended";
  expect(status(render(Name, { props }).body)).toMatch(/gets 70% .+: 80% of the sounds, 40% of the words/);
});

test("how far a run is does not stand beside the figures of an earlier moment", () => {
  const moment = { kept: true, accuracy: 0.9, loss: 0.1, skimRate: 0.5, reads: [], knobs: KNOBS, bits: 2, sample: "", sounds: 0.8, words: 0.4, said: {} };
  const steps = () => [render(Skim, { props }), render(Letters, { props }), render(Name, { props })].map(({ body }) => text(body).includes("304 of 900"));
  for (const run of [learner, writer, namer]) {
    run.moments = [1, 2].map((epoch) => ({ ...moment, epoch }));
    [run.now, run.stage] = [{ loss: 0.008, step: 304, of: 900 }, "paused"];
  }
  expect(steps()).toEqual([true, true, true]);
  for (const run of [learner, writer, namer]) run.at = 0;
  expect(steps()).toEqual([false, false, false]);
});

test("the model that is handed on is said to skim half only where it does", () => {
  const said = (skimRate: number) => {
    learner.moments = [{ epoch: 1, kept: true, accuracy: 0.9, loss: 0.1, skimRate, reads: [], knobs: KNOBS }];
    return text(render(Skim, { props }).body);
  };
  expect(said(0.5)).toMatch(/best model so far: of those that skim at least half, the one that is most often right/);
  expect(said(0.25)).toMatch(/best model so far: the one that is most often right/);
});

test("of a file's sentences as many are told of as there are, and none has no key to it", () => {
  const take = (of: number, label: (at: number) => string) => {
    learner.brought = { name: "mine.tsv", taken: fileRows(Array.from({ length: of }, (_, at) => `${label(at)}\ttext ${at}`).join("\n")) };
    learner.chosen = "file";
    return render(Skim, { props }).body;
  };
  expect(text(take(40, (at) => `${at % 2}`))).toMatch(/ 8 sentences that it never learns from/);
  // Every label of what is asked about is one that nothing was learned of.
  const none = take(40, (at) => `${at}`);
  expect(text(none)).toMatch(/ 0 sentences that it never learns from/);
  expect(none).not.toMatch(/class="key/);
  learner.chosen = "own";
  const own = render(Skim, { props }).body;
  expect(text(own)).toMatch(/ 10 sentences that it never learns from/);
  expect(own).toMatch(/class="key/);
});

test("of a long file some texts are taken, and that is told", () => {
  const said = (texts: number) => {
    learner.brought = { name: "mine.tsv", taken: fileRows(Array.from({ length: texts }, (_, at) => `${at % 3}\ttext`).join("\n")) };
    learner.chosen = "file";
    const all = text(render(Skim, { props }).body);
    learner.chosen = "own";
    return all;
  };
  expect(said(20_000)).toMatch(/mine\.tsv: 20,000 texts, 3 labels\. It stays/);
  expect(said(25_000)).toMatch(/mine\.tsv: 25,000 texts, 3 labels\. The network takes 20,000 of them/);
});

test("a picture of a gradient shows where that gradient was cut, wherever the next is to be", () => {
  const lines = () => render(Far, { props }).body.match(/class="cut/g)?.length ?? 0;
  remembering.stand({ length: 60, reach: 10, clip: true, scale: 1, seed: 1 });
  expect(lines()).toBe(3);
  const seen = { round: 1, reach: 60, lately: 1, right: 1, norm: 1, sizes: [1] };
  remembering.seen = { elman: seen, lstm: seen, sru: { ...seen, reach: 20 } };
  expect(lines()).toBe(1);
});

/** A worker that fails in a way, as soon as there is one. */
function failing(event: Event) {
  return class extends EventTarget {
    constructor() {
      super();
      queueMicrotask(() => this.dispatchEvent(event));
    }
    postMessage() {}
    terminate() {}
  };
}

test("a worker whose script does not load is told of, and offered as what has not run", async () => {
  vi.stubGlobal("Worker", failing(new Event("error")));
  remembering.start();
  await Promise.resolve();
  const said = text(render(Far, { props }).body);
  expect(remembering.stage).toBe("failed");
  expect(said).toMatch(/The engine did not run it: its program did not load\. Let them learn/);
  vi.stubGlobal("Worker", failing(Object.assign(new Event("error"), { message: "out of memory" })));
  remembering.start();
  await Promise.resolve();
  expect(text(render(Far, { props }).body)).toMatch(/The engine did not run it: out of memory /);
});
