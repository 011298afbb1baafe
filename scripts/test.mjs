/**
 * `npm test`: every check there is and how long it took; ends with the number of tests passed and failed.
 * `npm test -- FILTER` runs the checks whose names contain the filter and those that they need; `npm test -- --list` names all.
 */

// By no name, since one that an old Node lacks ends it before it is told that it is old.
import * as os from "node:os";
import { checks } from "./checks.mjs";
import { inLanes } from "./lanes.mjs";
import { select } from "./selection.mjs";
import { announce, checkNode, checkRust, entry, installPackages, run, Stop } from "./steps.mjs";
import { summary, tally } from "./tally.mjs";

/** How many checks that leave room run at a time, at most: a browser and an engine each want their memory. */
const LANES = 3;

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

  const whole = performance.now();
  // Each to its end, whatever the ones before it said. What two print at a time is shown when each has ended.
  // One more than there are processors: a browser waits half of its time, for frames and for what is measured in quiet moments.
  const outcomes = await inLanes(toRun, Math.min(LANES, os.availableParallelism() + 1), async ({ name, runs, tools = [], env = {}, room = false, patient = false }) => {
    announce(room ? `${name}: begun` : name);
    const [program, ...args] = runs;
    const begun = performance.now();
    const given = Object.assign({}, env, ...tools.map((tool) => found.get(tool)));
    const { status, output } = await run(program, args, { env: given, silent: room, patient });
    if (room) announce(`${name}\n${output}`);
    return { name, ms: performance.now() - begun, ...tally(status, output) };
  });

  console.log(`\n${((performance.now() - whole) / 1000).toFixed(0)} s in all; what took how long, some of it beside each other:`);
  const lines = summary(outcomes, { filters, chosen: chosen.length, all: checks.length });
  console.log(`\n${lines.join("\n")}`);
  if (outcomes.some(({ failed }) => failed > 0)) process.exitCode = 1;
});
