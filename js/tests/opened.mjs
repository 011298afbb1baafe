/** Training runs that end with their test. */

import { afterEach } from "node:test";
import { train } from "../dist/train/node.js";

const opened = [];
afterEach(() => opened.splice(0).forEach((run) => run.dispose()));

/** A run that the test's end disposes of. */
export function open(...given) {
  const run = train(...given);
  opened.push(run);
  return run;
}
