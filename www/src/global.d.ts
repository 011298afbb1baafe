import type { Comparison, Reading, ReadOptions } from "./engine.ts";

declare global {
  interface Window {
    /** For the browser's console: the model that the page has open, and what it has measured of the text. */
    saccade: { read(text: string, options?: ReadOptions): Promise<Reading>; measured(): Comparison | null };
  }
}
