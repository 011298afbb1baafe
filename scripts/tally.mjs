/** How many tests passed and failed, and which failed, by what their runners print. */

import { plain } from "./steps.mjs";

/** How many failed tests of a check are named at the end. */
const NAMES = 10;

/** The counts that cargo's, vitest's and node's test runners print, summed. */
export function counts(output) {
  const text = plain(output);
  const sum = (...patterns) =>
    patterns.flatMap((pattern) => [...text.matchAll(pattern)]).reduce((total, [, n]) => total + Number(n), 0);
  return {
    passed: sum(/^test result: .*?(\d+) passed/gm, /^ +Tests .*?(\d+) passed/gm, /^(?:#|ℹ) pass (\d+)$/gm),
    failed: sum(/^test result: .*?(\d+) failed/gm, /^ +Tests .*?(\d+) failed/gm, /^(?:#|ℹ) fail (\d+)$/gm),
    skipped: sum(/^test result: .*?(\d+) ignored/gm, /^ +Tests .*?(\d+) skipped/gm, /^(?:#|ℹ) (?:skipped|todo) (\d+)$/gm),
  };
}

/** The tests that failed, by the names that the same runners print; Node's also names the suite and the file, after what failed there. */
export function failures(output) {
  const named = /^ *not ok \d+ - (.+)$|^ *✖ (.+) \([\d.]+ms\)$|^test (.+) \.\.\. FAILED$|^ FAIL +(.+)$/gm;
  return [...new Set([...plain(output).matchAll(named)].map((names) => names.slice(1).find(Boolean)))];
}

/** What a check that ended with `status` says of itself; one that names no test counts as one. */
export function tally(status, output) {
  const found = { ...counts(output), failures: failures(output) };
  if (status !== 0 && found.failed === 0) return { ...found, failed: 1 };
  if (found.passed + found.failed + found.skipped === 0) return { ...found, passed: 1 };
  return found;
}

/**
 * The lines that `npm test` ends with. Of each check there is in `outcomes` its name, its time and its tally; `filters`
 * chose `chosen` of `all` checks.
 */
export function summary(outcomes, { filters, chosen, all }) {
  const sum = (kind) => outcomes.reduce((total, outcome) => total + outcome[kind], 0);
  const lines = outcomes.map(({ name, ms }) => `${(ms / 1000).toFixed(0).padStart(5)} s  ${name}`);
  for (const { name, skipped } of outcomes) if (skipped > 0) lines.push(`skipped: ${skipped} of ${name}`);
  for (const { name, failed, failures } of outcomes) {
    if (failed === 0) continue;
    lines.push(`failed: ${name}`, ...failures.slice(0, NAMES).map((test) => `        ${test}`));
    if (failures.length === 0) lines.push("        no test by name: see what it printed");
    if (failures.length > NAMES) lines.push(`        and ${failures.length - NAMES} more`);
  }
  if (outcomes.length < all) {
    const asked = filters.map((filter) => `"${filter}"`).join(", ");
    const needed = outcomes.length - chosen;
    lines.push(`only a part was run: ${chosen} of ${all} checks (${asked}), and ${needed} that they need`);
  }
  return [...lines, "", `${sum("passed")} passed, ${sum("failed")} failed`];
}
