import record from "./recorded.json";
import type { Trial } from "./trial.ts";

/** A race that was run elsewhere (`npm run record:race`), to be seen, pale, before one is run here. */
export const recorded = record as { readonly machine: string; readonly length: number; readonly trials: readonly Trial[] };
