import type { Comparison, Reading, ReadOptions } from "./engine.ts";

declare global {
  /** A script as text (`build/sandbox.ts`). */
  module "*?sandbox" {
    const code: string;
    export default code;
  }
  interface Window {
    /** For the browser's console, and for tests: the model that the page has open, what it has measured of the text, and whether it has read it. */
    saccade: { read(text: string, options?: ReadOptions): Promise<Reading>; measured(): Comparison | null; settled(): boolean };
  }
}
