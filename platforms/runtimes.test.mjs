/** The package in other runtimes than the one that runs the tests: the README's lines, and the suite of both threads. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { blocks, makeFolder } from "../examples/readme.mjs";
import { suite } from "../js/tests/suite.mjs";
import { plain, root } from "../scripts/steps.mjs";
import { counts } from "../scripts/tally.mjs";
import { platform } from "./record.mjs";
import { runtimes } from "./runtimes.mjs";

/** Prints what the README's blocks print, as a list for each, and what can compute here. */
const WHOLE = `
const printed = [];
const log = console.log;
for (let block = 0; block < ${blocks.length}; block += 1) {
  const lines = [];
  console.log = (...parts) => lines.push(parts.map((part) => (typeof part === "string" ? part : inspect(part))).join(" "));
  await import(\`./block-\${block}.mjs\`);
  printed.push(lines);
}
const { devices } = await import("saccade-rnn");
log(JSON.stringify({ printed, devices: await devices() }));
process.exit();
`;

// Node's runner would take its like for a part of itself.
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

/** In a worker the tests of calls and of models. */
const files = { main: suite, worker: ["calls", "model"] };

/** How many tests passed and failed by Deno's and Bun's runners, or by Node's. */
function passed(output) {
  const text = plain(output);
  const deno = text.match(/(\d+) passed(?: \((\d+) steps?\))? \| (\d+) failed/);
  if (deno) return { passed: Number(deno[1]) + Number(deno[2] ?? 0), failed: Number(deno[3]) };
  const bun = text.match(/^ *(\d+) pass\n *(\d+) fail$/m);
  if (bun) return { passed: Number(bun[1]), failed: Number(bun[2]) };
  return counts(text);
}

for (const { name, program, run, test: tests, absent, crashesAtItsEnd = [] } of runtimes) {
  if (absent) {
    test(name, { skip: absent }, () => {});
    continue;
  }

  describe(name, { timeout: 3_600_000 }, () => {
    const found = { kind: "runtime" };
    const step = platform(name, found);
    let folder;
    before(() => (folder = makeFolder()));
    after(() => rmSync(folder, { recursive: true, force: true }));

    /** Runs the runtime, which must succeed; returns what it printed. */
    function prints(args, options) {
      const { status, signal, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 1_200_000, ...options });
      const ended = status === 0 || crashesAtItsEnd.includes(signal);
      assert.ok(ended, `${status} ${signal} ${error ?? ""}\n${stdout}\n${stderr}`);
      return `${stdout}\n${stderr}`;
    }

    step("prints what the README says", () => {
      writeFileSync(join(folder, "whole.mjs"), `import { inspect } from "node:util";\n${WHOLE}`);
      const { printed, devices } = JSON.parse(prints([...run, "whole.mjs"], { cwd: folder }).match(/^\{"printed".*$/m)[0]);
      assert.deepEqual(printed, blocks.map(({ prints }) => prints));
      assert.equal(devices.cpu.usable, true);
      Object.assign(found, { version: prints(["--version"]).match(/\d+\.\d+\.\d+/)[0], ...devices });
    });

    for (const thread of ["main", "worker"]) {
      step(`passes the suite, ${thread}`, () => {
        const paths = files[thread].map((file) => `./js/tests/${file}.test.mjs`);
        const output = prints([...tests, ...paths], { cwd: root, env: { ...env, THREAD: thread } });
        const { passed: sound, failed } = passed(output);
        assert.ok(sound > 50 && failed === 0, output);
      });
    }
  });
}
