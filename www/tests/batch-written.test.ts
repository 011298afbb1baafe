/** Sentences that the parser grows trees for, as the tests have it. */

import { expect, test, vi } from "vitest";
import { parser } from "../src/batch/parsers/parser.svelte.ts";
import { first, written } from "../src/batch/written.svelte.ts";

vi.mock("../src/batch/parsers/parser.svelte.ts", () => ({ parser: { ready: vi.fn() } }));

const parse = vi.fn(async (texts: readonly string[]) => texts.map((text) => ({ tokens: text.split(" ").map((word, at) => ({ text: word, head: at === 0 ? null : 0 })) })));

test("of those that were written while it was on its way, the latest alone are parsed", async () => {
  let come = () => {};
  vi.mocked(parser.ready).mockReturnValue(new Promise((resolve) => (come = () => resolve({ file: new Uint8Array(), parse } as never))));
  const grown = ["a", "a b", "a b c"].map((sentence) => written.grow([sentence]));
  come();
  await Promise.all(grown);
  expect(parse.mock.calls).toEqual([[["a b c"]]]);
});

test("the visitor's sentences and what was made of the first ones change places, and none is lost", () => {
  const changed = `${first}x`;
  const after = (text: string) => {
    written.text = text;
    written.swap();
    return written.text;
  };
  expect(after("D")).toBe(first);
  expect([after(changed), after("D"), after(changed)]).toEqual(["D", changed, "D"]);
  // Without what was made of them, the first ones are next.
  expect([after(""), after(changed), after("D"), after("")]).toEqual([changed, first, changed, "D"]);
});

test("what stands already is no way back", () => {
  written.text = "D";
  written.draft = null;
  written.swap();
  written.text = "D";
  written.swap();
  expect([written.text, written.draft]).toEqual(["D", null]);
});
