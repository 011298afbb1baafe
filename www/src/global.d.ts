import type { Reading, ReadOptions } from "./engine.ts";

declare global {
  interface Window {
    /** For the browser's console: the model that the page has open. */
    saccade: { read(text: string, options?: ReadOptions): Promise<Reading> };
  }
}
