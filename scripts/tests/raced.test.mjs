import assert from "node:assert/strict";
import { test } from "node:test";
import { trialsOf } from "../raced.mjs";

const table = (...rows) => ["Saccade, today", "", "| network | device | words | texts | turns | ms (median) | ms (between) | words/s | FLOPs |", "| --- |", ...rows, ""].join("\n");
const read = "| Skim-LSTM | CPU | 20 | 1 | 12 | 0.0746 | 0.07 to 0.08 | 268097 | 1306400 |";
const alone = "| SRU | WebGPU | 32 | 16 | 12 | 21.6 | 21 to 22 | 23704 | 491520000 |";

test("a race is recorded with the medians of its table", () => {
  assert.deepEqual(trialsOf(table(read, alone)), [
    { cell: "skim", device: "cpu", length: 20, batch: 1, alone: false, samples: [0.0746], flops: 1306400, method: "recorded" },
    { cell: "sru", device: "webgpu", length: 32, batch: 16, alone: true, samples: [21.6], flops: 491520000, method: "recorded" },
  ]);
});

test("a race in which a time is not told is not recorded", () => {
  for (const why of ["too busy", "too few turns"]) {
    assert.throws(() => trialsOf(table(read, alone.replace("21.6", why))), /not told: \| SRU \| WebGPU/);
  }
});
