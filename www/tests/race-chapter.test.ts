/** Where the chapter Race says that a series has failed. */

import { render } from "svelte/server";
import { expect, test, vi } from "vitest";
import type * as engine from "../src/engine.ts";
import Chapter from "../src/race/Chapter.svelte";
import { race } from "../src/race/race.svelte.ts";
import type { Study } from "../src/study/study.svelte.ts";

vi.mock("../src/engine.ts", async (original) => ({ ...(await original<typeof engine>()), load: () => Promise.reject(new Error("the engine died")) }));
// Its colours are a browser's.
vi.mock("../src/race/gates/Gates.svelte", () => ({ default: () => {} }));

test("a failure is said once, beside what began the series, also when the chapter is opened again", async () => {
  await race.marathon({ words: ["a"], decisions: ["read"] });
  const { body } = render(Chapter, { props: { study: { ready: null, seen: null } as unknown as Study } });
  const [before, after, ...more] = body.split('role="alert"');
  expect(more).toEqual([]);
  expect(after).toContain("the engine died");
  expect(before?.match(/id="race-\w+"/g)?.at(-1)).toBe('id="race-length"');
});
