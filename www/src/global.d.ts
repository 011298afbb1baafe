import type { ReadHooks } from "../../js/remote.ts";
import type { ReadOptions, Reading } from "../../js/types.ts";

declare global {
  interface Window {
    /** For the browser's console: the model that the page has open. */
    saccade: { read(text: string, options?: ReadOptions, hooks?: ReadHooks): Promise<Reading> };
  }
}
