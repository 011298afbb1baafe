import type { Seen } from "./memory.svelte.ts";
import record from "./recorded.json";
import type { Cell } from "./sizes.ts";

/**
 * The last step of a run as the knobs stand at first, with seed 1, recorded (`SACCADE_RECORD=1 npx vitest run train-recorded`),
 * for the figure to show before anything is learned here.
 */
export const recorded = record as Readonly<Record<Cell, Seen>>;
