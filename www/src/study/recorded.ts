import type { Reading } from "../engine.ts";
import type { ModelId } from "./models.ts";
import record from "./recorded.json";

/** A reading that the native program made (`npm run record`), to be seen while the model is on its way. */
export const recorded = record as { readonly model: ModelId; readonly text: string; readonly reading: Reading };
