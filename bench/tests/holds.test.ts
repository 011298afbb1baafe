/** How often a number held, from loads that were written down. */

import { expect, test } from "vitest";
import { held } from "../holds.mjs";

const at = (median: number, width = 1) => ({ least: median - width, median, most: median + width });

test("a number is outside if the next load shows it beyond the interval; one that is not shown contradicts nothing", () => {
  const series = [
    [{ time: at(10) }, { time: at(10.5) }, { time: at(14) }],
    [{ time: at(10) }, { time: null }, { time: at(20) }],
  ];
  expect(held(series)).toEqual([{ name: "time", shown: 5, followed: 2, outside: 1 }]);
});

test("the last load of one series is not followed by the first of the next", () => {
  expect(held([[{ time: at(1) }], [{ time: at(100) }]])).toEqual([{ name: "time", shown: 2, followed: 0, outside: 0 }]);
});
