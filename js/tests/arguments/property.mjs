/** The rule of all calls: right arguments have the reference's answer, wrong ones are refused, and neither harms a neighbour. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { callOf, signatures } from "./cases.mjs";
import { expected, near } from "./reference.mjs";

/** Makes so many calls by `perform`, which takes a call's description and resolves to its outcome; `without` some functions. */
export async function holds(perform, numRuns, without = []) {
  const names = Object.keys(signatures).filter((name) => !without.includes(name));
  const tally = { right: 0, wrong: 0 };
  const property = fc.asyncProperty(callOf(names), async (call) => {
    const { value, error, unwell } = await perform(call);
    assert.deepEqual(unwell, [], "a healthy model's answers changed");
    if (error) assert.ok(error.ours, `no SaccadeError: ${error.message}`);
    if (!("plain" in call)) {
      tally.wrong += 1;
      assert.ok(error, `taken: ${JSON.stringify(value)}`);
      assert.ok(["OPTION_INVALID", "MODEL_CONFIG"].includes(error.code), `${error.code}: ${error.message}`);
      return;
    }
    tally.right += 1;
    const reference = await expected(call);
    if ("code" in reference) assert.equal(error?.code, reference.code, error?.message);
    else assert.ok(!error && near(value, reference.value), error ? error.message : `${JSON.stringify(value)} is not ${JSON.stringify(reference.value)}`);
  });
  await fc.assert(property, { numRuns, includeErrorInReport: true });
  return tally;
}
