/** A part that fails loses nothing that others measured, and nothing but whole runs becomes the record. */

import { writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, expect, test, vi } from "vitest";
import { open } from "../driver/browser.ts";
import { main, type Results } from "../driver/main.ts";
import { nextWord } from "../driver/next.ts";
import { type Entry, measure } from "../driver/rounds.ts";
import { skimLayers, skimTexts } from "../driver/skim.ts";
import { start } from "../driver/start.ts";
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
vi.mock("../driver/skim.ts", () => ({ skimLayers: vi.fn(async () => []), skimTexts: vi.fn(async () => null) }));
vi.mock("../driver/next.ts", () => ({ nextWord: vi.fn(async () => null) }));
vi.mock("../driver/train.ts", () => ({ train: vi.fn(async () => []) }));
vi.mock("../driver/start.ts", () => ({ start: vi.fn(async () => []) }));

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

const asked = ["--parts", "recurrences,train", "--only", "W1-lstm,W1-gru"] as const;
/** All that there is to measure. */
const whole = ["--devices", "cpu,webgpu", "--data", "data", "--record"] as const;
const reason = "404";
const entry = (contestant: Entry["contestant"], reason: string | null): Entry => ({ contestant, prepared: null, heap: null, samples: [], reason });
const learner = (contestant: Entry["contestant"], reason: string | null) => ({ contestant, losses: [], turns: [], reason });
const visited = (contestant: string, reason: string | null) => ({ contestant, cold: [], warm: [], bytes: { script: 0, wasm: 0, model: 0 }, reason });
/** Has the next case come to these entries. */
const measured = (...entries: Entry[]) => vi.mocked(measure).mockImplementationOnce(async (_browser, _url, _roofline, work) => ({ case: work, entries, rates: [] }));

test("what others measured is kept, and what failed is told", async () => {
  vi.mocked(measure).mockRejectedValueOnce(new Error("Target crashed"));
  vi.mocked(train).mockRejectedValueOnce(new Error("no page"));
  const { folder, results, text } = await written(...asked);
  expect(results.cases.map(({ case: { name } }) => name)).toEqual(["W1-gru"]);
  expect(results.failed).toEqual(["W1-lstm, Target crashed", "training, no page"]);
  expect(text).toContain("## Errors\n\n- W1-lstm, Target crashed\n- training, no page");
  expect([folder, process.exitCode]).toEqual(["results", 1]);
});

test("a whole run becomes the record, though a peer failed", async () => {
  measured(entry("saccade-cpu", null), entry("ort-wasm", reason));
  vi.mocked(train).mockResolvedValueOnce([learner("saccade-cpu", null), learner("tfjs-wasm", reason)]);
  vi.mocked(start).mockResolvedValueOnce([visited("sst2-skim-lstm", null), visited("ort-wasm", reason)]);
  const { folder, names, results } = await written(...whole);
  expect([folder, names.toSorted(), results.failed, process.exitCode]).toEqual(["record", ["browser.json", "browser.md", "browser.svg"], [], undefined]);
});

test.each([
  ["some cases", [...whole, "--only", "W1,W2"]],
  ["some parts", [...whole, "--parts", "recurrences"]],
  ["some contestants", [...whole, "--contestants", "saccade,tfjs"]],
  ["another build beside this one", [...whole, "--before", "older/js"]],
  ["one device", ["--data", "data", "--record"]],
  ["no texts", ["--devices", "cpu,webgpu", "--record"]],
])("a run of %s that is to become the record is refused before it measures", async (_, args) => {
  await expect(main(args, {})).rejects.toThrow("--record keeps whole runs alone");
  expect(writeFileSync).not.toHaveBeenCalled();
});

test.each([
  ["ours in a case", () => measured(entry("saccade-cpu", reason), entry("ort-wasm", null))],
  ["all in a case", () => measured(entry("ort-wasm", reason), entry("tfjs-wasm", reason))],
  ["Skim layers", () => vi.mocked(skimLayers).mockResolvedValueOnce([{ workload: "W1", skimmers: [], turns: [], reason }])],
  ["texts", () => vi.mocked(skimTexts).mockResolvedValueOnce({ lstm: "l", skim: "s", texts: 0, turns: [], before: null, reason })],
  ["the next word", () => vi.mocked(nextWord).mockResolvedValueOnce({ model: "m", turns: [], reason })],
  ["our learner", () => vi.mocked(train).mockResolvedValueOnce([learner("saccade-cpu", reason), learner("tfjs-wasm", null)])],
  ["all learners", () => vi.mocked(train).mockResolvedValueOnce([learner("tfjs-wasm", reason)])],
  ["a visit to our model", () => vi.mocked(start).mockResolvedValueOnce([visited("sst2-skim-lstm", reason), visited("ort-wasm", null)])],
  ["all visits", () => vi.mocked(start).mockResolvedValueOnce([visited("ort-wasm", reason)])],
] as const)("a run never becomes the record where a reason stands beside %s", async (_, fail) => {
  fail();
  const { folder, text } = await written(...whole);
  expect([folder, process.exitCode]).toEqual(["results", 1]);
  expect(text.slice(text.indexOf("## Errors"))).toContain(reason);
});

test("a roofline that is never ready fails its part alone", async () => {
  vi.useFakeTimers();
  const close = vi.fn(async () => {});
  vi.mocked(open).mockResolvedValueOnce({ evaluate: () => new Promise(() => {}), context: () => ({ close }) } as unknown as Page);
  const run = written("--parts", "recurrences,train");
  await vi.advanceTimersByTimeAsync(600_000);
  expect((await run).results.failed).toEqual(["recurrences, making the roofline ready took more than 240 s"]);
  // It would compute on beside the others.
  expect(close).toHaveBeenCalledBefore(vi.mocked(train));
});
