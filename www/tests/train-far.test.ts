/** How far a gradient reaches, on the engine's graphs. */

import { describe, expect, test } from "vitest";
import { Network } from "../src/train/far/network.ts";
import { cells, type Cell, type Learned, type Options } from "../src/train/far/sizes.ts";

const usual: Options = { length: 40, clip: true, scale: 1, seed: 3 };

async function learned(cell: Cell, steps: number, options: Partial<Options> = {}, reach = 99): Promise<Learned[]> {
  const network = new Network(cell, { ...usual, ...options });
  const all: Learned[] = [];
  for (let step = 0; step < steps; step++) all.push(await network.learn(reach));
  network.dispose();
  return all;
}

const first = async (cell: Cell, options: Partial<Options> = {}, reach = 99) => (await learned(cell, 1, options, reach))[0] as Learned;

describe("a gradient on its way back", () => {
  test("dies in an Elman network and not in an LSTM or an SRU", async () => {
    const arrives = async (cell: Cell) => (await first(cell)).sizes.at(-1) ?? 0;
    expect(await arrives("elman")).toBeLessThan(1e-4);
    // Where a memory is hardly written to, nothing but it hands a gradient on.
    expect(await arrives("lstm")).toBeGreaterThan(0.1);
    expect(await arrives("sru")).toBeGreaterThan(0.1);
  });

  test("is that of every state but the last, beginning with one letter before the end", async () => {
    for (const cell of cells) {
      const { sizes } = await first(cell, { length: 12 });
      expect(sizes.length).toBe(11);
      expect(sizes[0]).toBe(1);
    }
  });

  test("explodes in an Elman network of large weights", async () => {
    expect((await first("elman", { scale: 4 })).sizes.at(-1)).toBeGreaterThan(10);
  });

  test("ends where it is cut, and changes nothing before that", async () => {
    const [whole, short] = [await first("lstm"), await first("lstm", {}, 10)];
    expect(short.sizes.slice(0, 9)).toEqual(whole.sizes.slice(0, 9).map((size) => expect.closeTo(size, 4)));
    expect(short.sizes.slice(9)).toEqual(short.sizes.slice(9).map(() => 0));
  });
});

test("what is remembered is learned, unless the gradient is cut; the same seed learns the same", async () => {
  const late = (all: readonly Learned[]) => all.slice(-8).reduce((sum, { right }) => sum + right, 0) / 8;
  const [whole, again, short] = [await learned("sru", 80), await learned("sru", 80), await learned("sru", 80, {}, 10)];
  expect(late(whole)).toBeGreaterThan(0.95);
  expect(late(short)).toBeLessThan(0.75);
  expect(again).toEqual(whole);
}, 60_000);
