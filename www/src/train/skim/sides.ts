/** The learners as the figure shows them: one, or two side by side, each as it was at the moment that is looked at. */

import { two } from "../shared/numbers.ts";
import { momentAt } from "../shared/run.svelte.ts";
import type { Learner, Moment } from "./learner.svelte.ts";
import { recorded } from "./recorded.ts";
import { second as say } from "./strings.ts";

export interface Side {
  /** By what it is told from the other: a knob and its value, which is the shorter name. Null of one alone. */
  readonly name: { readonly knob: string; readonly value: string } | null;
  readonly moments: readonly Moment[];
  /** The moment that is looked at, or the latest where this one has not come so far; null before the first. */
  readonly moment: Moment | null;
  /** How far it is; null where an earlier moment of the first is looked at. */
  readonly now: Learner["present"];
}

/** The first, and the second if there is one. */
export type Sides = readonly [Side, ...Side[]];

/** A run that was recorded, as a learner's, at a moment or its last. */
export function recordedSides(at: number | null): Sides {
  return [{ name: null, moments: recorded, moment: momentAt(recorded, at), now: null }];
}

export function sidesOf(learner: Learner): Sides {
  const { moments, shown, second, difference } = learner;
  if (!second || !difference) return [{ name: null, moments, moment: shown, now: learner.present }];
  const there = second.moments[Math.min(learner.at ?? Infinity, moments.length - 1, second.moments.length - 1)] ?? null;
  const { knob } = difference;
  const side = (of: Learner, moment: Moment | null): Side => {
    // As it was at that moment, whatever the knobs stand at now.
    const { [knob]: value } = (moment ?? of).knobs;
    return { name: { knob: say.names[knob], value: value === null ? say.falls : two(value) }, moments: of.moments, moment, now: learner.at === null ? of.now : null };
  };
  return [side(learner, shown), side(second, there)];
}
