/** The visitor's own model file: kept, found again, replaced, forgotten, and what is said where it is not kept. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MOST, OwnFile } from "../src/study/own.svelte.ts";

/** What a browser keeps, by names of caches and addresses. */
const kept = new Map<string, Map<string, Response>>();

beforeEach(() => {
  kept.clear();
  vi.stubGlobal("caches", {
    open: async (name: string) => {
      const cache = kept.get(name) ?? new Map<string, Response>();
      kept.set(name, cache);
      return {
        match: async (address: string) => cache.get(address)?.clone(),
        put: async (address: string, response: Response) => void cache.set(address, response),
      };
    },
    delete: async (name: string) => kept.delete(name),
  });
});
afterEach(() => vi.unstubAllGlobals());

test("the last one is found on another visit by its name, whatever letters that has, until it is forgotten", async () => {
  const first = new OwnFile();
  await first.keep(new File(["one"], "one.safetensors"));
  await first.keep(new File(["two"], "zwölf 🎬.safetensors"));
  expect([first.keeping, kept.size]).toEqual(["kept", 1]);
  const second = new OwnFile();
  const found = await second.find();
  expect([found?.name, await found?.text(), second.keeping]).toEqual(["zwölf 🎬.safetensors", "two", "kept"]);
  await second.forget();
  expect([second.file, second.keeping]).toEqual([null, "forgotten"]);
  expect(await new OwnFile().find()).toBeNull();
});

test("one to read with and one to guess with are kept beside each other", async () => {
  await new OwnFile().keep(new File(["reads"], "reads.safetensors"));
  await new OwnFile("guess").keep(new File(["guesses"], "guesses.safetensors"));
  await new OwnFile().forget();
  expect(await new OwnFile().find()).toBeNull();
  expect((await new OwnFile("guess").find())?.name).toBe("guesses.safetensors");
});

test("a file that is too large is not kept, and does not take the place of one that is", async () => {
  const own = new OwnFile();
  const small = new File(["small"], "small.safetensors");
  await own.keep(small);
  await own.keep(Object.defineProperty(new File([], "large.safetensors"), "size", { value: MOST + 1 }));
  expect([own.keeping, own.file]).toEqual(["large", small]);
  expect((await new OwnFile().find())?.name).toBe("small.safetensors");
  await own.keep(small);
  expect(own.keeping).toBe("kept");
});

test("where there is no storage, or none is left, that is what it says", async () => {
  for (const caches of [undefined, { open: () => Promise.reject(new DOMException("full", "QuotaExceededError")) }]) {
    vi.stubGlobal("caches", caches);
    const own = new OwnFile();
    expect(await own.find()).toBeNull();
    await own.keep(new File(["a"], "a.safetensors"));
    expect([own.keeping, own.file]).toEqual(["refused", null]);
  }
});
