/** What the visitor wrote, when addresses put other texts in its place. */

import { expect, test, vi } from "vitest";
import type * as engine from "../src/engine.ts";
import { Study } from "../src/study/study.svelte.ts";

vi.mock("../src/engine.ts", async (original) => ({ ...(await original<typeof engine>()), prepare: async () => undefined }));
vi.stubGlobal("fetch", () => Promise.reject(new Error("no net")));

test("a way leads back to what the visitor wrote, however many addresses come after it, until one brings it back", () => {
  for (const own of ["short", "a film ".repeat(500)]) {
    const study = new Study({});
    study.write(own);
    for (const text of ["a film", "b film"]) study.apply({ text }, true);
    expect(study.draft?.text).toBe(own);
    study.undo();
    expect([study.text, study.draft]).toEqual([own, null]);
    study.place("an example");
    study.apply({ text: "a film" }, true);
    expect(study.draft?.text).toBe(own);
    study.apply({ text: own }, false);
    expect([study.text, study.draft]).toEqual([own, null]);
  }
});

test("the way back leads to the threshold that the text was read with as well", () => {
  const study = new Study({});
  study.write("A");
  study.threshold = 0.3;
  study.apply({ text: "L", model: "trec-skim-lstm", threshold: 0.9 }, true);
  study.undo();
  expect([study.text, study.model, study.threshold]).toEqual(["A", "sst2-skim-lstm-small", 0.3]);
  study.place("E");
  study.threshold = 1;
  study.undo();
  expect([study.text, study.threshold]).toEqual(["A", 0.3]);
});

test("a way leads back to the program that the visitor wrote, behind those of addresses and of the page", () => {
  for (const own of ["return 1;", "return 1;\n".repeat(500)]) {
    const study = new Study({});
    study.code = own;
    for (const code of ["return 2;", "return 3;"]) study.apply({ code }, true);
    expect([study.code, study.ownCode]).toEqual(["return 3;", own]);
    study.placeCode("return 4;");
    study.placeCode(null);
    expect([study.code, study.ownCode]).toEqual([null, own]);
    study.undoCode();
    expect([study.code, study.ownCode]).toEqual([own, null]);
  }
});

test("what the way back in the history leads to is the visitor's, and what a new address brought is not, be it come back to", () => {
  const study = new Study({});
  study.write("A");
  study.code = "return 1;";
  study.apply({ text: "L", code: "return 2;" }, true);
  study.write("W");
  study.code = "return 3;";
  study.apply({ text: "A", code: "return 1;" }, false);
  expect([study.typed, study.draft?.text, study.ownCode]).toEqual([true, "W", "return 3;"]);
  study.place("E");
  study.placeCode(null);
  expect([study.draft?.text, study.ownCode]).toEqual(["A", "return 1;"]);
  study.apply({ text: "L", code: "return 2;" }, false);
  study.place("E");
  study.placeCode(null);
  expect([study.draft?.text, study.ownCode]).toEqual(["A", "return 1;"]);
});

test("no way leads back to what nobody wrote", () => {
  const study = new Study({});
  for (const [text, code] of [["a film", "return 1;"], ["b film", "return 2;"]] as const) study.apply({ text, code }, true);
  study.append(" more");
  study.place("an example");
  study.placeCode(null);
  expect([study.draft, study.ownCode]).toEqual([null, null]);
});

test("what was made of a text or a program of the page's stays when the visitor's comes back", () => {
  const study = new Study({});
  study.write("A");
  study.place("E");
  study.write("E, changed");
  study.undo();
  expect([study.text, study.draft?.text]).toEqual(["A", "E, changed"]);
  study.code = "return 1;";
  study.placeCode("return 2;");
  study.code = "return 3;";
  study.undoCode();
  expect([study.code, study.ownCode]).toEqual(["return 1;", "return 3;"]);
});
