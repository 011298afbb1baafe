/** A run of the chapter Train whose engine fails: what is said, and what can still be had. */

import { render } from "svelte/server";
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import Actions from "../src/train/shared/Actions.svelte";
import { actions as say } from "../src/train/shared/strings.ts";
import { Run } from "../src/train/shared/run.svelte.ts";
import { train, type Training } from "../src/train/engine.ts";
import { namer } from "../src/train/name/namer.svelte.ts";

vi.mock("../src/train/engine.ts", () => ({ train: vi.fn() }));
vi.stubGlobal("fetch", async () => new Response(readFileSync(new URL("../src/train/name/sounds.txt", import.meta.url), "utf8")));

const bytes = new Uint8Array([1, 2, 3]);

/** A run that was looked at once, whose worker then dies when told to: whether its model can still be had, and whether its steps are waited for. */
async function begun({ kept = false, awaited = true }) {
  let die = () => {};
  const died = new Promise<never>((_, reject) => (die = () => reject(new Error("the worker died"))));
  async function* events() {
    yield { type: "begun" };
    yield { type: "evaluated" };
    await (awaited ? died : new Promise(() => {}));
  }
  const training = {
    [Symbol.asyncIterator]: events,
    file: async () => (kept ? bytes : died),
    pause() {},
    dispose() {},
  } as unknown as Training;
  const run = new Run();
  const driven = run.drive(training, 1, async () => ({ epoch: 1, kept: true }));
  while (run.moments.length === 0) await Promise.resolve();
  return { run, driven, die };
}

const shown = (run: Awaited<ReturnType<typeof begun>>["run"]) =>
  render(Actions, { props: { run, learn: "Learn", use: "Use it", disabled: false, name: "a.safetensors", onlearn() {}, onuse() {} } }).body;

describe("a worker that dies", () => {
  test("takes the model with it: nothing offers that, and the failure is said", async () => {
    const { run, driven, die } = await begun({ kept: false });
    die();
    await driven;
    expect([run.stage, run.hasFile, await run.file()]).toEqual(["failed", false, null]);
    expect(shown(run)).toContain("the worker died");
    for (const name of [say.save, "Use it"]) expect(shown(run)).not.toContain(name);
  });

  test("leaves the model where that can still be had", async () => {
    const { run, driven, die } = await begun({ kept: true });
    die();
    await driven;
    expect([run.stage, run.hasFile, await run.file()]).toEqual(["failed", true, bytes]);
    for (const name of [say.save, "Use it"]) expect(shown(run)).toContain(name);
  });

  test("while its run is held up is known when the model is asked for, or the run stopped", async () => {
    for (const ask of ["file", "stop"] as const) {
      const { run, die } = await begun({ awaited: false });
      run.pause();
      expect(shown(run)).toContain(say.save);
      die();
      await run[ask]();
      expect([run.stage, run.failure?.message, run.hasFile]).toEqual(["failed", "the worker died", false]);
    }
  });
});

test("a name is said as it was at a moment, though it was asked for between two", async () => {
  /** What all letters sound like to the network, and how it learns on. */
  let [sound, learn] = ["K", () => {}];
  async function* events() {
    yield { type: "begun" };
    for (const next of ["T", "S"]) {
      yield { type: "evaluated", epoch: 1, kept: true };
      await new Promise<void>((resolve) => (learn = resolve));
      sound = next;
    }
    yield { type: "evaluated", epoch: 3, kept: true };
    yield { type: "ended" };
  }
  const tag = async (texts: readonly string[]) => texts.map((text) => [...text].map((letter) => ({ text: letter, tag: sound, probability: 1 })));
  vi.mocked(train).mockReturnValue({ [Symbol.asyncIterator]: events, tag, file: async () => bytes, dispose() {} } as never);
  const said = () => namer.said?.flat().flatMap(({ sounds }) => sounds).join(" ") ?? null;
  const looked = (times: number) => vi.waitFor(() => expect(namer.moments.length).toBe(times));

  const driven = namer.start();
  await looked(1);
  // The network learns on before it is asked.
  sound = "P";
  await namer.say("Al");
  expect(said()).toBe("P P");
  namer.at = 0;
  expect(said()).toBeNull();
  namer.at = null;
  learn();
  await looked(2);
  expect(said()).toBe("T T");
  learn();
  await driven;
  expect(said()).toBe("S S");
  await namer.say("Bo");
  expect(said()).toBe("S S");
  for (const [at, then] of [[0, null], [1, null]] as const) {
    namer.at = at;
    expect(said()).toBe(then);
  }
  await namer.say("Al");
  expect(said()).toBe("T T");
  namer.forget();
});

test("a button that begins nothing, because there is nothing to learn from, keeps the focus", () => {
  const run = new Run();
  [run.stage, run.moments] = ["ended", [{ epoch: 1, kept: true }]];
  const offer = (disabled: boolean) => render(Actions, { props: { run, learn: "Learn", disabled, name: "a.safetensors", onlearn() {} } }).body;
  for (const name of [say.again, say.seed]) {
    const tag = (body: string) => new RegExp(`<button[^>]*>(?:<!--.*?-->)*${name}`).exec(body)?.[0] ?? "";
    expect(tag(offer(true))).toMatch(/aria-disabled="true"/);
    expect(tag(offer(true))).not.toMatch(/ disabled/);
    expect(tag(offer(false))).toMatch(/aria-disabled="false"/);
  }
});
