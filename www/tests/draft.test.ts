/** What the visitor wrote, when addresses put other texts in its place. */

import { expect, test, vi } from "vitest";
import type * as engine from "../src/engine.ts";
import { Study } from "../src/study/study.svelte.ts";

vi.mock("../src/engine.ts", async (original) => ({ ...(await original<typeof engine>()), prepare: async () => undefined }));
vi.stubGlobal("fetch", () => Promise.reject(new Error("no net")));

test("a way leads back to a text too long for an address, however many addresses come after it, and to no other", () => {
  const [study, long] = [new Study({}), "a film ".repeat(500)];
  study.write(long);
  for (const text of ["a film", "b film"]) study.apply({ text });
  expect(study.draft?.text).toBe(long);
  study.undo();
  expect([study.text, study.draft]).toEqual([long, null]);
  study.write("short");
  study.place("an example");
  study.apply({ text: "a film" });
  expect(study.draft).toBeNull();
});
