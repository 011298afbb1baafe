/** Two readings of one text, made by two builds of the engine. */

import assert from "node:assert/strict";

/** Two builds may sum in another order: that far apart may a probability be. */
export const TOLERANCE = 1e-4;
/** A skim probability this near to the threshold may fall to either side of it. */
const UNDECIDED = 1e-3;

const near = (a, b, what) => assert.ok(Math.abs(a - b) <= TOLERANCE, `${what}: ${a} and ${b}`);

function sameToken(actual, expected, index) {
  // Times belong to a machine.
  const { skimProbability: a, timeUs: _, ...rest } = actual;
  const { skimProbability: b, timeUs: __, ...others } = expected;
  assert.deepEqual(rest, others, `token ${index}`);
  if (b === null) assert.equal(a, null, `token ${index}`);
  else near(a, b, `skim probability of token ${index}`);
}

/** Equal up to the first token that could be decided either way; returns how many tokens were compared. */
export function agreeUntilUndecided(actual, expected, threshold) {
  assert.equal(actual.tokens.length, expected.tokens.length);
  const undecided = expected.tokens.findIndex(
    ({ skimProbability }) => skimProbability !== null && Math.abs(skimProbability - threshold) <= UNDECIDED,
  );
  const compared = undecided < 0 ? expected.tokens.length : undecided;
  for (let index = 0; index < compared; index++) sameToken(actual.tokens[index], expected.tokens[index], index);
  return compared;
}

/** Equal in all values but the time; for readings in which every decision is given. */
export function agree(actual, expected) {
  assert.equal(actual.tokens.length, expected.tokens.length);
  for (const [index, token] of expected.tokens.entries()) sameToken(actual.tokens[index], token, index);
  assert.equal(actual.label, expected.label);
  assert.deepEqual(actual.scores.map(({ label }) => label), expected.scores.map(({ label }) => label));
  for (const [index, { label, probability }] of expected.scores.entries()) {
    near(actual.scores[index].probability, probability, `score of ${label}`);
  }
  near(actual.skimRate, expected.skimRate, "skim rate");
  assert.equal(actual.flops.spent, expected.flops.spent);
  assert.equal(actual.flops.full, expected.flops.full);
  near(actual.flops.reduction, expected.flops.reduction, "reduction");
}
