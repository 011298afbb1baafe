/** What a file on the page is for, before it is opened. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { taskOf } from "../src/study/task.ts";

const model = (name: string) => new Blob([readFileSync(new URL(`../../models/${name}.safetensors`, import.meta.url))]);
const number = (low: number, high = 0) => new Uint32Array([low, high]);

test("a model names its task, with settings or without", async () => {
  expect(await taskOf(model("sst2-sru"))).toBe("classify");
  expect(await taskOf(model("shakespeare-sru"))).toBe("predict");
  expect(await taskOf(model("ewt-tagger"))).toBe("tag");
});

test("what is no model has no task", async () => {
  for (const parts of [[], ["dear diary"], [number(2), "{}"], [number(2), "ab"], [number(100), "{}"], [number(2, 1), "{}"], [number(4), "null"]]) {
    expect(await taskOf(new Blob(parts))).toBeNull();
  }
  const state = JSON.stringify({ __metadata__: { format: "pt" } });
  expect(await taskOf(new Blob([number(state.length), state]))).toBeNull();
});
