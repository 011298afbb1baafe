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

/** What was kept, for the page that was loaded again or come back to; a page opened by a link begins with what the link says. */
export function kept(): string | null {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (entry?.type !== "reload" && entry?.type !== "back_forward") return null;
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
