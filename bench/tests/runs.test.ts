/** How contestants, pages and parts that fail are left, and that what others measured is kept. */

import type { Browser, Page } from "playwright-core";
import { afterEach, expect, test, vi } from "vitest";
import { nextWord } from "../driver/next.ts";
import { type Options, parse } from "../driver/options.ts";
import { measure } from "../driver/rounds.ts";
import { skimLayers, skimTexts } from "../driver/skim.ts";
import { start } from "../driver/start.ts";
import { train } from "../driver/train.ts";
import type { Server } from "../driver/server.ts";
import { caseOf } from "../shared/workloads.ts";

const chromium = vi.hoisted(() => ({ launchPersistentContext: vi.fn() }));
vi.mock("playwright-core", () => ({ chromium }));
vi.mock("../driver/browser.ts", async (actual) => ({ ...(await actual<object>()), executable: () => "chromium" }));
vi.mock("node:fs", async (actual) => ({ ...(await actual<object>()), existsSync: () => true, readFileSync: () => Array(60).fill("pos\t\t\ta text").join("\n") }));

afterEach(() => vi.useRealTimers());

/** What a page answers, by its address: to its calls one after the other, and then ever the last. An error is thrown. */
type Script = Readonly<Record<string, readonly unknown[]>>;

/** A browser whose pages answer as they are told, and what was done with them. */
function browserOf(script: Script, heap: () => Promise<unknown> = async () => ({ usedSize: 1 })) {
  const log: string[] = [];
  const newContext = async () => {
    let name = "";
    let calls = 0;
    const context = { newPage: async () => page, close: async () => void log.push(`close ${name}`), newCDPSession: async () => ({ send: heap }) };
    const page = {
      setDefaultTimeout() {},
      on() {},
      context: () => context,
      close: async () => {},
      async goto(address: string) {
        name = Object.keys(script).find((part) => address.includes(part)) ?? address;
      },
      async evaluate() {
        const answers = script[name] ?? [];
        const answer = answers[Math.min(calls++, answers.length - 1)];
        log.push(name);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
    return context;
  };
  return { browser: { newContext } as unknown as Browser, log, newContext };
}

const optionsOf = (...args: string[]): Options => ({ ...parse(args), rounds: 3 });
const crash = new Error("Target crashed");
const prepared = { variant: "v", trials: [{ variant: "v", ms: 1, error: 0, counts: null, reason: null }], memory: { wasm: 0, gpu: 0 } };
const roofline = { evaluate: async () => ({}) } as unknown as Page;

test("who is given up in a case computes no more beside the others", async () => {
  const { browser, log } = browserOf({ saccade: [prepared, 1], ort: [prepared, 2, crash] });
  const { entries } = await measure(browser, "http://x/", roofline, caseOf("W1-lstm"), optionsOf("--contestants", "saccade-cpu,ort-wasm"));
  expect(entries.map(({ samples, heap, reason }) => ({ samples, heap, reason }))).toEqual([
    { samples: [1, 1, 1], heap: 1, reason: null },
    { samples: [2, null, null], heap: null, reason: "Target crashed" },
  ]);
  // The second round begins with the one that crashes.
  expect(log).toEqual(["saccade", "ort", "saccade", "ort", "ort", "close ort", "saccade", "saccade", "close saccade"]);
});

test("a page that does not say how much it holds holds nobody up", async () => {
  vi.useFakeTimers();
  const { browser } = browserOf({ saccade: [prepared, 1] }, () => new Promise(() => {}));
  const measured = measure(browser, "http://x/", roofline, caseOf("W1-lstm"), optionsOf("--contestants", "saccade-cpu"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect((await measured).entries).toMatchObject([{ samples: [1, 1, 1], heap: null, reason: null }]);
});

test("a page that gives no answer is given up, and what was measured before is kept", async () => {
  vi.useFakeTimers();
  const options = optionsOf("--data", "data", "--contestants", "saccade-cpu");
  const never = new Promise(() => {});
  const late = { reason: "a turn took more than 240 s" };
  /** What a part gives in ten minutes of pages that answer so. */
  const given = async (part: typeof skimLayers | typeof skimTexts | typeof nextWord, ...answers: unknown[]): Promise<unknown> => {
    const { browser, log } = browserOf({ ".html": answers });
    const done = vi.fn();
    void part(browser, "http://x/", options).then(done);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(log.at(-1)).toBe("close .html");
    return done.mock.lastCall?.[0];
  };
  expect(await given(skimLayers, "ready", "one", never)).toMatchObject(Array(2).fill({ turns: ["one"], ...late }));
  expect(await given(skimLayers, never)).toMatchObject(Array(2).fill({ turns: [], reason: "making Skim layers ready took more than 240 s" }));
  expect(await given(skimTexts, "ready", ...Array(5).fill("warm"), "one", never)).toMatchObject({ turns: ["one"], ...late });
  expect(await given(skimTexts, never)).toMatchObject({ turns: [], reason: "making models ready took more than 240 s" });
  expect(await given(nextWord, "ready", "one", never)).toMatchObject({ turns: ["one"], ...late });
  expect(await given(nextWord, never)).toMatchObject({ turns: [], reason: "making models ready took more than 240 s" });
});

test("a roofline that gives no answer fails its case alone", async () => {
  vi.useFakeTimers();
  const { browser, log } = browserOf({ saccade: [prepared, 1] });
  const stuck = { evaluate: () => new Promise(() => {}) } as unknown as Page;
  const failed = vi.fn();
  void measure(browser, "http://x/", stuck, caseOf("W1-lstm"), optionsOf("--contestants", "saccade-cpu")).catch(failed);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(failed.mock.calls).toEqual([[new Error("a turn of the roofline took more than 240 s")]]);
  expect(log.at(-1)).toBe("close saccade");
});

test("a learner that is given up computes no more beside the others, and what it learned is kept", async () => {
  const turn = { ms: 1, losses: [4, 3], dispatches: 0 };
  const { browser, log } = browserOf({ saccade: [[4.2], turn], tfjs: [[4.1], turn, crash] });
  const [ours, theirs] = await train(browser, "http://x/", optionsOf("--contestants", "saccade-cpu,tfjs-wasm"));
  expect(ours).toMatchObject({ losses: [4.2, 4, 3, 4, 3, 4, 3], reason: null });
  expect(theirs).toEqual({ contestant: "tfjs-wasm", losses: [4.1, 4, 3], turns: [{ ms: 1, dispatches: 0 }], reason: "Target crashed" });
  // The second round begins with the one that crashes.
  expect(log).toEqual(["saccade", "tfjs", "saccade", "tfjs", "tfjs", "close tfjs", "saccade", "saccade", "close saccade"]);
});

test("of Skim layers, texts and the next word what was measured before a page failed is kept", async () => {
  const options = optionsOf("--data", "data", "--contestants", "saccade-cpu");
  const { browser, log } = browserOf({ "skim.html": ["ready", "one", "two", crash] });
  expect(await skimLayers(browser, "http://x/", options)).toEqual(["W1", "W2"].map((workload) => ({ workload, skimmers: "ready", turns: ["one", "two"], reason: "Target crashed" })));
  expect(log.filter((done) => done.startsWith("close"))).toHaveLength(2);
  // Five turns warm up.
  const texts = browserOf({ "before/skim.html": ["ready", "old"], "skim.html": ["ready", ...Array(5).fill("warm"), "one", crash] });
  expect(await skimTexts(texts.browser, "http://x/", { ...options, before: "older/js" })).toMatchObject({ texts: 20, turns: ["one"], before: ["old"], reason: "Target crashed" });
  const next = browserOf({ "next.html": ["ready", "one", crash] });
  expect(await nextWord(next.browser, "http://x/", options)).toMatchObject({ turns: ["one"], reason: "Target crashed" });
  for (const { log } of [texts, next]) expect(log.at(-1)).toMatch(/^close/);
});

test("a visit that fails costs its contestant the visits that follow, and nobody else anything", async () => {
  const visited = { codeMs: 1, answerMs: 2, value: 3 };
  // Three visits fill the profile; of those that are timed each second one has a fresh one.
  const script: Script = { "ort-wasm": [visited, visited, visited, visited, crash], "": [visited] };
  let closed = 0;
  chromium.launchPersistentContext.mockImplementation(async () => {
    const context = await browserOf(script).newContext();
    return { ...context, close: async () => void closed++ };
  });
  const server: Server = { url: "http://x/", sent: [{ path: "a.js", bytes: 7 }], forget() {}, close() {} };
  const entries = await start(server, optionsOf("--contestants", "saccade-cpu,ort-wasm"));
  const found = entries.map(({ contestant, cold, warm, bytes, reason }) => [contestant, cold.length, warm.length, bytes.script, reason]);
  expect(found).toEqual([
    ["saccade-cpu", 5, 5, 7, null],
    ["ort-wasm", 2, 1, 7, "Target crashed"],
    ["sst2-skim-lstm-small", 5, 5, 7, null],
    ["sst2-skim-lstm", 5, 5, 7, null],
  ]);
  expect(closed).toBeGreaterThanOrEqual(chromium.launchPersistentContext.mock.calls.length);
});
