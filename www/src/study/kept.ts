/** A text or a program that is too long for a link, kept by the tab while the page loads anew. */

import { tooLong, wordy, type View, type Wordy } from "./view.ts";

const keyOf = (field: Wordy) => `saccade:${field}`;

/** Keeps what no address carries, and nothing of what was kept before. */
export function keep(view: View): void {
  const long = tooLong(view);
  for (const field of wordy) {
    try {
      // First, since storage that is full keeps what it has.
      sessionStorage.removeItem(keyOf(field));
      if (long.includes(field)) sessionStorage.setItem(keyOf(field), view[field] ?? "");
    } catch {
      // Storage is refused, or full.
    }
  }
}

/** Whether the page was loaded again or come back to; one opened by a link begins with what the link says. */
export function isAgain(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "reload" || entry?.type === "back_forward";
}

/** What was kept, for the page that was loaded again. */
export function kept(): Pick<View, Wordy> {
  if (!isAgain()) return {};
  const found: Pick<View, Wordy> = {};
  try {
    for (const field of wordy) {
      const value = sessionStorage.getItem(keyOf(field));
      if (value !== null) found[field] = value;
    }
  } catch {
    // Storage is refused.
  }
  return found;
}
