/** A text that is too long for a link, kept by the tab while the page loads anew. */

import { fitsLink } from "./view.ts";

const KEY = "saccade:text";

/** Keeps a text that no address carries. */
export function keep(text: string): void {
  try {
    if (fitsLink(text)) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  } catch {
    // Storage is refused, or full.
  }
}

/** Whether the page was loaded again or come back to; one opened by a link begins with what the link says. */
export function isAgain(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "reload" || entry?.type === "back_forward";
}

/** What was kept, for the page that was loaded again. */
export function kept(): string | null {
  if (!isAgain()) return null;
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
