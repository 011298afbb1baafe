/**
 * `npm test`: every check there is and how long it took; ends with the number of tests passed and failed.
 * `npm test -- FILTER` runs the checks whose names contain the filter and those that they need; `npm test -- --list` names all.
 */

import { checks } from "./checks.mjs";
import { select } from "./selection.mjs";
import { announce, checkNode, checkRust, entry, installPackages, run, Stop } from "./steps.mjs";
import { summary, tally } from "./tally.mjs";

await entry(async () => {
  const filters = process.argv.slice(2);
  if (filters.includes("--list")) {
    for (const { name } of checks) console.log(name);
    return;
  }
  const { chosen, toRun, unknown } = select(checks, filters);
  if (unknown.length > 0) {
    throw new Stop(`No check's name contains "${unknown[0]}"; there are: ${checks.map(({ name }) => name).join("; ")}`);
  }
  checkNode();
  await checkRust();
  await installPackages();
  const found = new Map();
  for (const tool of new Set(toRun.flatMap(({ tools = [] }) => tools))) found.set(tool, await tool());

  const outcomes = [];
  // Each to its end, whatever the ones before it said.
  for (const { name, runs, tools = [], env = {}, prepare } of toRun) {
    announce(name);
    prepare?.();
    const [program, ...args] = runs;
    const begun = performance.now();
    const given = Object.assign({}, env, ...tools.map((tool) => found.get(tool)));
    const { status, output } = await run(program, args, { env: given });
    outcomes.push({ name, ms: performance.now() - begun, ...tally(status, output) });
  }

  const lines = summary(outcomes, { filters, chosen: chosen.length, all: checks.length });
  console.log(`\n${lines.join("\n")}`);
  if (outcomes.some(({ failed }) => failed > 0)) process.exitCode = 1;
});
