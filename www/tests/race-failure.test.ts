/** Where the chapter Race says that a series has failed. */

import { render } from "svelte/server";
import { afterEach, expect, test, vi } from "vitest";
import Chapter from "../src/race/Chapter.svelte";
import { race } from "../src/race/race.svelte.ts";
import type { Study } from "../src/study/study.svelte.ts";

// Its colours are a browser's.
vi.mock("../src/race/gates/Gates.svelte", () => ({ default: () => {} }));
afterEach(() => (race.failure = null));

test("a failure is said once, though three buttons begin a series", () => {
  race.failure = "the engine died";
  const { body } = render(Chapter, { props: { study: { ready: null, seen: null } as unknown as Study } });
  expect(body.match(/role="alert"/g)).toHaveLength(1);
});
