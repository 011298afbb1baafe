/**
 * `npm run platforms`: keeps what the tests of the platforms found last as `platforms/record.json`, and writes the README's
 * table from it.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/steps.mjs";
import { recorded } from "./record.mjs";

const kept = join(import.meta.dirname, "record.json");
const readme = join(root, "README.md");
const [begin, end] = ["<!-- npm run platforms writes this table -->", "<!-- end of the table -->"];

/** What is kept of the last tests, by the platforms' names. */
export const read = () => JSON.parse(readFileSync(kept, "utf8"));

const cpu = ({ relaxedSimd }) => `WebAssembly, ${relaxedSimd ? "relaxed SIMD" : "128-bit SIMD, as there is no relaxed SIMD"}`;

function gpu({ usable, adapter, software }) {
  if (!usable) return 'none; `device: "webgpu"` runs on the CPU and says why';
  const device = adapter ? adapter.replace(/ \(.*$/, "") : "an adapter without a name";
  return `WebGPU (${device}${software ? ", a software GPU" : ""})`;
}

function tested({ kind, kernels, missing = [] }) {
  const thing = {
    browser: "the package's suite in both threads, each chapter by keyboard, offline",
    runtime: "the package's suite, in a worker its calls and models, the README's lines",
  };
  const twins = kernels ? ", every kernel against the CPU" : "";
  return `${thing[kind]}${twins}${missing.length > 0 ? `; without ${missing.join(", ")}` : ""}`;
}

/** The table's rows of what was tested. */
export function rows(platforms) {
  return Object.entries(platforms).map(
    ([name, found]) => `| ${name} (${found.version.split(".").slice(0, 2).join(".")}) | ${cpu(found.cpu)} | ${gpu(found.webgpu)} | ${tested(found)} |`,
  );
}

const parts = () => {
  const text = readFileSync(readme, "utf8");
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  return [text.slice(0, from), text.slice(from, to).trim(), text.slice(to)];
};

/** The table as it stands in the README. */
export const written = () => parts()[1];

/** The table as it follows from what is kept. */
export function table(platforms) {
  return ["| tested, on Linux x86-64 | CPU | GPU | by |", "|---|---|---|---|", ...rows(platforms)].join("\n");
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const platforms = recorded();
  if (Object.keys(platforms).length === 0) throw new Error("no test of a platform has run: npm test -- platforms");
  writeFileSync(kept, `${JSON.stringify(platforms, null, 2)}\n`);
  const [before, , after] = parts();
  writeFileSync(readme, `${before}\n${table(platforms)}\n${after}`);
}
