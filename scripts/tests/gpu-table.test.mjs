/** The table of a run on a GPU (`bench/gpu/table.py`), from made-up figures. Wants Python 3 and nothing else. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../steps.mjs";

const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "there is no python3";

const sizes = { steps: 64, input: 256, hidden: 256, layers: 1, training: false, flops: 4e9, bytes: 1e6 };
const timed = (...milliseconds) => ({ error: 1.5e-6, milliseconds, gpu_milliseconds: 1.5, launches: 70 });
const named = (name, network, more) => ({ name, group: network === "skim" ? "skim" : "forward", network, ...sizes, ...more });
const slow = named("slow", "lstm", { batch: 256, ...timed(8, 8, 8) });
const wrong = named("wrong", "lstm", { batch: 32, wrong: "2.0e-2 from the CPU" });
const ours = {
  adapter: { name: "Made-up GPU", backend: "Vulkan", software: false },
  cases: [
    named("fast", "lstm", { batch: 32, ...timed(2, 3, 4) }),
    slow,
    wrong,
    named("light", "sru", { batch: 32, ...timed(1, 1, 1) }),
    named("reads all", "skim", { batch: 256, skimmed: 0, ...timed(10) }),
    named("skims", "skim", { batch: 256, skimmed: 0.5, ...timed(6), flops: 2e9 }),
  ],
};
const beside = (name, peers) => ({ name, group: "forward", peers });
const cudnn = (milliseconds) => ({ "cuDNN f32": { milliseconds: [milliseconds], queued_milliseconds: 1.9, profile: { launches: 3, milliseconds: 1.8 } } });
const peers = {
  date: "2026-01-02",
  device: "Made-up GPU",
  cuda: true,
  driver: "1.2",
  versions: { torch: "2.9", cuDNN: 91000, sru: null },
  ceilings: { bytes_per_second: 1e12, flops_per_second: 4e12 },
  cases: [
    beside("fast", cudnn(2)),
    beside("slow", cudnn(4)),
    beside("wrong", cudnn(2)),
    beside("light", { ...cudnn(4), "sru f32": { skipped: "ImportError: no sru" } }),
  ],
};

/** What the script makes of both files, of the peers' also where it is missing or cut off. */
function tabled(ours, peers) {
  const folder = mkdtempSync(join(tmpdir(), "saccade-table-"));
  try {
    const file = (name) => join(folder, name);
    writeFileSync(file("ours.json"), JSON.stringify(ours));
    if (peers !== undefined) writeFileSync(file("peers.json"), typeof peers === "string" ? peers : JSON.stringify(peers));
    const names = ["ours.json", "peers.json", "gpu.md", "gpu.json"].map(file);
    const { status, stderr } = spawnSync("python3", ["-B", join(root, "bench", "gpu", "table.py"), ...names], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const text = readFileSync(file("gpu.md"), "utf8");
    return { text, row: (name) => rowOf(text, name), record: JSON.parse(readFileSync(file("gpu.json"), "utf8")), stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The cells of a case by the heads of its columns. */
function rowOf(text, name) {
  const cells = (line) => line.split("|").slice(1, -1).map((cell) => cell.trim());
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${name} |`));
  const heads = cells(lines.slice(0, at).findLast((line) => line.startsWith("| case |")));
  return Object.fromEntries(cells(lines[at]).map((cell, column) => [heads[column], cell]));
}

/** What is said of the target that begins so. */
const verdict = (text, target) => text.split("\n- ").find((part) => part.startsWith(target)).split("\n\n")[0];

test("a case stands beside its peers: medians, quartiles, ratios and shares of the ceilings", { skip }, () => {
  const { text, row, record, stderr } = tabled(ours, peers);
  assert.equal(stderr, "");
  assert.match(text, /^# On a real GPU\n\n2026-01-02; Made-up GPU through Vulkan; driver 1\.2\.\n\npeers on Made-up GPU; torch 2\.9; cuDNN 91000; sru –\.\n/);
  assert.match(text, /1000 GB\/s .* 4 TFLOP\/s/);
  assert.deepEqual(row("fast"), {
    case: "fast",
    "ours ms": "3 (2.5–3.5)",
    "by timestamps": "1.5",
    launches: "70",
    roofline: "33.3 %",
    "GB/s": "0.333",
    "cuDNN f32 ms": "2",
    "ours / cuDNN f32": "**1.5 ×**",
    "cuDNN f32 queued": "1.9",
    "cuDNN f32 kernels": "1.8 in 3",
    "cuDNN TF32 ms": "–",
    "ours / cuDNN TF32": "–",
    "sru ms": "–",
    "ours / sru": "–",
    "sru queued": "–",
    "sru kernels": "–",
    error: "1.5e-06",
  });
  assert.equal(row("slow")["ours / cuDNN f32"], "**2 ×**");
  const skims = row("skims");
  assert.deepEqual([skims["FLOPs saved"], skims["time saved"]], ["50 %", "40 %"]);
  assert.deepEqual([record.ours, record.peers], [ours, peers]);
});

test("a figure that three digits round up to a thousand is written out", { skip }, () => {
  const { row } = tabled({ ...ours, cases: [{ ...slow, gpu_milliseconds: 999.7 }] }, peers);
  assert.equal(row("slow")["by timestamps"], "1000");
});

test("a target is judged by its bound, and by every case it speaks of", { skip }, () => {
  const { text, record } = tabled(ours, peers);
  const judged = record.targets.map(({ case: name, value, reached }) => [name, value, reached]);
  assert.deepEqual(judged.slice(0, 4), [["fast", 1.5, true], ["slow", 2, false], ["wrong", null, null], ["light", 4, true]]);
  assert.match(verdict(text, "LSTM at batch 32"), /\*\*reached in part\*\* \(1 of 2\)\.\n {2}- without a figure: wrong \(forward\)$/);
  assert.match(verdict(text, "LSTM at batch 256"), /\*\*missed\*\* \(0 of 1\)\.\n {2}- missed: slow \(forward\) 2$/);
  assert.match(verdict(text, "SRU"), /\*\*reached\*\* \(1 of 1\)\.$/);
  assert.match(verdict(text, "Skim-LSTM"), /\*\*reached\*\* \(1 of 1\)\.$/);
});

test("an answer that differs from the CPU's has no time and no ratio, also where samples of it lie there", { skip }, () => {
  for (const more of [{}, timed(1, 1, 1)]) {
    const { row, record } = tabled({ ...ours, cases: [{ ...wrong, ...more }] }, peers);
    const { "ours ms": time, "ours / cuDNN f32": ratio, roofline, "cuDNN f32 ms": peer } = row("wrong");
    assert.deepEqual({ time, ratio, roofline, peer }, { time: "wrong: 2.0e-2 from the CPU", ratio: "–", roofline: "–", peer: "2" });
    assert.deepEqual(record.targets.map(({ reached }) => reached), [null]);
  }
});

test("what is missing of the peers is its reason or a dash, and judges nothing", { skip }, () => {
  const light = tabled(ours, peers).row("light");
  assert.deepEqual([light["sru ms"], light["ours / sru"]], ["skipped: ImportError: no sru", "–"]);
  for (const none of [undefined, '{"cases": [']) {
    const { text, row, record, stderr } = tabled({ ...ours, cases: [slow] }, none);
    assert.match(stderr, /^the table has no peers: /);
    const { "ours ms": time, "ours / cuDNN f32": ratio, roofline } = row("slow");
    assert.deepEqual({ time, ratio, roofline }, { time: "8 (8–8)", ratio: "–", roofline: "–" });
    assert.match(verdict(text, "LSTM at batch 256"), /\*\*not judged, no figure\*\* \(0 of 1\)/);
    assert.deepEqual([record.peers, record.targets.map(({ value, reached }) => [value, reached])], [null, [[null, null]]]);
  }
});

test("neither a software adapter nor peers on a processor judge a target", { skip }, () => {
  const software = tabled({ ...ours, adapter: { ...ours.adapter, software: true } }, peers);
  assert.match(software.text, /^# On a software adapter\n[^]*None is judged/);
  assert.deepEqual(software.record.targets, []);
  const { row, record } = tabled({ ...ours, cases: [slow] }, { ...peers, cuda: false });
  assert.equal(row("slow")["ours / PyTorch f32"], "**2 ×**");
  assert.deepEqual(record.targets.map(({ reached }) => reached), [null]);
});
