/** The chapter Batch when an engine does not come, or dies: what was made with it is made anew by the next try. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { Parameters } from "../../js/src/graph/index.ts";
import { load } from "../../js/src/index.ts";
import { parser } from "../src/batch/parsers/parser.svelte.ts";
import { runs } from "../src/batch/parsers/runs.svelte.ts";
import { programOf } from "../src/batch/program.ts";

vi.mock("../../js/src/index.ts", async (original) => {
  const all = await original<typeof import("../../js/src/index.ts")>();
  return { ...all, load: vi.fn(all.load) };
});

const file = readFileSync(join(import.meta.dirname, "..", "..", "models", "ewt-parser.safetensors"));
const lost = () => Object.assign(new Error("the engine stopped"), { code: "ENGINE_FAILED" });

// A machine may be busy.
vi.setConfig({ testTimeout: 120_000 });

afterEach(() => vi.restoreAllMocks());

test("parsers whose engine does not come begin with the next press", async () => {
  const opened = await load(file.slice(), { task: "parse" });
  vi.spyOn(parser, "ready").mockResolvedValue({ file, parse: (texts) => opened.parse(texts) });
  vi.spyOn(Parameters.prototype, "load").mockRejectedValueOnce(new Error("not fetched"));
  await runs.start();
  expect([runs.stage, runs.failure]).toEqual(["failed", "not fetched"]);
  await runs.start();
  expect([runs.stage, runs.failure]).toEqual(["parsed", null]);
  opened.dispose();
});

test("a parser whose engine dies is opened anew", async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(file));
  vi.mocked(load).mockResolvedValueOnce({ parse: () => Promise.reject(lost()) } as never);
  const { parse } = await parser.ready();
  await expect(parse(["Birds sing."])).rejects.toThrow("the engine stopped");
  expect(await (await parser.ready()).parse(["Birds sing."])).toHaveLength(1);
});

test("a network whose engine dies is made anew", async () => {
  const program = programOf([{ word: "film" }]);
  const run = vi.spyOn(Parameters.prototype, "run").mockRejectedValueOnce(lost());
  // Parameters keep the methods that they are made with.
  const { explain } = await import("../src/batch/live.ts");
  await expect(explain(program, "levels")).rejects.toThrow("the engine stopped");
  expect((await explain(program, "levels")).lowerBound).toBe(3);
  expect(run.mock.contexts[1]).not.toBe(run.mock.contexts[0]);
});
