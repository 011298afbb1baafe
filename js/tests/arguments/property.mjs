/** The rule of all calls: right arguments have the reference's answer, wrong ones are refused, and neither harms a neighbour. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { callOf, DEAR, rightCall, signatures } from "./cases.mjs";
import { expected, near } from "./reference.mjs";

/** How many right calls are made of each function that takes its time. */
const FEW = 5;

/**
 * Makes `count` calls, `together` at a time, by `perform`, which takes their descriptions and resolves to their outcomes, then
 * the dear ones; none of the functions `without`. Resolves to how many were right and wrong.
 */
export async function holds(perform, { count, together = 1, without = [] }) {
  const names = Object.keys(signatures).filter((name) => !without.includes(name));
  const tally = { right: 0, wrong: 0 };
  const each = async (call, numRuns, together) => {
    const calls = fc.array(call, { minLength: together, maxLength: together });
    const property = fc.asyncProperty(calls, async (calls) => {
      for (const [i, outcome] of (await perform(calls)).entries()) {
        tally["plain" in calls[i] ? "right" : "wrong"] += 1;
        const wrong = await fault(calls[i], outcome);
        assert.equal(wrong, undefined, `${JSON.stringify(calls[i])}: ${wrong}`);
      }
    });
    await fc.assert(property, { numRuns, includeErrorInReport: true });
  };
  await each(callOf(names), Math.ceil(count / together), together);
  for (const name of names.filter((name) => DEAR.has(name))) await each(rightCall(name), FEW, 1);
  return tally;
}

/** What is wrong with a call's outcome, if anything is. */
async function fault(call, { value, error, unwell }) {
  if (unwell.length > 0) return `other answers changed: ${unwell}`;
  if (error && !error.ours) return `no SaccadeError: ${error.message}`;
  if (!("plain" in call)) {
    if (error && call.source) return /^(OPTION_INVALID|FETCH_FAILED|MODEL_[A-Z]+)$/.test(error.code) ? undefined : `${error.code}: ${error.message}`;
    if (!error) return `it was taken, with ${JSON.stringify(value)}`;
    // Texts before one that is none are answered first: by the device that is asked for.
    if (error.code === "DEVICE_UNAVAILABLE" && beginsOnGpu(call)) return undefined;
    // Sizes that are numbers, but no layer's, are told of as a model's are.
    return ["OPTION_INVALID", "MODEL_CONFIG"].includes(error.code) ? undefined : `${error.code}: ${error.message}`;
  }
  const reference = await expected(call);
  if ("code" in reference) return error?.code === reference.code ? undefined : `expected ${reference.code}, found ${error?.code}`;
  if (error) return error.message;
  return near(value, reference.value) ? undefined : `${JSON.stringify(value)} is not ${JSON.stringify(reference.value)}`;
}

/** Whether a call streams answers by the GPU and nothing else, and begins with a text. */
function beginsOnGpu({ call, given: [texts, options] }) {
  const onGpu = (options?.keys ?? []).some(([key, value]) => key === "device" && value === "webgpu-only");
  return call.endsWith("All") && onGpu && typeof texts?.items?.[0] === "string";
}
