import type { Cell } from "./cells.ts";
import record from "./recorded.json";
import type { Moment } from "./writer.svelte.ts";

/**
 * A run of Shakespeare's text with seed 1, recorded (`SACCADE_RECORD=1 npx vitest run train-recorded`), for the figure to show
 * before anything is learned here: its cell, its passes, how many different letters the text has, and its moments.
 */
export const recorded = record as { readonly cell: Cell; readonly epochs: number; readonly letters: number; readonly moments: readonly Moment[] };
