/** What the chapter Predict asks of a model beside what is typed, of models that answer as the tests have them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { loadLanguageModel, race, type LanguageModel } from "../src/engine.ts";
import { trio } from "../src/predict/cells/trio.svelte.ts";
import { Influence } from "../src/predict/influence/influence.svelte.ts";
import { Language, type Ready } from "../src/predict/language.svelte.ts";
import { Predict, type Seen } from "../src/predict/predict.svelte.ts";
import { Writing } from "../src/predict/writing/writing.svelte.ts";

vi.mock("../src/engine.ts", () => ({ prepare: async () => undefined, race: vi.fn(), loadLanguageModel: vi.fn(async () => ({ dispose: vi.fn() })) }));

/** Waits for what has been answered. */
const answered = () => new Promise((resolve) => setTimeout(resolve));

/** Readers that say which text they stand after; one that begins with "long" is read until somebody stops it. */
function model(): Ready {
  const reader = () => {
    let at = "";
    return {
      computed: 0,
      update: async (text: string, { signal }: { signal: AbortSignal }) => {
        const tokens = text.split(" ").map((word) => ({ kind: "predicted", text: word, bits: 1 }));
        at = text;
        if (text.startsWith("long")) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
        return { tokens };
      },
      predict: async () => ({ words: [{ text: `after ${at}` }] }),
      dispose: () => undefined,
    };
  };
  return { model: { reader } } as unknown as Ready;
}

test("a text that is shown can be asked about when the reading of a later one was stopped", async () => {
  const [ready, predict] = [model(), new Predict()];
  predict.language.stage = { kind: "ready", ready };
  predict.request(ready, "short");
  await answered();
  predict.request(ready, "long");
  predict.stop();
  await answered();
  const { seen } = predict;
  expect(seen?.text).toBe("short");
  const answers = await predict.ask(seen as Seen, [1, 10]);
  expect(answers.map(({ words }) => words[0]?.text)).toEqual(["after short", "after short"]);
});

describe("influence", () => {
  const seen = { ready: model(), text: "a b c d", scoring: { tokens: [..."abcd"].map((text, at) => ({ kind: "predicted", text, start: 2 * at, end: 2 * at + 1, bits: 1 })) } } as unknown as Seen;

  test("that was stopped begins again when its word is pressed, and not before", async () => {
    const influence = new Influence();
    const looked = influence.look(seen, 3);
    influence.stop();
    await looked;
    await influence.look(seen, 3);
    expect(influence.latest?.ended).toBe("stopped");
    await influence.press(seen, 3);
    expect(influence.latest?.ended).toBe("done");
    expect([...(influence.latest?.bits.keys() ?? [])]).toEqual([2, 1, 0]);
  });
});

