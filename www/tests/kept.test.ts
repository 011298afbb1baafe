/** What is too long for a link: what the tab keeps of it while the page loads anew, and that a link says what it leaves out. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keep, recall, remember, restored } from "../src/study/kept.ts";
import { linked } from "../src/study/view.ts";

const long = { text: "a dull film ".repeat(300), code: "return 1;\n".repeat(400) };

const kept = () => restored({}, "#read");

/** What the tab has, and how many characters of one thing it has room for. */
const storage = new Map<string, string>();
let room: number;

beforeEach(() => {
  storage.clear();
  room = Infinity;
  vi.spyOn(performance, "getEntriesByType").mockReturnValue([{ type: "reload" } as PerformanceNavigationTiming]);
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => storage.get(key) ?? null,
    removeItem: (key: string) => storage.delete(key),
    setItem(key: string, value: string) {
      if (value.length > room) throw new DOMException("full", "QuotaExceededError");
      storage.set(key, value);
    },
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("a text and a program are kept, each if it is too long", () => {
  keep(long, null);
  expect(kept()).toEqual(long);
  keep({ ...long, text: "a dull film" }, null);
  expect(kept()).toEqual({ code: long.code });
  keep({ text: long.text }, null);
  expect(kept()).toEqual({ text: long.text });
});

test("of what there is no room for, nothing older comes back, and the other is kept all the same", () => {
  keep({ text: long.text }, null);
  room = long.code.length;
  keep({ text: long.text.repeat(10), code: long.code }, null);
  expect(kept()).toEqual({ code: long.code });
});

test("what an address has yet to say is kept for that address, whatever its length, and for no other", () => {
  keep({ text: "a film", code: "return 1;" }, "#read?text=a+fil");
  expect(restored({ text: "a fil" }, "#read?text=a+fil")).toEqual({ text: "a film", code: "return 1;" });
  expect(restored({ text: "b" }, "#read?text=b")).toEqual({ text: "b" });
  keep({ text: "a film", code: "return 1;" }, null);
  expect(restored({ text: "a fil" }, "#read?text=a+fil")).toEqual({ text: "a fil" });
});

test("what an address says of the words of its text is not said of the one that was kept instead", () => {
  const of = { force: { 0: "read" }, at: 3 } as const;
  keep({ text: "new" }, "#a");
  expect(restored({ text: "old", threshold: 0.5, ...of }, "#a")).toEqual({ text: "new", threshold: 0.5 });
  expect(restored({ text: "new", ...of }, "#a")).toEqual({ text: "new", ...of });
  keep({ text: "old", code: "return 1;" }, "#a");
  expect(restored({ text: "old", ...of }, "#a")).toEqual({ text: "old", code: "return 1;", ...of });
});

test("a page that a link has opened forgets what was kept, for itself and for when it is loaded again", () => {
  keep(long, null);
  remember("sentences", "a film");
  expect(recall("sentences")).toBe("a film");
  const entry = vi.spyOn(performance, "getEntriesByType").mockReturnValue([{ type: "navigate" } as PerformanceNavigationTiming]);
  expect([kept(), recall("sentences")]).toEqual([{}, null]);
  entry.mockReturnValue([{ type: "reload" } as PerformanceNavigationTiming]);
  expect([kept(), recall("sentences")]).toEqual([{}, null]);
});

test("a link names all that it leaves out", () => {
  expect(linked({ model: "sst2-skim-lstm", ...long }).without).toEqual(["text", "code"]);
  expect(linked({ text: "a dull film", code: long.code }).without).toEqual(["model", "code"]);
  expect(linked({ model: "sst2-skim-lstm", text: "a dull film", code: "return 1;" }).without).toEqual([]);
});
