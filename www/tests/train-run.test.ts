/** A run of the chapter Train whose engine fails: what is said, and what can still be had. */

import { render } from "svelte/server";
import { describe, expect, test } from "vitest";
import Actions from "../src/train/shared/Actions.svelte";
import { actions as say } from "../src/train/shared/strings.ts";
import { Run } from "../src/train/shared/run.svelte.ts";
import type { Training } from "../src/train/engine.ts";

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