test("what was written stays until the next text has its first word, also where none comes", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  try {
    const generate = vi.fn();
    const ready = { source: "novels-lm", model: { generate, config: { tokenizer: {} } } } as unknown as Ready;
    const [writing, draw] = [new Writing(), { temperature: 1, topP: 1, seed: 1 }];
    const seeds = () => [writing.of(ready)?.draw.seed, writing.of(ready)?.words.length, writing.running];
    generate.mockImplementation(async function* () {
      yield { text: "a" };
    });
    await writing.write(ready, "", draw);
    generate.mockImplementation(async function* () {
      throw new Error("refused");
    });
    await writing.write(ready, "", { ...draw, seed: 2 });
    expect([...seeds(), writing.failure?.message]).toEqual([1, 1, false, "refused"]);
    generate.mockImplementation(async function* (_: string, { signal }: { signal: AbortSignal }) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    });
    const written = writing.write(ready, "", { ...draw, seed: 3 });
    expect(seeds()).toEqual([1, 1, true]);
    writing.stop();
    await written;
    expect([...seeds(), writing.failure]).toEqual([1, 1, false, null]);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("of the visitor's own models one is held at a time", async () => {
  const bytes = readFileSync(join(import.meta.dirname, "..", "..", "models", "shakespeare-lstm.safetensors"));
  const language = new Language();
  for (const name of ["a", "b", "b"]) await language.choose(new File([bytes], name));
  const models = await Promise.all(vi.mocked(loadLanguageModel).mock.results.map(({ value }) => value as ReturnType<typeof loadLanguageModel>));
  expect(models.map(({ dispose }) => vi.mocked(dispose).mock.calls.length)).toEqual([1, 1, 0]);
  expect(language.ready?.model).toBe(models.at(-1));
});

test("one of the visitor's own that comes when another has been chosen is given back", async () => {
  const bytes = readFileSync(join(import.meta.dirname, "..", "..", "models", "shakespeare-lstm.safetensors"));
  const model = () => ({ dispose: vi.fn() }) as unknown as LanguageModel;
  const [first, second, language] = [model(), model(), new Language()];
  let come = (_: LanguageModel) => {};
  vi.mocked(loadLanguageModel).mockClear().mockReturnValueOnce(new Promise((resolve) => (come = resolve))).mockResolvedValueOnce(second);
  const chosen = language.choose(new File([bytes], "a"));
  await vi.waitFor(() => expect(loadLanguageModel).toHaveBeenCalledOnce());
  await language.choose(new File([bytes], "b"));
  come(first);
  await chosen;
  expect([first, second].map(({ dispose }) => vi.mocked(dispose).mock.calls.length)).toEqual([1, 0]);
  expect(language.ready?.model).toBe(second);
});

test("one that is on its way goes on coming when it is chosen again, unless it is to be fetched anew", async () => {
  const bytes = readFileSync(join(import.meta.dirname, "..", "..", "models", "shakespeare-lstm.safetensors"));
  const fetched = vi.fn(async () => new Response(bytes));
  vi.stubGlobal("fetch", fetched);
  try {
    const language = new Language();
    const both = [language.choose("novels-lm"), language.choose("novels-lm")];
    await Promise.all(both);
    expect([fetched.mock.calls.length, language.ready?.source]).toEqual([1, "novels-lm"]);
    await Promise.all([language.choose("shakespeare-lstm"), language.choose("shakespeare-lstm", true)]);
    expect([fetched.mock.calls.length, language.ready?.source]).toEqual([3, "shakespeare-lstm"]);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("one whose download fails takes none of the others with it", async () => {
  const bytes = readFileSync(join(import.meta.dirname, "..", "..", "models", "shakespeare-lstm.safetensors"));
  const fetched = vi.fn(async (url: string) => (url.includes("novels") ? new Response(bytes) : new Response(null, { status: 404 })));
  vi.stubGlobal("fetch", fetched);
  try {
    const language = new Language();
    await language.choose("novels-lm");
    const { ready } = language;
    await language.choose("shakespeare-lstm");
    expect(language.stage).toMatchObject({ kind: "failed", failure: { code: "DOWNLOAD_FAILED" } });
    await language.choose("novels-lm");
    expect(language.ready).toBe(ready);
    // With the engine they are gone.
    language.fail({ message: "", code: "ENGINE_FAILED" });
    await language.choose("novels-lm");
    expect([language.ready === ready, fetched.mock.calls.length]).toEqual([false, 3]);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("a timing that fails leaves what was read as it is", async () => {
  trio.stage = { kind: "ready", networks: [] };
  trio.seen = { text: "read", scorings: [] };
  vi.mocked(race).mockRejectedValueOnce(new Error("no clock"));
  await trio.time();
  expect([trio.untimed?.message, trio.failure, trio.stage.kind]).toEqual(["no clock", null, "ready"]);
  vi.mocked(race).mockRejectedValueOnce(Object.assign(new Error("lost"), { code: "ENGINE_FAILED" }));
  await trio.time();
  expect([trio.untimed, trio.failure, trio.stage.kind]).toEqual([null, null, "failed"]);
});
