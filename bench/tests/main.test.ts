/** A part that fails loses nothing that others measured, and nothing but whole runs becomes the record. */

import { writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, expect, test, vi } from "vitest";
import { open } from "../driver/browser.ts";
import { main, type Results } from "../driver/main.ts";
import { measure } from "../driver/rounds.ts";
import { train } from "../driver/train.ts";

vi.mock("node:fs", async (actual) => ({ ...(await actual<object>()), mkdirSync: vi.fn(), writeFileSync: vi.fn() }));
vi.mock("../driver/server.ts", () => ({ serve: async () => ({ url: "http://x/", close() {} }) }));
vi.mock("../driver/browser.ts", async (actual) => ({
  ...(await actual<object>()),
  launch: async () => ({ close: async () => {} }),
  open: vi.fn(async () => ({ evaluate: async () => undefined })),
}));
vi.mock("../driver/machine.ts", () => ({ describe: async () => ({ processor: "p", cores: 1, system: "s", load: 0, browser: "b", adapter: null }) }));
vi.mock("../driver/rounds.ts", () => ({ measure: vi.fn(async (_browser, _url, _roofline, work) => ({ case: work, entries: [], rates: [] })) }));
vi.mock("../driver/train.ts", () => ({ train: vi.fn(async () => []) }));

afterEach(() => {
  process.exitCode = undefined;
  vi.clearAllMocks();
  vi.useRealTimers();
});

/** The folders and the names of what a run wrote, and its results. */
async function written(...args: string[]): Promise<{ folder: string; names: string[]; results: Results; text: string }> {
  for (const call of ["log", "error"] as const) vi.spyOn(console, call).mockReturnValue();
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  await main(args, {});
  vi.restoreAllMocks();
  const calls = vi.mocked(writeFileSync).mock.calls.map(([path, content]) => [String(path), String(content)] as const);
  const of = (ending: string) => calls.find(([path]) => path.endsWith(ending))![1];
  return { folder: basename(dirname(calls[0]![0])), names: calls.map(([path]) => basename(path)), results: JSON.parse(of(".json")), text: of(".md") };
}

const asked = ["--parts", "recurrences,train", "--only", "W1-lstm,W1-gru", "--record"] as const;

test("what others measured is kept, and what failed is told", async () => {
  vi.mocked(measure).mockRejectedValueOnce(new Error("Target crashed"));
  vi.mocked(train).mockRejectedValueOnce(new Error("no page"));
  const { folder, results, text } = await written(...asked);
  expect(results.cases.map(({ case: { name } }) => name)).toEqual(["W1-gru"]);
  expect(results.failed).toEqual(["W1-lstm, Target crashed", "training, no page"]);
  expect(text).toContain("## Errors\n\n- W1-lstm, Target crashed\n- training, no page");
  expect([folder, process.exitCode]).toEqual(["results", 1]);
});

test("a whole run becomes the record", async () => {
  const { folder, names, results } = await written(...asked);
  expect([folder, names.toSorted(), results.failed, process.exitCode]).toEqual(["record", ["browser.json", "browser.md", "browser.svg"], [], undefined]);
});

test("a roofline that is never ready fails its part alone", async () => {
  vi.useFakeTimers();
  const close = vi.fn(async () => {});
  vi.mocked(open).mockResolvedValueOnce({ evaluate: () => new Promise(() => {}), context: () => ({ close }) } as unknown as Page);
  const run = written("--parts", "recurrences,train", "--record");
  await vi.advanceTimersByTimeAsync(600_000);
  expect((await run).results.failed).toEqual(["recurrences, making the roofline ready took more than 240 s"]);
  // It would compute on beside the others.
  expect(close).toHaveBeenCalledBefore(vi.mocked(train));
});
